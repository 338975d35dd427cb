"""Frontends are told what becomes of notices: each event is a row until its endpoint has taken it.

The row is written in the transaction that changes the notice, so that no event is lost. It goes
out from qcluster: at once by a task, and by a sweep each minute for what is left. One worker at a
time is at an endpoint, and sends in the order of the events; where one fails, the endpoint rests
for a while. What fails is due again later, with growing pauses, for a day.
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson
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
# Longer than the sending of a batch can take: a worker that died has kept it for so long.
LEASE = timedelta(seconds=45)
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
    endpoints = list(CallbackEndpoint.objects.live().prefetch_related("studies")) if events else []
    if not endpoints:
        return
    notices = Notice.objects.filter(pk__in=events).prefetch_related("deliveries__channel")
    messages = []
    for notice in notices.order_by("id"):
        kind = events[notice.pk]
        payload = _payload(notice, kind, now)
        messages += [
            CallbackMessage(
                endpoint=endpoint, notice=notice, type=kind, payload=payload, created_at=now,
                due_at=now, expires_at=now + CallbackMessage.GIVEN_UP_AFTER,
            )
            for endpoint in endpoints
            if kind in endpoint.events and _is_of(endpoint, notice)
        ]  # fmt: skip
    if messages:
        # That a notice was published is told once, by whoever comes first.
        CallbackMessage.objects.bulk_create(messages, ignore_conflicts=True)
        schedule()


def _is_of(endpoint: CallbackEndpoint, notice: Notice) -> bool:
    return endpoint.all_studies or notice.study_id in {one.pk for one in endpoint.studies.all()}


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


class Lane(NamedTuple):
    """What goes to one endpoint, in its order."""

    endpoint: CallbackEndpoint
    messages: list[CallbackMessage]


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


def send_due(seconds: float = SLICE_SECONDS) -> bool:
    """Send what is due, for about so long. Returns whether nothing is left over."""
    deadline = time.monotonic() + seconds
    while lanes := _take(timezone.now()):
        envelopes = [[_envelope(lane.endpoint, one) for one in lane.messages] for lane in lanes]
        answers = asyncio.run(callback_http.send(envelopes))
        for lane, answered in zip(lanes, answers, strict=True):
            _record(lane, answered, timezone.now())
        if time.monotonic() >= deadline:
            return False
    return True


def _take(now: datetime) -> list[Lane]:
    """The endpoints that are ours for now, with what is due. Looked for anew after each batch, so
    that what another worker left alone because we were at it is found."""
    due = CallbackMessage.objects.due(now)
    waiting = _awake(now).filter(Exists(due.filter(endpoint=OuterRef("pk"))))
    return [
        Lane(endpoint, list(due.filter(endpoint=endpoint)[:BATCH]))
        for endpoint in waiting
        if _awake(now).filter(pk=endpoint.pk).update(rests_until=now + LEASE)
    ]


def _awake(now: datetime) -> CallbackEndpointQuerySet:
    rested = Q(rests_until=None) | Q(rests_until__lte=now)
    return CallbackEndpoint.objects.live().filter(rested)


def _envelope(endpoint: CallbackEndpoint, message: CallbackMessage) -> Envelope:
    return Envelope(endpoint.url, endpoint.secret, message.message_id, message.payload.encode())


def _record(lane: Lane, answers: list[Answer], now: datetime) -> None:
    """The lane has ended with its messages, with a failure, or for want of time."""
    with transaction.atomic():
        for message, answer in zip(lane.messages, answers, strict=False):
            _record_one(message, answer, now)
        failure = next((answer for answer in answers if not answer.is_taken), None)
        mine = CallbackEndpoint.objects.filter(pk=lane.endpoint.pk)
        if failure is None:
            mine.update(rests_until=None, setbacks=0)
            return
        setbacks = lane.endpoint.setbacks + 1 if len(answers) == 1 else 1
        rests_until = now + timedelta(seconds=pause_seconds(setbacks))
        mine.update(rests_until=rests_until, setbacks=min(setbacks, 1000))
        if failure.code == GONE:
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
