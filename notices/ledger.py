"""The database as the queue that counts: fan out, claim, record, sweep.

One rule keeps it free of races and deadlocks: whoever writes a delivery holds the lock of its
notice's row, and locks notices in the order of their ids. (On SQLite a transaction is alone
anyway: settings.py makes every one IMMEDIATE.)
"""

import logging
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from notices import codes, embeds, outcomes, statuses, tallies
from notices.bulk import (
    Among,
    among,
    execute,
    fetch,
    insert_each,
    moment,
    read,
    read_moment,
    update_and_tell,
    update_each,
)
from notices.held import HeldDelivery, HeldNotice, HeldStudy, WaitingNotice
from notices.models import (
    DETAIL_LIMIT,
    Attempt,
    Channel,
    Delivery,
    ErrorCode,
    Notice,
    Pause,
    Study,
    new_nonce,
)
from notices.outcomes import Outcome
from notices.poison import DATA_ERRORS, detail_of
from notices.transport import Request

log = logging.getLogger(__name__)

# How long a claim stands for its bot. A new active bot need not wait for it: it holds the lock.
LEASE = timedelta(seconds=60)
# The NOTIFY channel on which PostgreSQL tells the bot of new work.
WAKE_CHANNEL = "studybot_wake"
_EXPIRED = {
    "state": Delivery.State.FAILED, "due_at": None, "error_code": ErrorCode.EXPIRED,
    "error_detail": "",
}  # fmt: skip
# What a wish, a claim and an outcome may change of a delivery.
CHANGED_FIELDS = (
    "wanted", "shown", "message_id", "state", "nonce", "due_at", "expires_at", "tries",
    "setbacks", "unknown_since", "error_code", "error_detail", "claim",
)  # fmt: skip
# What a new one has; all else is null.
NEW_FIELDS = (
    "notice_id", "channel_id", "wanted", "state", "nonce", "due_at", "expires_at", "tries",
    "setbacks", "error_code", "error_detail", "changed_at",
)  # fmt: skip
_CHOSEN = """
SELECT chosen.notice_id, chosen.channel_id, connected.id IS NOT NULL
FROM notices_notice_channels AS chosen
JOIN notices_notice AS notice ON notice.id = chosen.notice_id
LEFT JOIN notices_study_channels AS connected
    ON connected.study_id = notice.study_id AND connected.channel_id = chosen.channel_id
WHERE {condition}
"""
# Each has its own index on what is due.
CREATES = "due_at IS NOT NULL AND message_id IS NULL"
CHANGES = "due_at IS NOT NULL AND message_id IS NOT NULL"

State = Delivery.State
Action = Attempt.Action


Changes = dict[str, Any]
"""The fields of a delivery that change, by name."""

Changed = tuple[HeldDelivery, Changes]

Locked = dict[int, HeldNotice]
"""The notices whose rows are locked, as they are."""


class _Due(NamedTuple):
    id: int
    notice_id: int


class Resting(NamedTuple):
    """Channels to be left alone."""

    creates: Collection[int] = ()
    changes: Collection[int] = ()


NOBODY = Resting()


@dataclass(frozen=True, slots=True)
class Shards:
    """Which guilds are ours: Discord's own arithmetic, (guild_id >> 22) % count."""

    ids: tuple[int, ...] = (0,)
    count: int = 1

    def condition(self) -> str:
        """SQL that picks our own among the deliveries."""
        if self.count == 1:
            return "TRUE"
        listed = f"(guild_id >> 22) %% {self.count} IN ({', '.join(map(str, self.ids))})"
        if 0 in self.ids:
            # Nobody has seen this channel's guild yet. Any bot can post there; one of them does.
            listed = f"({listed} OR guild_id IS NULL)"
        # Looked up for each: a list of channels would look like the better way in to a planner.
        return f"(SELECT {listed} FROM notices_channel WHERE id = channel_id)"  # noqa: S608


# --- fan out -------------------------------------------------------------------------------


