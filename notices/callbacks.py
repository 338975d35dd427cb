"""Frontends are told what becomes of notices: each event is a row until its endpoint has taken it.

The row is written in the transaction that changes the notice, so that no event is lost. It goes
out from qcluster: at once by a task, and by a sweep each minute for what is left. One worker at a
time is at an endpoint, and sends in the order of the events; where one fails, the endpoint rests
for a while. What fails is due again later, with growing pauses, for a day. Whoever is slow makes
nobody else wait, and who has lost the right to know is told nothing more, whatever is waiting.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

import orjson
from aiohttp import ClientSession
from aiohttp.abc import AbstractResolver
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.dispatch import receiver
from django.utils import timezone
from django_q.tasks import async_task

from notices import callback_http
from notices.broker import kept_broker
from notices.callback_http import Answer, Envelope
from notices.models import (
    CallbackEndpoint,
    CallbackEndpointQuerySet,
    CallbackMessage,
    Delivery,
    Notice,
    notice_saved,
)
from notices.retry import pause_seconds

log = logging.getLogger(__name__)

SCHEDULE_NAME = "callbacks"
TASK = "notices.tasks.send_callbacks"
# Of a message: with these, about twenty tries in its day.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 3 * 3600.0
# As many as go to one endpoint before what became of them is written down.
BATCH = 20
# One worker may be all that there is: after so long it lets other tasks pass.
SLICE_SECONDS = 15.0
# Then it ends, whatever is under way: that is sent once more, with its id.
GRACE_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.2
# Longer than a slice: a worker that died has kept it for so long.
LEASE = timedelta(seconds=45)
SLOW_SECONDS = 1.0
# Whoever is slow fills its own places, and leaves the others theirs.
MOST_LANES, MOST_LANES_TO_A_HOST, MOST_LANES_OF_A_KEY = 100, 10, 3
GONE = 410

Type = CallbackMessage.Type
State = CallbackMessage.State
Status = Notice.Status

_EVENTS: Mapping[str, str] = {
    Status.QUEUED: Type.QUEUED,
    Status.SENT: Type.SENT,
    Status.PARTLY_SENT: Type.FAILED,
    Status.FAILED: Type.FAILED,
    Status.WITHDRAWN: Type.WITHDRAWN,
}
_NOT_PUBLISHED = (Status.DRAFT, Status.SCHEDULED)


# --- telling -------------------------------------------------------------------------------


@receiver(notice_saved)
def tell_of_save(notice: Notice, before: tuple[str, int] | None, **_kwargs: Any) -> None:
    """What the leader did. What becomes of it is told of from the deliveries."""
    status, revision = before or (Status.DRAFT, notice.revision)
    if status in _NOT_PUBLISHED and notice.status == Status.QUEUED:
        _write({notice.pk: Type.QUEUED}, timezone.now())
    elif notice.revision > revision and notice.status not in _NOT_PUBLISHED:
        _write({notice.pk: Type.EDITED}, timezone.now())


def tell_of_statuses(changed: Mapping[int, str], now: datetime) -> None:
    """The statuses, by notice, that the caller's transaction has just written."""
    events = {pk: _EVENTS[status] for pk, status in changed.items() if status in _EVENTS}
    # What was scheduled is published, without a write, when its hour strikes: this is the first.
    begun = [pk for pk, status in changed.items() if status == Status.SENDING]
    if begun:
        tried = ~Q(state__in=[Delivery.State.WAITING, Delivery.State.SENDING]) | Q(
            shown__isnull=False
        )
        settled = Delivery.objects.filter(tried, notice__in=begun)
        seen = set(settled.values_list("notice_id", flat=True))
        events |= {pk: Type.QUEUED for pk in begun if pk not in seen}
    _write(events, now)


def _write(events: Mapping[int, str], now: datetime) -> None:
    """A message of each event for whoever listens to it."""
    if not events:
        return
    notices = Notice.objects.filter(pk__in=events)
    studies = set(notices.order_by().values_list("study_id", flat=True))
    endpoints = list(CallbackEndpoint.objects.with_rights(studies).filter(active=True))
    if not endpoints:
        return
    messages = []
    for notice in notices.prefetch_related("deliveries__channel").order_by("id"):
        kind = events[notice.pk]
        payload = _payload(notice, kind, now)
        messages += [
            CallbackMessage(
                endpoint=endpoint, notice=notice, type=kind, payload=payload, created_at=now,
                due_at=now, expires_at=now + CallbackMessage.GIVEN_UP_AFTER,
            )
            for endpoint in endpoints
            if kind in endpoint.events and not endpoint.silence(notice.study_id)
        ]  # fmt: skip
    if messages:
        # That a notice was published is told once, by whoever comes first.
        CallbackMessage.objects.bulk_create(messages, ignore_conflicts=True)
        schedule()


