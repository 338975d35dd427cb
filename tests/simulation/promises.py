"""Checks what studybot promises: after every commit, at every request, and at rest.

It compares what the database says with what Discord really shows.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from notices.models import (
    Attempt,
    CallbackMessage,
    Channel,
    Delivery,
    ErrorCode,
    Notice,
)
from notices.outside import clock
from tests.simulation.bots import Bot
from tests.simulation.database import Database
from tests.simulation.discord import CHANGES, Call, Discord, Message
from tests.simulation.queue import Queue
from tests.simulation.world import World

# Smaller ones are our own (`ErrorCode`).
FIRST_CODE_OF_OTHERS = 100
State = Delivery.State

_DELIVERIES = """
    SELECT delivery.id, title, channel_id, state, wanted, shown, message_id, unknown_since,
        setbacks, error_code, status, publish_at, withdrawn_at, fanned_out_revision
    FROM notices_delivery AS delivery JOIN notices_notice AS notice ON notice.id = notice_id
"""
_TOUCHED = "WHERE notice_id IN (SELECT id FROM touched)"
_ONE = "WHERE title = ? AND channel_id = ?"
# They note what a transaction changes, and are rolled back with it.
_WATCH = """
    CREATE TEMP TABLE touched (id integer PRIMARY KEY);
    CREATE TEMP TRIGGER new_delivery AFTER INSERT ON notices_delivery
        BEGIN INSERT OR IGNORE INTO touched VALUES (new.notice_id); END;
    CREATE TEMP TRIGGER changed_delivery AFTER UPDATE ON notices_delivery
        BEGIN INSERT OR IGNORE INTO touched VALUES (new.notice_id); END;
    CREATE TEMP TRIGGER new_notice AFTER INSERT ON notices_notice
        BEGIN INSERT OR IGNORE INTO touched VALUES (new.id); END;
    CREATE TEMP TRIGGER changed_notice AFTER UPDATE ON notices_notice
        BEGIN INSERT OR IGNORE INTO touched VALUES (new.id); END;
"""
_NEW_ATTEMPTS = """
    SELECT attempt.id, title, delivery.channel_id, action, publish_at, withdrawn_at,
        notice.expires_at, begun_at,
        EXISTS (SELECT 1 FROM notices_study_channels AS connected
            WHERE connected.channel_id = delivery.channel_id),
        EXISTS (SELECT 1 FROM notices_notice_channels AS chosen
            WHERE chosen.channel_id = delivery.channel_id AND chosen.notice_id = notice.id)
    FROM notices_attempt AS attempt
    JOIN notices_delivery AS delivery ON delivery.id = delivery_id
    JOIN notices_notice AS notice ON notice.id = notice_id
    WHERE attempt.id > ? ORDER BY attempt.id
"""
_ATTEMPTS_OF = """
    SELECT COUNT(*) FROM notices_attempt AS attempt
    JOIN notices_delivery AS delivery ON delivery.id = delivery_id
    JOIN notices_notice AS notice ON notice.id = notice_id
    WHERE title = ? AND delivery.channel_id = ? AND action = ?
"""
# The channels of published notices of which no delivery knows.
_FORGOTTEN = """
    SELECT title, channel_id FROM notices_notice_channels AS chosen
    JOIN notices_notice AS notice ON notice.id = notice_id
    WHERE publish_at IS NOT NULL AND withdrawn_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM notices_delivery AS delivery
        WHERE delivery.notice_id = notice.id AND delivery.channel_id = chosen.channel_id
    )
"""
_TALLIES = """
    SELECT action || ':' || outcome, COUNT(*) FROM notices_attempt
    WHERE outcome IS NOT NULL GROUP BY 1