def fan_out(notice_id: int, now: datetime | None = None) -> bool:
    """Make the deliveries say what the leader wants. Returns whether there was anything to do.

    It may run twice, late, or at the same time as another: the answer is the same.
    """
    now = now or timezone.now()
    try:
        with transaction.atomic():
            return bool(_fan_out(_lock_waiting([notice_id]), now))
    except DATA_ERRORS as error:
        log.exception("notice %s: cannot be fanned out", notice_id)
        _give_up_notice(notice_id, error, now)
        return True


def sweep(now: datetime, *, limit: int) -> tuple[int, int]:
    """Fan out what nobody has fanned out yet: qcluster may be slow, stuck, or told of nothing.

    Returns how many notices it did, and how many it left because others are at them.
    """
    waiting = (
        "SELECT id FROM notices_notice WHERE revision > fanned_out_revision "
        "ORDER BY changed_at LIMIT %s"
    )
    ids = [pk for (pk,) in fetch(waiting, [limit])]
    if not ids:
        return 0, 0
    try:
        with transaction.atomic():
            done = _fan_out(_lock_waiting(ids, skip_locked=True), now)
    except DATA_ERRORS:
        # One of them cannot be fanned out: the others can, one by one.
        done = sum(fan_out(pk, now) for pk in ids)
    return done, len(ids) - done


def _give_up_notice(notice_id: int, error: Exception, now: datetime) -> None:
    """Its own data cannot be fanned out: it fails, with a reason, in all of its channels."""
    with transaction.atomic():
        mine = Notice.objects.filter(pk=notice_id)
        revision = mine.select_for_update().values_list("revision", flat=True).first()
        if revision is None:
            return
        known = Delivery.objects.filter(notice=notice_id)
        channel_ids = set(mine.values_list("channels", flat=True)) - {None}
        channel_ids -= set(known.values_list("channel_id", flat=True))
        fails = _failed(error, now)
        known.exclude(state=State.WITHDRAWN).update(**fails)
        Delivery.objects.bulk_create(
            Delivery(notice_id=notice_id, channel_id=pk, wanted=revision, **fails)
            for pk in channel_ids
        )
        # Past the queryset's own update(), which would call for the next fan-out.
        execute(
            "UPDATE notices_notice SET fanned_out_revision = revision, status = %s WHERE id = %s",
            [Notice.Status.FAILED, notice_id],
        )


def _give_up(delivery_id: int, error: Exception, now: datetime) -> None:
    """Its own data cannot be sent, or what became of it cannot be written."""
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=delivery_id)
        notice_ids = list(mine.values_list("notice_id", flat=True))
        list(Notice.objects.select_for_update().filter(pk__in=notice_ids).values_list("pk"))
        mine.update(**_failed(error, now))
        Attempt.objects.filter(delivery=delivery_id, ended_at=None).update(
            ended_at=now, outcome=Attempt.Outcome.UNKNOWN, detail=detail_of(error)[:DETAIL_LIMIT]
        )
        statuses.refresh(notice_ids, now)


def _failed(error: Exception, now: datetime) -> Changes:
    return {
        "state": State.FAILED, "due_at": None, "claim": None,
        "error_code": ErrorCode.UNSENDABLE, "error_detail": detail_of(error)[:DETAIL_LIMIT],
        "changed_at": now,
    }  # fmt: skip


def oldest_waiting(now: datetime) -> timedelta | None:
    """The age of the oldest change that is not fanned out."""
    changed_at = (
        Notice.objects.not_fanned_out()
        .order_by("changed_at")
        .values_list("changed_at", flat=True)
        .first()
    )
    return now - changed_at if changed_at else None


def _lock_waiting(ids: list[int], *, skip_locked: bool = False) -> list[WaitingNotice]:
    """Those of them that are not fanned out."""
    condition, listed = among("id", ids)
    rest = (
        f"WHERE revision > fanned_out_revision AND {condition} "
        f"ORDER BY id {_for_update(skip_locked=skip_locked)}"
    )
    return read(WaitingNotice, Notice, rest, [listed])


def _fan_out(notices: list[WaitingNotice], now: datetime) -> int:
    """The caller has locked them. Returns how many there are."""
    if not notices:
        return 0
    condition, ids = among("id", [notice.id for notice in notices])
    execute(
        f"UPDATE notices_notice SET fanned_out_revision = revision WHERE {condition}",  # noqa: S608
        [ids],
    )
    # Once archived its messages are not known any more: a wish would only post it anew.
    live = [notice for notice in notices if notice.archived_at is None]
    if live:
        _write_wishes(live, now)
        statuses.refresh([notice.id for notice in live], now)
        wake()
    return len(notices)