def _payload(notice: Notice, kind: str, now: datetime) -> str:
    """The state in this transaction; whoever wants all of the notice asks for it by its id."""
    data = {
        "id": notice.pk,
        "study_id": notice.study_id,
        "title": notice.title,
        "status": notice.status,
        "revision": notice.revision,
        "publish_at": _utc(notice.publish_at),
        "withdrawn_at": _utc(notice.withdrawn_at),
        "deliveries": [
            {
                "channel_id": str(delivery.channel_id),
                "state": delivery.state,
                "shown": delivery.shown,
                "message_url": delivery.message_url,
                "error_code": delivery.error_code,
            }
            for delivery in notice.deliveries.all()
        ],
    }
    return orjson.dumps({"type": kind, "timestamp": _utc(now), "data": data}).decode()


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)


# --- sending -------------------------------------------------------------------------------


@dataclass
class Lane:
    """What goes to one endpoint, in its order, and how far it has come."""

    endpoint: CallbackEndpoint
    messages: list[CallbackMessage]
    answers: list[tuple[CallbackMessage, Answer]] = field(default_factory=list)
    silenced: list[tuple[CallbackMessage, str]] = field(default_factory=list)
    seconds: float = 0
    """The longest of its requests."""


def schedule() -> None:
    """Have what is due sent, once this transaction commits, and once for all that it wrote."""
    if _enqueue not in [entry[1] for entry in connection.run_on_commit]:
        transaction.on_commit(_enqueue)


def _enqueue() -> None:
    try:
        async_task(TASK, group=SCHEDULE_NAME, broker=kept_broker())
    except Exception:
        # The messages are written, and the next sweep finds them.
        log.exception("callbacks: the queue did not take the task; they wait for the sweep")


def send_due(seconds: float = SLICE_SECONDS, resolver: AbstractResolver | None = None) -> bool:
    """Send what is due, for about so long. Returns whether nothing is left over."""
    return async_to_sync(_send_due)(time.monotonic() + seconds, resolver)


