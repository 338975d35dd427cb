"""Keeps the queue of messages to frontends: which endpoints are next, and how each ended.

A lease keeps two workers from one endpoint, so that its messages go in the order of the events.
After a failure the endpoint rests, and the message is due again later, with growing pauses, for a
day.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django_q.tasks import async_task

from notices.broker import kept_broker
from notices.callbacks import http
from notices.callbacks.http import EndpointResponse
from notices.models import CallbackEndpoint, CallbackMessage
from notices.retry import pause_seconds

log = logging.getLogger(__name__)

SCHEDULE_NAME = "callbacks"
TASK = "notices.tasks.send_callbacks"
# A message is tried about twenty times in its day.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10.0, 3 * 3600.0
# The messages to one endpoint that are sent before their answers are written.
BATCH = 20
# Longer than a slice, so that it ends only if its worker died.
LEASE = timedelta(seconds=45)
SLOW_SECONDS = 1.0
# These limits keep a slow frontend from taking all lanes.
MOST_LANES, MOST_LANES_TO_A_HOST, MOST_LANES_OF_A_KEY = 100, 10, 3
GONE = 410

State = CallbackMessage.State


def schedule() -> None:
    """Send what is due once this transaction commits, with one task for the whole transaction."""
    if _enqueue not in [entry[1] for entry in connection.run_on_commit]:
        transaction.on_commit(_enqueue)


def _enqueue() -> None:
    try:
        async_task(TASK, group=SCHEDULE_NAME, broker=kept_broker())
    except Exception:
        # The messages are written, so the next sweep finds them.
        log.exception("callbacks: the queue did not take the task; they wait for the sweep")


@dataclass
class Lane:
    """The messages to one endpoint, in their order, and how far they have come."""

    endpoint: CallbackEndpoint
    messages: list[CallbackMessage]
    answers: list[tuple[CallbackMessage, EndpointResponse]] = field(default_factory=list)
    not_told: list[tuple[CallbackMessage, str]] = field(default_factory=list)
    seconds: float = 0
    """The seconds of its slowest request."""


def take(
    now: datetime, busy: Collection[CallbackEndpoint] = (), time_left: float = inf
) -> list[Lane]:
    """Lease the endpoints with due messages that are free.

    It is called often in one slice, to find what another worker left because we held the lease.
    """
    due = CallbackMessage.objects.due(now)
    waiting = _not_resting(now).filter(Exists(due.filter(endpoint=OuterRef("pk"))))
    if time_left < inf:
        waiting = waiting.filter(seconds__lte=time_left)
    room = LaneLimits(busy)
    lanes = []
    for endpoint in waiting.order_by("seconds", "id"):
        if room.has_place_for(endpoint) and _lease(endpoint, now):
            room.take(endpoint)
            lanes.append(Lane(endpoint, list(due.filter(endpoint=endpoint)[:BATCH])))
    return lanes


def is_any_left(now: datetime) -> bool:
    """Return whether anything is left, such as an endpoint too slow for this slice."""
    due = CallbackMessage.objects.due(now).filter(endpoint=OuterRef("pk"))
    return _not_resting(now).filter(Exists(due)).exists()


def _lease(endpoint: CallbackEndpoint, now: datetime) -> bool:
    """Take the endpoint; return False if another worker was faster."""
    return bool(_not_resting(now).filter(pk=endpoint.pk).update(rests_until=now + LEASE))


def _not_resting(now: datetime) -> QuerySet[CallbackEndpoint]:
    return CallbackEndpoint.objects.filter(Q(rests_until=None) | Q(rests_until__lte=now))


class LaneLimits:
    """Counts the open lanes: in all, to one host and of one key. Slow ones get half of each."""

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
        host = http.host_of(endpoint.url)
        bounds = {"all": MOST_LANES, f"host {host}": MOST_LANES_TO_A_HOST}
        if endpoint.seconds >= SLOW_SECONDS:
            bounds |= {f"slow, {name}": most // 2 for name, most in bounds.items()}
        if endpoint.key_id is not None:
            bounds[f"key {endpoint.key_id}"] = MOST_LANES_OF_A_KEY
        return bounds


def record(lane: Lane, now: datetime) -> None:
    with transaction.atomic():
        for message, answer in lane.answers:
            _record_one(message, answer, now)
        for message, why in lane.not_told:
            _record_not_told(message, why, now)
        last = lane.answers[-1][1] if lane.answers else None
        mine = CallbackEndpoint.objects.filter(pk=lane.endpoint.pk)
        if last is None or last.is_success:
            changes = {"setbacks": 0} if last else {}
            mine.update(rests_until=None, seconds=lane.seconds, **changes)
            return
        setbacks = lane.endpoint.setbacks + 1 if len(lane.answers) == 1 else 1
        rests_until = now + timedelta(seconds=pause_seconds(setbacks))
        mine.update(rests_until=rests_until, setbacks=min(setbacks, 1000), seconds=lane.seconds)
        if last.code == GONE:
            mine.update(active=False)


def _record_one(message: CallbackMessage, answer: EndpointResponse, now: datetime) -> None:
    tries = message.tries + 1
    pause = pause_seconds(tries, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
    again_at = now + timedelta(seconds=pause)
    is_over = answer.is_final or again_at > message.expires_at
    state = State.DELIVERED if answer.is_success else State.FAILED if is_over else State.WAITING
    CallbackMessage.objects.filter(pk=message.pk, state=State.WAITING).update(
        state=state,
        due_at=again_at if state == State.WAITING else None,
        ended_at=None if state == State.WAITING else now,
        tries=F("tries") + 1,
        code=answer.code,
        error=answer.error,
    )
    log.log(
        logging.INFO if answer.is_success else logging.WARNING,
        "callback %s: %s after %s tries: %s",
        message.message_id, state, tries, answer.code or answer.error,
    )  # fmt: skip


def _record_not_told(message: CallbackMessage, why: str, now: datetime) -> None:
    CallbackMessage.objects.filter(pk=message.pk, state=State.WAITING).update(
        state=State.FAILED, due_at=None, ended_at=now, error=f"not told: {why}"
    )
    log.warning("callback %s: not told: %s", message.message_id, why)