def _write_wishes(notices: list[WaitingNotice], now: datetime) -> None:
    chosen, existing = _chosen_channels(notices), _existing_deliveries(notices)
    new: list[Sequence[Any]] = []
    changed: list[Changed] = []
    foreign: list[int] = []
    for notice in notices:
        wanted = chosen.get(notice.id, {})
        due_at = notice.publish_at or now
        known = existing.get(notice.id, [])
        for delivery in known:
            changes = outcomes.wish(
                delivery,
                notice.revision if delivery.channel_id in wanted else None,
                due_at=due_at,
                expires_at=notice.expires_at,
                now=now,
            )
            if changes:
                changed.append((delivery, changes))
            is_done = changes.get("state", delivery.state) == State.WITHDRAWN
            if is_done and not delivery.is_connected:
                foreign.append(delivery.id)
        for channel_id in sorted(wanted.keys() - {delivery.channel_id for delivery in known}):
            # One that is lost before the hour is found by the claim: until then it may come back.
            begins = wanted[channel_id] or due_at > now
            new.append((
                notice.id, channel_id, notice.revision,
                State.WAITING if begins else State.FAILED, new_nonce(),
                due_at if begins else None, notice.expires_at, 0, 0,
                None if begins else ErrorCode.CHANNEL_TAKEN, "", now,
            ))  # fmt: skip
    insert_each(Delivery, NEW_FIELDS, new)
    _write(changed, now)
    _forget_wishes(foreign)


def _forget_wishes(ids: list[int]) -> None:
    """Of another study's channels, where nothing was ever sent: the notice has moved, and whoever
    reads it now has nothing to do with them."""
    if ids:
        condition, listed = among("id", ids)
        execute(
            f"DELETE FROM notices_delivery WHERE {condition} AND NOT EXISTS "  # noqa: S608
            "(SELECT 1 FROM notices_attempt WHERE delivery_id = notices_delivery.id)",
            [listed],
        )


def _chosen_channels(notices: list[WaitingNotice]) -> dict[int, dict[int, bool]]:
    """By notice, where it is to be shown, and whether its study has that channel."""
    live = [n.id for n in notices if n.publish_at is not None and n.withdrawn_at is None]
    condition, ids = among("chosen.notice_id", live)
    chosen: dict[int, dict[int, bool]] = {}
    for notice_id, channel_id, is_connected in fetch(_CHOSEN.format(condition=condition), [ids]):
        chosen.setdefault(notice_id, {})[channel_id] = bool(is_connected)
    return chosen


def _existing_deliveries(notices: list[WaitingNotice]) -> dict[int, list[HeldDelivery]]:
    found: dict[int, list[HeldDelivery]] = {}
    for delivery in _read("notice_id", [notice.id for notice in notices]):
        found.setdefault(delivery.notice_id, []).append(delivery)
    return found


def _read(column: str, ids: Collection[int]) -> list[HeldDelivery]:
    condition, listed = among(column, ids)
    return read(HeldDelivery, Delivery, f"WHERE {condition}", [listed])


def _write(changed: Collection[Changed], now: datetime) -> None:
    """One UPDATE for all of them."""
    rows = [
        (
            delivery.id,
            *(changes[n] if n in changes else getattr(delivery, n) for n in CHANGED_FIELDS),
            now,
        )
        for delivery, changes in changed
    ]
    update_each(Delivery, ["id"], (*CHANGED_FIELDS, "changed_at"), rows)


def _for_update(*, skip_locked: bool = False) -> str:
    """SQL. (On SQLite a transaction is alone anyway.)"""
    if not connection.features.has_select_for_update:
        return ""
    return "FOR UPDATE SKIP LOCKED" if skip_locked else "FOR UPDATE"