"""
_COUNTED = "SELECT label, value FROM notices_tally WHERE name = 'attempts'"


class Row(NamedTuple):
    """A delivery, with what its notice says."""

    id: int
    title: str
    channel_id: int
    state: str
    wanted: int | None
    shown: int | None
    message_id: int | None
    unknown_since: str | None
    setbacks: int
    error_code: int | None
    status: str
    publish_at: str | None
    withdrawn_at: str | None
    fanned_out_revision: int

    def __str__(self) -> str:
        return f"notice {self.title} in channel {self.channel_id}, {self.state}"


class Promises:
    def __init__(self, world: World, discord: Discord, database: Database, queue: Queue) -> None:
        self._world, self._discord = world, discord
        self._database, self._queue = database, queue
        database.watch(_WATCH)
        self._last_attempt = 0
        self._sent: Counter[tuple[str, int, str]] = Counter()

    # --- when a request goes out --------------------------------------------------------------

    def look_at_request(self, bot: Bot, call: Call, title: str, is_repeated: bool) -> None:
        """It is the active bot's, and was written down before.

        discord.py may repeat one, as Discord asked for it.
        """
        if call.kind not in CHANGES or not title:
            return
        about = f"{call.kind} of notice {title} in channel {call.channel_id}"
        self._promise(bot.transport.active, f"a bot that has lost its seat sends: {about}")
        if is_repeated:
            return
        key = (title, call.channel_id, call.kind)
        self._sent[key] += 1
        ((written,),) = self._database.rows(_ATTEMPTS_OF, *key)
        self._promise(self._sent[key] <= written, f"no attempt tells of this: {about}")

    # --- when Discord shows something ---------------------------------------------------------

    def look_at_message(self, message: Message) -> None:
        """Nobody was told before that it is not shown, or shows something newer."""
        of_message = (message.title, message.channel_id)
        for row in map(Row._make, self._database.rows(_DELIVERIES + _ONE, *of_message)):
            is_hidden = row.shown is None and row.unknown_since is None
            self._promise(not is_hidden, f"{row}, is said not to be shown, and now is")
            is_older = row.state == State.SENT and (row.shown or 0) > message.says.revision
            self._promise(not is_older, f"{row}, and now shows an older text than {row.shown}")

    # --- after each commit --------------------------------------------------------------------

    def look_at_commit(self) -> bool:
        """Return whether any notice has changed."""
        self._look_at_new_attempts()
        if not self._database.rows("SELECT 1 FROM touched LIMIT 1"):
            return False
        rows = list(map(Row._make, self._database.rows(_DELIVERIES + _TOUCHED)))
        self._database.rows("DELETE FROM touched")
        for row in rows:
            self._look_at_delivery(row)
        self._look_at_statuses(rows)
        return True

    def _look_at_new_attempts(self) -> None:
        for row in self._database.rows(_NEW_ATTEMPTS, self._last_attempt):
            (self._last_attempt, title, channel_id, action, publish_at, withdrawn_at, expires_at,
             begun_at, is_connected, is_chosen) = row  # fmt: skip
            if action != Attempt.Action.CREATE:
                continue
            about = f"notice {title} is claimed for channel {channel_id}"
            self._promise(withdrawn_at is None, f"{about}, after its withdrawal")
            self._promise(publish_at <= begun_at, f"{about}, before its hour")
            is_over = expires_at is not None and expires_at <= begun_at
            self._promise(not is_over, f"{about}, after its last moment")
            self._promise(is_connected and is_chosen, f"{about}, which was taken away")

    def _look_at_delivery(self, row: Row) -> None:
        if row.state == State.SENT:
            said = (row.message_id, row.shown)
            self._promise(said in self._discord.has_shown, f"{row}: never shown was {said}")
        elif row.shown is None and (row.unknown_since is None or row.state == State.FAILED):
            there = self._discord.shown(row.channel_id, row.title)
            self._promise(not there, f"{row}, is said not to be shown, and is")
        if row.state == State.FAILED and (row.error_code or 0) >= FIRST_CODE_OF_OTHERS:
            reason = (row.channel_id, row.error_code)
            self._promise(
                reason in self._discord.reasons, f"{row}: nobody gave reason for {reason}"
            )

    def _look_at_statuses(self, rows: list[Row]) -> None:
        by_notice: dict[str, list[Row]] = {}
        for row in rows:
            by_notice.setdefault(row.title, []).append(row)
        for of_notice in by_notice.values():
            told, right = of_notice[0].status, self._status(of_notice)
            if of_notice[0].fanned_out_revision:
                self._promise(told in right, f"{of_notice[0]}: the notice is {told}, not {right}")

    def _status(self, rows: list[Row]) -> set[str]:
        """What the documentation of the statuses says; a moment that strikes writes nothing."""
        notice, live = rows[0], [row for row in rows if row.state != State.WITHDRAWN]
        under_way = [r for r in live if r.state in (State.WAITING, State.SENDING, State.UNKNOWN)]
        shown = [row for row in live if row.shown is not None]
        touched = shown or [
            r for r in live if r.state != State.WAITING or r.setbacks or r.unknown_since
        ]
        if notice.withdrawn_at:
            return {"sending" if under_way else "failed"} if live else {"withdrawn"}
        if not touched:
            return {"scheduled", "queued"}
        if under_way:
            return {"sending"}
        if all(row.state == State.SENT for row in live):
            return {"sent"}
        return {"partly_sent" if shown else "failed"}

    # --- at rest ------------------------------------------------------------------------------

    def what_is_due(self) -> Iterator[str]:
        """Nothing may be on its way for ever."""
        for delivery in Delivery.objects.filter(due_at__isnull=False):
            yield f"delivery {delivery} is {delivery.state}"
        for notice in Notice.objects.not_fanned_out():
            yield f"notice {notice} is not fanned out"
        for attempt in Attempt.objects.filter(ended_at=None):
            yield f"attempt {attempt} of delivery {attempt.delivery} has not ended"
        for message in CallbackMessage.objects.filter(due_at__isnull=False):
            yield f"callback {message.type} of notice {message.notice} waits"

    def look_at_rest(self) -> None:
        """Leaders have decided, and nothing is wrong with Discord any more."""
        messages = self._discord.messages.items()
        left = {pk: message for pk, message in messages if not message.is_emptied}
        for delivery in Delivery.objects.select_related("notice").order_by("id"):
            for message in self._discord.shown(delivery.channel_id, delivery.notice.title):
                left.pop(message.id, None)
            self._look_at_ended(delivery)
        self._promise(not left, f"nobody knows of {left}")
        forgotten = self._database.rows(_FORGOTTEN)
        self._promise(not forgotten, f"notice and channel without a delivery: {forgotten}")
        self._look_at_tallies()
        if self._queue.has_frontend:
            for notice in Notice.objects.all():
                self._look_at_callbacks(notice)

    def _look_at_tallies(self) -> None:
        told, counted = self._database.rows(_TALLIES), self._database.rows(_COUNTED)
        self._promise(sorted(told) == sorted(counted), f"{told} are counted as {counted}")

    def _look_at_ended(self, delivery: Delivery) -> None:
        notice = delivery.notice
        about = f"notice {notice.title} in channel {delivery.channel_id}, {delivery.state}"
        shown = self._discord.shown(delivery.channel_id, notice.title)
        is_chosen = notice.channels.filter(pk=delivery.channel_id).exists()
        is_wanted = is_chosen and notice.withdrawn_at is None
        self._promise(is_wanted == (delivery.wanted is not None), f"{about}: wanted {is_wanted}")
        if is_wanted and delivery.state == State.FAILED:
            self._promise(not shown, f"{about}, and is shown")
            self._look_at_reason(delivery, about)
        elif is_wanted:
            self._promise(delivery.state == State.SENT, f"{about} at rest")
            self._look_at_message(notice, delivery, shown, about)
        else:
            is_gone = delivery.state == State.WITHDRAWN and not shown
            self._promise(is_gone, f"{about}, withdrawn or moved, and shown are {shown}")

    def _look_at_message(
        self, notice: Notice, delivery: Delivery, shown: list[Message], about: str
    ) -> None:
        if delivery.message_id not in self._discord.unheard:
            says = {one.id: one.body["embeds"][0]["description"] for one in shown}
            right = {delivery.message_id: notice.content}
            self._promise(says == right, f"{about}, and Discord shows {says}, not {right}")

    def _look_at_reason(self, delivery: Delivery, about: str) -> None:
        match delivery.error_code:
            case ErrorCode.EXPIRED:
                expires_at = delivery.notice.expires_at
                is_true = expires_at is not None and expires_at <= clock.now()
            case ErrorCode.CHANNEL_TAKEN:
                has_it = Channel.objects.filter(pk=delivery.channel_id, studies__isnull=False)
                is_true = not has_it.exists()
            case _:
                is_true = False
        self._promise(is_true, f"{about} for {delivery.error_code}, which is not so any more")

    def _look_at_callbacks(self, notice: Notice) -> None:
        """The frontend was told of each notice what has become of it.

        What arrives late after a failure is known by its timestamp.
        """
        told = [one for one in self._queue.heard if one.notice_id == notice.pk]
        told.sort(key=lambda one: one.pk)
        if notice.status == Notice.Status.DRAFT or notice.current_status in ("scheduled", "queued"):
            return
        last: dict[str, Any] = orjson.loads(told[-1].payload)["data"] if told else {}
        about = f"notice {notice.title} is {notice.status}"
        self._promise(last.get("status") == notice.status, f"{about}, and told last was {last}")

    def _promise(self, is_kept: object, broken: str) -> None:
        self._world.promise(bool(is_kept), broken)
