"""Decides which events of notices become messages, and for which endpoints.

A message is written in the transaction that changes the notice, so that no event is lost. It is
sent later (`sending`), and kept until its endpoint has taken it (`queueing`).
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import orjson
from django.db.models import Q
from django.dispatch import receiver

from notices.callbacks.queueing import schedule
from notices.callbacks.rights import why_not_told, with_rights
from notices.models import CallbackEndpoint, CallbackMessage, Delivery, Notice, Study, notice_saved
from notices.moved import foreign_channels
from notices.outside import clock
from notices.sql import CompiledQuery

Type = CallbackMessage.Type
Status = Notice.Status
_EVENTS: Mapping[str, str] = {
    Status.QUEUED: Type.QUEUED,
    Status.SENT: Type.SENT,
    Status.PARTLY_SENT: Type.FAILED,
    Status.FAILED: Type.FAILED,
    Status.WITHDRAWN: Type.WITHDRAWN,
}
_NOT_PUBLISHED = (Status.DRAFT, Status.SCHEDULED)
# Every saved notice asks whether there is one.
_LISTENING = CompiledQuery(
    lambda: CallbackEndpoint.objects.filter(active=True).order_by().values_list("pk")[:1]
)


@receiver(notice_saved)
def tell_of_save(notice: Notice, before: tuple[str, int] | None, **_kwargs: object) -> None:
    """Tell what the leader did. What becomes of it is told from the deliveries."""
    status, revision = before or (Status.DRAFT, notice.revision)
    if status in _NOT_PUBLISHED and notice.status == Status.QUEUED:
        _write({notice.pk: Type.QUEUED}, clock.now())
    elif notice.revision > revision and notice.status not in _NOT_PUBLISHED:
        _write({notice.pk: Type.EDITED}, clock.now())


def tell_of_statuses(changed: Mapping[int, str], now: datetime) -> None:
    """Tell the statuses that the caller's transaction has written, by notice."""
    events = {pk: _EVENTS[status] for pk, status in changed.items() if status in _EVENTS}
    # A scheduled notice is published without a write. Its first status is the first sign of it.
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
    """Write a message of each event for each endpoint that listens to it."""
    if not events or not _LISTENING.fetch():
        return
    notices = Notice.objects.filter(pk__in=events)
    studies = set(notices.order_by().values_list("study_id", flat=True))
    endpoints = list(with_rights(studies).filter(active=True))
    messages = []
    told = list(notices.prefetch_related("deliveries__channel").order_by("id"))
    foreign = _foreign_channels(told)
    for notice in told:
        kind = events[notice.pk]
        payload = _payload(notice, kind, now, foreign.get(notice.pk, ()))
        messages += [
            CallbackMessage(
                endpoint=endpoint, notice=notice, type=kind, payload=payload, created_at=now,
                due_at=now, expires_at=now + CallbackMessage.GIVEN_UP_AFTER,
            )
            for endpoint in endpoints
            if kind in endpoint.events and not why_not_told(endpoint, notice.study_id)
        ]  # fmt: skip
    if messages:
        # A publication is told once, by whoever writes it first.
        CallbackMessage.objects.bulk_create(messages, ignore_conflicts=True)
        schedule()


def _foreign_channels(notices: Collection[Notice]) -> dict[int, set[int]]:
    """Return the channels to leave out: those that readers of the notice's study may not see."""
    found: dict[int, set[int]] = {}
    for study_id in {notice.study_id for notice in notices}:
        its = [notice for notice in notices if notice.study_id == study_id]
        found |= foreign_channels(its, Study.objects.filter(pk=study_id))
    return found


def _payload(notice: Notice, kind: str, now: datetime, foreign: Collection[int]) -> str:
    """Describe the notice as of this transaction. A frontend gets all of it by its id."""
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
            if delivery.channel_id not in foreign
        ],
    }
    return orjson.dumps({"type": kind, "timestamp": _utc(now), "data": data}).decode()


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)