def wake() -> None:
    """Tell the bot as soon as this transaction is committed. (SQLite's bot watches its file.)

    Not in it: of transactions that notify PostgreSQL commits one at a time, each with its own wait
    for the disk. Where a crash comes in between, the bot's slow poll finds what there is.
    """
    if connection.vendor == "postgresql":
        hooks = [entry[1] for entry in connection.run_on_commit]
        if _notify not in hooks:
            transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


# --- the bot's side ------------------------------------------------------------------------


def exchange(
    results: Collection[Outcome],
    now: datetime,
    *,
    limit: int,
    busy_channels: Collection[int],
    shards: Shards,
    window: timedelta,
    resting: Resting = NOBODY,
) -> list[Request]:
    """Write how requests ended and take up to `limit` due ones, in one transaction.

    At most one a channel: creates first, oldest first. Their attempts are committed when this
    returns, before any request goes out.
    """
    ended = {result.request.delivery_id for result in results}
    busy = Resting([*busy_channels, *resting.creates], [*busy_channels, *resting.changes])
    picked = _pick(now, limit, busy, shards) if limit > 0 else []
    picked = [due for due in picked if due.id not in ended]
    if not picked and not results:
        return []
    try:
        return _exchange(results, picked, now, window)
    except DATA_ERRORS:
        log.exception("one of these cannot be written or claimed: each is tried by itself")
        return _exchange_one_by_one(results, picked, now, window)


def _exchange(
    results: Collection[Outcome], picked: Collection[_Due], now: datetime, window: timedelta
) -> list[Request]:
    ids = [due.id for due in picked]
    ended = {result.request.delivery_id for result in results}
    with transaction.atomic():
        locked = lock_notices(
            {due.notice_id for due in picked} | {r.request.notice_id for r in results}
        )
        held = _hold(ended.union(ids), locked)
        recorded, counts = _record(results, held)
        claimed, requests = _claim([held[pk] for pk in ids if pk in held], now, window)
        _write([*recorded, *claimed], now)
        _stamp(requests, now)
        statuses.refresh(locked, now)
        tallies.add(counts)  # last, as other shards' bots write these rows too
    return requests


def _exchange_one_by_one(
    results: Collection[Outcome], picked: Collection[_Due], now: datetime, window: timedelta
) -> list[Request]:
    """What fails by its own data is failed, with a reason; the others go on."""
    steps = [([result], list[_Due](), result.request.delivery_id) for result in results]
    steps += [(list[Outcome](), [due], due.id) for due in picked]
    requests = []
    for ended, due, delivery_id in steps:
        try:
            requests += _exchange(ended, due, now, window)
        except DATA_ERRORS as error:
            log.exception("delivery %s: cannot be written or claimed", delivery_id)
            _give_up(delivery_id, error, now)
    return requests


def next_due(now: datetime, shards: Shards) -> datetime | None:
    """The moment of the next request that is not due yet."""
    return _earliest(f"due_at > %s AND {shards.condition()}", moment(now))


def oldest_due(now: datetime) -> timedelta | None:
    """The age of the oldest request that is due and was not made, though nobody has to wait."""
    left_alone = (
        "EXISTS (SELECT 1 FROM notices_pause AS pause WHERE pause.until > %s "  # noqa: S608
        f"AND pause.channel_id IN ({Pause.EVERYTHING}, notices_delivery.channel_id))"
    )
    oldest = _earliest(f"due_at <= %s AND NOT {left_alone}", moment(now), moment(now))
    return now - oldest if oldest else None


def _earliest(condition: str, *values: str) -> datetime | None:
    rows = fetch(_first_of_each_kind(condition), [*values, 1] * 2)
    moments = (read_moment(due_at) for _id, due_at, *_more in rows)
    return min((due_at for due_at in moments if due_at), default=None)


def _first_of_each_kind(condition: str) -> str:
    """SQL for what is due first, creates and changes by themselves.

    Its values: twice those of the condition, and how many rows are wanted.
    """
    return " UNION ALL ".join(
        f"SELECT * FROM (SELECT id, due_at, channel_id, notice_id, {number} AS kind "  # noqa: S608
        f"FROM notices_delivery WHERE {condition} AND {kind} "
        f"ORDER BY due_at, id LIMIT %s) AS kind{number}"
        for number, kind in enumerate((CREATES, CHANGES))
    )