async def _send_due(deadline: float, resolver: AbstractResolver | None) -> bool:
    """Each lane by itself: while one waits for its answer, what comes due for others begins."""
    under_way: dict[asyncio.Task[None], Lane] = {}
    time_left = inf  # so that the slowest is begun at least here
    async with callback_http.session(resolver) as session:
        while time_left > -GRACE_SECONDS:
            if time_left > 0:
                for lane in await _take_meanwhile(under_way.values(), time_left):
                    task = asyncio.create_task(_send_lane(session, lane, deadline))
                    under_way[task] = lane
            if not under_way:
                return not await sync_to_async(_is_any_left)(timezone.now())
            done, _others = await asyncio.wait(
                under_way, timeout=LOOK_EVERY_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                await _record_meanwhile(under_way.pop(task), task)
            time_left = deadline - time.monotonic()
        if under_way:
            await _cut_off(under_way)
    return False


async def _cut_off(under_way: dict[asyncio.Task[None], Lane]) -> None:
    """Other tasks have waited for this worker for long enough."""
    for task in under_way:
        task.cancel()
    await asyncio.wait(under_way)
    for task, lane in under_way.items():
        lane.seconds = callback_http.TIMEOUT.total or inf
        await _record_meanwhile(lane, task)


async def _take_meanwhile(under_way: Collection[Lane], time_left: float) -> list[Lane]:
    busy = [lane.endpoint for lane in under_way]
    return await sync_to_async(_take)(timezone.now(), busy, time_left)


async def _record_meanwhile(lane: Lane, task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        # The lease runs out, and it is taken up again.
        log.error("callback %s: sending broke off", lane.endpoint.pk, exc_info=error)
        return
    await sync_to_async(_record)(lane, timezone.now())


def _take(
    now: datetime, busy: Collection[CallbackEndpoint] = (), time_left: float = inf
) -> list[Lane]:
    """The endpoints that are ours for now, with what is due. Looked for anew all the time, so that
    what another worker left alone because we were at it is found."""
    due = CallbackMessage.objects.due(now)
    waiting = _awake(now).filter(Exists(due.filter(endpoint=OuterRef("pk"))))
    if time_left < inf:
        waiting = waiting.filter(seconds__lte=time_left)
    room = Room(busy)
    lanes = []
    for endpoint in waiting.order_by("seconds", "id"):
        if room.has_place_for(endpoint) and _lease(endpoint, now):
            room.take(endpoint)
            lanes.append(Lane(endpoint, list(due.filter(endpoint=endpoint)[:BATCH])))
    return lanes


def _is_any_left(now: datetime) -> bool:
    """Such as one that was slow, for which this slice had no time any more."""
    due = CallbackMessage.objects.due(now).filter(endpoint=OuterRef("pk"))
    return _awake(now).filter(Exists(due)).exists()


def _lease(endpoint: CallbackEndpoint, now: datetime) -> bool:
    """Whether no other worker was faster."""
    return bool(_awake(now).filter(pk=endpoint.pk).update(rests_until=now + LEASE))


class Room:
    """How many lanes may be open at once: of one key, to one host, and of all. Those that were
    slow take half of it at most, however many they are."""

    def __init__(self, busy: Iterable[CallbackEndpoint]) -> None:
        self._taken: Counter[str] = Counter()
        for endpoint in busy:
            self.take(endpoint)

    def has_place_for(self, endpoint: CallbackEndpoint) -> bool:
        return all(self._taken[name] < most for name, most in self._bounds(endpoint).items())

    def take(self, endpoint: CallbackEndpoint) -> None:
        self._taken.update(self._bounds(endpoint).keys())

    @staticmethod
    def _bounds(endpoint: CallbackEndpoint) -> dict[str, int]:
        host = callback_http.host_of(endpoint.url)
        bounds = {"all": MOST_LANES, f"host {host}": MOST_LANES_TO_A_HOST}
        if endpoint.seconds >= SLOW_SECONDS:
            bounds |= {f"slow, {name}": most // 2 for name, most in bounds.items()}
        if endpoint.key_id is not None:
            bounds[f"key {endpoint.key_id}"] = MOST_LANES_OF_A_KEY
        return bounds


def _awake(now: datetime) -> CallbackEndpointQuerySet:
    return CallbackEndpoint.objects.filter(Q(rests_until=None) | Q(rests_until__lte=now))


async def _send_lane(session: ClientSession, lane: Lane, deadline: float) -> None:
    """It ends with its messages, with a failure, or for want of time."""
    for message in lane.messages:
        begun = time.monotonic()
        if lane.answers and begun + lane.seconds > deadline:
            return
        ready = await sync_to_async(_ready)(message)
        if isinstance(ready, str):
            lane.silenced.append((message, ready))
            continue
        answer = await callback_http.post(session, ready)
        lane.answers.append((message, answer))
        lane.seconds = max(lane.seconds, time.monotonic() - begun)
        if not answer.is_taken:
            return


def _ready(message: CallbackMessage) -> Envelope | str:
    """The message to be sent at this moment, or why it may not be: rights may have been lost since
    it was written, and the notice may have moved."""
    notice = Notice.objects.only("study_id").filter(pk=message.notice_id).first()
    if notice is None:
        return "the notice is gone"
    studies = {orjson.loads(message.payload)["data"]["study_id"], notice.study_id}
    rows = CallbackEndpoint.objects.with_rights(studies)
    endpoint = rows.filter(pk=message.endpoint_id).first()
    if endpoint is None:
        return "the callback is gone"
    if why := next(filter(None, map(endpoint.silence, studies)), ""):
        return why
    return Envelope(endpoint.url, endpoint.secret, message.message_id, message.payload.encode())


def _record(lane: Lane, now: datetime) -> None:
    with transaction.atomic():
        for message, answer in lane.answers:
            _record_one(message, answer, now)
        for message, why in lane.silenced:
            _record_silence(message, why, now)
        last = lane.answers[-1][1] if lane.answers else None
        mine = CallbackEndpoint.objects.filter(pk=lane.endpoint.pk)
        if last is None or last.is_taken:
            changes = {"setbacks": 0} if last else {}
            mine.update(rests_until=None, seconds=lane.seconds, **changes)
            return
        setbacks = lane.endpoint.setbacks + 1 if len(lane.answers) == 1 else 1
        rests_until = now + timedelta(seconds=pause_seconds(setbacks))
        mine.update(rests_until=rests_until, setbacks=min(setbacks, 1000), seconds=lane.seconds)
        if last.code == GONE:
            mine.update(active=False)


def _record_one(message: CallbackMessage, answer: Answer, now: datetime) -> None:
    tries = message.tries + 1
    pause = pause_seconds(tries, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
    again_at = now + timedelta(seconds=pause)
    is_over = answer.is_final or again_at > message.expires_at
    state = State.DELIVERED if answer.is_taken else State.FAILED if is_over else State.WAITING
    CallbackMessage.objects.filter(pk=message.pk, state=State.WAITING).update(
        state=state,
        due_at=again_at if state == State.WAITING else None,
        ended_at=None if state == State.WAITING else now,
        tries=F("tries") + 1,
        code=answer.code,
        error=answer.error,
    )
    log.log(
        logging.INFO if answer.is_taken else logging.WARNING,
        "callback %s: %s after %s tries: %s",
        message.message_id, state, tries, answer.code or answer.error,
    )  # fmt: skip


def _record_silence(message: CallbackMessage, why: str, now: datetime) -> None:
    CallbackMessage.objects.filter(pk=message.pk, state=State.WAITING).update(
        state=State.FAILED, due_at=None, ended_at=now, error=f"not told: {why}"
    )
    log.warning("callback %s: not told: %s", message.message_id, why)