def record_echo(nonce: str, message_id: int, revision: int, now: datetime) -> bool:
    """The gateway showed us a message of ours: settle its delivery if that is still unknown.

    Or if it was overwritten by an older revision, as a bot can that was cut off for a while; or if
    its embed was removed, and is there again.
    """
    unknown = Q(message_id=None) & ~Q(state__in=[State.SENDING, State.SENT])
    overwritten = Q(message_id=message_id, state=State.SENT, shown__gt=revision)
    emptied = Q(message_id=message_id, state=State.FAILED, error_code=ErrorCode.EMBED_REMOVED)
    concerned = Delivery.objects.filter(unknown | overwritten | emptied, nonce=nonce)
    notice_id = concerned.values_list("notice_id", flat=True).first()
    if notice_id is None:
        return False
    try:
        with transaction.atomic():
            locked = lock_notices([notice_id])
            found = _read("id", list(concerned.values_list("pk", flat=True)))
            _write([(one, outcomes.shown(one, message_id, revision, now)) for one in found], now)
            statuses.refresh(locked, now)
    except DATA_ERRORS:
        log.exception("message %s: what the gateway tells of it cannot be written", message_id)
        return False
    return True


def record_removals(codes: Mapping[int, int], now: datetime) -> int:
    """Somebody removed messages, or their embeds: by the message's id, which (`ErrorCode`).

    Nearly all are messages of others. What is being sent is left to its own answer.
    """
    there = Delivery.objects.filter(Among("message_id", codes)).exclude(state=State.SENDING)
    notice_ids = set(there.values_list("notice_id", flat=True))
    if not notice_ids:
        return 0
    try:
        return _record_removals(codes, there, notice_ids, now)
    except DATA_ERRORS:
        log.exception("what was removed cannot be written: each is tried by itself")
        if len(codes) == 1:
            return 0
        return sum(record_removals({pk: code}, now) for pk, code in codes.items())


def _record_removals(
    codes: Mapping[int, int], there: QuerySet[Delivery], notice_ids: set[int], now: datetime
) -> int:
    with transaction.atomic():
        locked = lock_notices(notice_ids)
        found = _read("id", list(there.values_list("pk", flat=True)))
        changed = [
            (one, changes)
            for one in found
            if one.message_id and (changes := outcomes.removed(one, codes[one.message_id], now))
        ]
        _write(changed, now)
        statuses.refresh(locked, now)
    return len(changed)


def take_over(now: datetime, shards: Shards, *, but: Collection[int] = ()) -> int:
    """What another bot held when it ended is ours; of its creates nobody knows the outcome.

    `but` are the claims of what is really under way.
    """
    but_these, claims = among("claim", but)
    held = fetch(
        "SELECT id, notice_id FROM notices_delivery WHERE state = 'sending' "  # noqa: S608
        f"AND {shards.condition()} AND NOT ({but_these})",
        [claims],
    )
    if not held:
        return 0
    ids = [pk for pk, _notice in held]
    with transaction.atomic():
        locked = lock_notices(notice_id for _pk, notice_id in held)
        Delivery.objects.filter(Among("pk", ids), state=State.SENDING).update(
            state=Case(
                When(unknown_since__isnull=False, shown=None, then=Value(State.UNKNOWN)),
                default=Value(State.WAITING),
            ),
            due_at=now, claim=None, changed_at=now,
        )  # fmt: skip
        lost = Attempt.objects.filter(Among("delivery", ids), ended_at=None)
        counts = tallies.of_lost(lost.values_list("action", flat=True))
        lost.update(
            ended_at=now,
            outcome=Attempt.Outcome.UNKNOWN,
            detail="the bot stopped before the answer",
        )
        statuses.refresh(locked, now)
        tallies.add(counts)
    return len(ids)


def end_pauses(now: datetime, since: datetime) -> int:
    """Discord answers again: what failed since then need not sit out its pause."""
    paused = Delivery.objects.filter(tries=0)
    with transaction.atomic():
        ended = _end_pauses_of(paused, now, since)
        Pause.objects.filter(channel_id=Pause.EVERYTHING).delete()
        tallies.add(tallies.of_pause(now - since))
    wake()
    return ended


def end_rest(
    channel_ids: Collection[int], guild_id: int | None, now: datetime, since: datetime
) -> None:
    """These channels answer again: what waits there goes at once, and no mark is left."""
    places = Q(pk__in=channel_ids) | (Q(guild_id=guild_id) if guild_id else Q())
    with transaction.atomic():
        _end_pauses_of(Delivery.objects.filter(channel__in=channel_ids), now, since)
        Pause.objects.filter(channel_id__in=channel_ids, is_named=False).delete()
        Channel.objects.filter(places, refused_at__isnull=False).update(
            refused_at=None, refused_code=None
        )
    wake()


def _end_pauses_of(deliveries: QuerySet[Delivery], now: datetime, since: datetime) -> int:
    """What failed for now is due, and why it failed is no news any more.

    It goes before what came after it. What Discord itself has asked to wait goes on waiting.
    """
    paused = (
        deliveries.filter(due_at__gt=now, setbacks__gt=0)
        .filter(Q(state=State.WAITING) | Q(state=State.UNKNOWN, wanted__isnull=False))
        .exclude(error_code__in=codes.LIMITS)
    )
    rows = paused.order_by("due_at").values_list("pk", "notice")  # not by id: that is a scan
    found = [
        row for is_create in (True, False) for row in rows.filter(message_id__isnull=is_create)
    ]
    lock_notices(notice_id for _pk, notice_id in found)
    # One that has used up its tries is looked for, and then fails for the reason that it has.
    is_known = Q(tries__gt=0)
    return paused.filter(Among("pk", [pk for pk, _notice in found])).update(
        due_at=min(since, now),
        error_code=Case(When(is_known, then=F("error_code")), default=None),
        error_detail=Case(When(is_known, then=F("error_detail")), default=Value("")),
    )


def note_pauses(
    channel_ids: Collection[int], until: datetime, *, of_creates: bool = True, is_named: bool = True
) -> None:
    """Leave these channels alone until then, whoever is the bot; only a longer pause is news."""
    with transaction.atomic():
        mine = Pause.objects.filter(channel_id__in=channel_ids, of_creates=of_creates)
        known = set(mine.values_list("channel_id", flat=True))
        mine.filter(until__lt=until).update(until=until, is_named=is_named)
        Pause.objects.bulk_create(
            [
                Pause(channel_id=pk, of_creates=of_creates, is_named=is_named, until=until)
                for pk in channel_ids
                if pk not in known
            ],
            ignore_conflicts=True,
        )


def pauses(now: datetime, shards: Shards) -> list[Pause]:
    """Those that are not over, for all or for channels of ours; the others are forgotten."""
    Pause.objects.filter(until__lte=now).delete()
    ours = fetch(
        f"SELECT id FROM notices_pause WHERE channel_id = {Pause.EVERYTHING} "  # noqa: S608
        f"OR {shards.condition()}",
        [],
    )
    return list(Pause.objects.filter(pk__in=[pk for (pk,) in ours]).order_by("id"))


def guild_of(channel_id: int) -> int | None:
    return Channel.objects.filter(pk=channel_id).values_list("guild_id", flat=True).first()


def channels_of(guild_id: int) -> list[int]:
    return list(Channel.objects.filter(guild_id=guild_id).values_list("pk", flat=True))


def end_timeouts(guild_id: int, now: datetime) -> int:
    """The bot is timed out in the guild no more: what waited for that is due."""
    waiting = Delivery.objects.filter(
        error_code=ErrorCode.TIMED_OUT, due_at__gt=now, channel__guild_id=guild_id
    )
    rows = waiting.order_by("due_at").values_list("pk", "notice")
    found = [row for create in (True, False) for row in rows.filter(message_id__isnull=create)]
    with transaction.atomic():
        lock_notices(notice_id for _pk, notice_id in found)
        ended = waiting.filter(Among("pk", [pk for pk, _notice in found])).update(due_at=now)
    wake()
    return ended


def known_timeouts(now: datetime) -> dict[int, datetime]:
    """By channel, until when the bot is timed out there for all that was written."""
    timed_out = Channel.objects.filter(timed_out_until__gt=now)
    return dict(timed_out.values_list("pk", "timed_out_until"))  # type: ignore[arg-type]


def recent_requests(since: datetime) -> list[tuple[int, datetime]]:
    """(channel id, begun) of the requests of the last seconds: what the limits still remember."""
    recent = Attempt.objects.filter(begun_at__gte=since).order_by("begun_at")
    return list(recent.values_list("delivery__channel_id", "begun_at"))


def _pick(now: datetime, limit: int, busy: Resting, shards: Shards) -> list[_Due]:
    """What goes next: one a channel, creates before changes."""
    picked: dict[int, _Due] = {}
    hidden = True
    while hidden and len(picked) < limit:
        without = Resting([*busy.creates, *picked], [*busy.changes, *picked])
        rows = _first_due(now, limit * 4, without, shards)
        for pk, channel_id, notice_id, _kind in rows:
            picked.setdefault(channel_id, _Due(pk, notice_id))
        # A few channels with long queues must not hide the others.
        hidden = max(Counter(kind for *_row, kind in rows).values(), default=0) == limit * 4
    return list(picked.values())[:limit]


def _first_due(
    now: datetime, limit: int, without: Resting, shards: Shards
) -> list[tuple[int, int, int, int]]:
    """Up to `limit` of each kind: id, channel, notice, kind."""
    among_these, creates = among("channel_id", without.creates)
    _condition, changes = among("channel_id", without.changes)
    condition = f"due_at <= %s AND NOT ({among_these}) AND {shards.condition()}"
    rows: list[Any] = fetch(
        f"SELECT id, channel_id, notice_id, kind FROM ({_first_of_each_kind(condition)}) AS first "  # noqa: S608
        "ORDER BY kind, due_at, id",
        [moment(now), creates, limit, moment(now), changes, limit],
    )
    return rows


def lock_notices(notice_ids: Iterable[int]) -> Locked:
    """The lock that whoever writes a delivery holds. Notices that are gone are left out."""
    condition, ids = among("id", set(notice_ids))
    rows = read(HeldNotice, Notice, f"WHERE {condition} ORDER BY id {_for_update()}", [ids])
    return {notice.id: notice for notice in rows}


def _hold(ids: Collection[int], locked: Locked) -> dict[int, HeldDelivery]:
    """The deliveries as nobody else can write them any more, each with its notice."""
    held = {delivery.id: delivery for delivery in _read("id", ids) if delivery.notice_id in locked}
    for delivery in held.values():
        delivery.notice = locked[delivery.notice_id]
    return held


# --- how requests ended --------------------------------------------------------------------


def _record(
    results: Collection[Outcome], held: Mapping[int, HeldDelivery]
) -> tuple[list[Changed], Counter[tallies.Key]]:
    """Returns what changes, and what there is to count."""
    if not results:
        return [], Counter()
    changed: list[Changed] = []
    delays = []
    max_tries = settings.MAX_SEND_RETRIES
    for result in results:
        delivery = held.get(result.request.delivery_id)
        if delivery is None or delivery.claim != result.request.claim:
            continue  # somebody else has settled it meanwhile
        changes = outcomes.settle(delivery, result, max_tries=max_tries)
        changed.append((delivery, changes))
        if delivery.shown is None and changes.get("shown") is not None:
            delays.append((result.ended_at - _began(delivery.notice)).total_seconds())
    ended = update_and_tell(
        Attempt,
        ["delivery", "claim"],
        ["ended_at", "outcome", "code", "detail"],
        [
            (r.request.delivery_id, r.request.claim, r.ended_at, r.kind, r.code, r.detail)
            for r in results
        ],
        where="ended_at IS NULL",
    )
    _mark_channels(results)
    # What a takeover, or a commit whose answer was lost, has counted is not counted again.
    new = set(ended)
    counted = [r for r in results if (r.request.delivery_id, r.request.claim) in new]
    return changed, tallies.of_outcomes(counted, delays)


def _began(notice: HeldNotice) -> datetime:
    """The moment from which it is to be shown."""
    return max(notice.publish_at or notice.changed_at, notice.changed_at)


def _mark_channels(results: Collection[Outcome]) -> None:
    """A channel that refuses us is marked for the reader; no mark outlives a message that is shown.

    What the bot may do in one that was taken for gone is not known until the gateway tells.
    """
    for result in results:
        is_refused = result.kind == Attempt.Outcome.REFUSED
        if is_refused and codes.about(result.code or 0) is codes.About.CHANNEL:
            Channel.objects.filter(pk=result.request.channel_id).update(
                refused_at=result.ended_at, refused_code=result.code
            )
    if shown := [r.request.channel_id for r in results if r.kind == Attempt.Outcome.SHOWN]:
        condition, ids = among("id", shown)
        execute(
            "UPDATE notices_channel SET refused_at = NULL, refused_code = NULL, "  # noqa: S608
            "permissions = CASE WHEN gone_at IS NULL THEN permissions END, gone_at = NULL "
            f"WHERE {condition} AND (refused_at IS NOT NULL OR gone_at IS NOT NULL)",
            [ids],
        )


# --- the claim -----------------------------------------------------------------------------


def _claim(
    deliveries: list[HeldDelivery], now: datetime, window: timedelta
) -> tuple[list[Changed], list[Request]]:
    """Returns what changes, and the requests to make."""
    token = secrets.randbits(62)
    max_tries = settings.MAX_SEND_RETRIES
    changed: list[Changed] = []
    requests = []
    studies = _studies({delivery.notice.study_id for delivery in deliveries})
    for delivery in deliveries:
        if delivery.due_at is None or delivery.due_at > now:
            continue  # somebody was faster
        if delivery.notice.fanned_out_revision < delivery.notice.revision:
            continue  # the leader has changed it: what she wants now is fanned out first
        if outcomes.expired(delivery, now):
            changed.append((delivery, _EXPIRED))
            continue
        if barred := outcomes.barred(delivery, now, max_tries=max_tries):
            changed.append((delivery, barred))
            continue
        action = outcomes.next_action(delivery, now, window, max_tries=max_tries)
        try:
            delivery.notice.study = studies[delivery.notice.study_id]
            requests.append(_request(delivery, action, token))
        except DATA_ERRORS as error:
            log.exception("delivery %s: no message can be made of its notice", delivery.id)
            changed.append((delivery, _failed(error, now)))
            continue
        changes = {
            "state": State.SENDING, "claim": token, "due_at": now + LEASE,
            "unknown_since": _unknown_from(delivery, action, now),
        }  # fmt: skip
        changed.append((delivery, changes))
    return changed, requests


def _studies(ids: Collection[int]) -> dict[int, HeldStudy]:
    if not ids:
        return {}
    condition, listed = among("id", ids)
    return {study.id: study for study in read(HeldStudy, Study, f"WHERE {condition}", [listed])}


def _stamp(requests: list[Request], now: datetime) -> None:
    """The attempts, before any request goes out."""
    insert_each(
        Attempt,
        ["delivery", "action", "revision", "nonce", "claim", "begun_at", "detail"],
        [(r.delivery_id, r.action, r.revision, r.nonce, r.claim, now, "") for r in requests],
    )


def _unknown_from(delivery: HeldDelivery, action: str, now: datetime) -> datetime | None:
    """From when nobody knows whether it is shown: until the answer, if that comes."""
    if action in outcomes.BLIND_ACTIONS and delivery.unknown_since is None:
        return now
    return delivery.unknown_since


def _revision(delivery: HeldDelivery, action: str) -> int | None:
    return delivery.notice.revision if action in (Action.CREATE, Action.EDIT) else None


def _request(delivery: HeldDelivery, action: str, token: int) -> Request:
    payload = None
    if action == Action.CREATE:
        payload = embeds.message(delivery)
    elif action == Action.EDIT:
        payload = embeds.edited_message(delivery)
    return Request(
        delivery_id=delivery.id, notice_id=delivery.notice_id, claim=token, action=action,
        channel_id=delivery.channel_id, nonce=delivery.nonce, message_id=delivery.message_id,
        revision=_revision(delivery, action), payload=payload,
        unknown_since=delivery.unknown_since, attachments=delivery.notice.attachments,
        brings_files=bool(payload and payload.get("attachments")),
    )  # fmt: skip
