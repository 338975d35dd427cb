"""Prunes old history in short transactions, so that nobody waits for it.

It may run twice at once and be killed at any moment. As everywhere (`delivery/rows.py`), whoever
writes a delivery holds the lock of its notice's row, and locks notices in the order of their ids.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django_q.models import Task

from notices.delivery.rows import lock_notices
from notices.files.uploads import KEPT_UNUSED
from notices.models import (
    Attempt,
    BotInstance,
    CallbackMessage,
    Delivery,
    KeptAnswer,
    Notice,
    Submission,
    Upload,
)
from notices.outside import clock

log = logging.getLogger(__name__)

BATCH = 1000
# A notice may have hundreds of deliveries.
NOTICES_BATCH = 100
# An upload may have many megabytes.
UPLOADS_BATCH = 20
# While a worker prunes it fans nothing out, so the rest goes to the queue's end.
SLICE_SECONDS = 0.5
BOT_IS_DEAD_AFTER = timedelta(days=1)

SETTLED = (Delivery.State.SENT, Delivery.State.WITHDRAWN, Delivery.State.FAILED)
ENDED = (
    Notice.Status.SENT,
    Notice.Status.PARTLY_SENT,
    Notice.Status.FAILED,
    Notice.Status.WITHDRAWN,
)

SCHEDULE_NAME = "prune"
SCHEDULED_TASK = "notices.tasks.prune"


@dataclass
class Pruned:
    """Counts of deleted rows. `notices` are archived: they lost their deliveries."""

    notices: int = 0
    deliveries: int = 0
    attempts: int = 0
    tasks: int = 0
    bots: int = 0
    answers: int = 0
    callbacks: int = 0
    uploads: int = 0
    submissions: int = 0
    failed_logins: int = 0
    sessions: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in asdict(self).items())


def prune(now: datetime, seconds: float) -> bool:
    """Prune for about so many seconds; return whether nothing old is left."""
    gone, deadline = Pruned(), clock.monotonic() + seconds
    is_done = True
    for _batch in _batches(now, gone):
        if clock.monotonic() >= deadline:
            is_done = False
            break
    log.info("pruned: %s%s", gone, "" if is_done else "; more to follow")
    return is_done


def _batches(now: datetime, gone: Pruned) -> Iterator[None]:
    """Prune batch by batch; each step is a committed one."""
    gone.bots += BotInstance.objects.filter(heartbeat_at__lt=now - BOT_IS_DEAD_AFTER).delete()[0]
    yield from _prune_answers(now, gone)
    yield from _prune_submissions(now, gone)
    yield from _prune_failed_logins(now, gone)
    yield from _prune_sessions(now, gone)
    if settings.KEEP_DELIVERIES_DAYS:
        yield from _archive_notices(now - timedelta(days=settings.KEEP_DELIVERIES_DAYS), now, gone)
    if settings.KEEP_ATTEMPTS_DAYS:
        cutoff = now - timedelta(days=settings.KEEP_ATTEMPTS_DAYS)
        yield from _prune_attempts(cutoff, gone)
        yield from _prune_tasks(cutoff, gone)
        yield from _prune_callbacks(cutoff, gone)
    yield from _prune_uploads(now - KEPT_UNUSED, gone)


def _archive_notices(cutoff: datetime, now: datetime, gone: Pruned) -> Iterator[None]:
    """Delete the deliveries of notices that ended before `cutoff` in every channel."""
    oldest = _of_ended_notices(cutoff).order_by("changed_at").values_list("notice_id", flat=True)
    while ids := set(list(dict.fromkeys(oldest[:BATCH]))[:NOTICES_BATCH]):
        with transaction.atomic():
            lock_notices(ids)
            ended = _of_ended_notices(cutoff).filter(notice__in=ids)
            ids = set(ended.values_list("notice_id", flat=True))
            gone.attempts += Attempt.objects.filter(delivery__notice__in=ids).delete()[0]
            gone.deliveries += Delivery.objects.filter(notice__in=ids).delete()[0]
            # Its messages are not known any more, so its files are pruned with the unused uploads.
            Upload.notices.through.objects.filter(notice__in=ids).delete()
            gone.notices += Notice.objects.filter(pk__in=ids).update(archived_at=now)
        yield


def _of_ended_notices(cutoff: datetime) -> QuerySet[Delivery]:
    """Return the deliveries of notices with nothing left to do, decide or tell.

    The index delivery_settled serves this query.
    """
    others = Delivery.objects.filter(notice=OuterRef("notice"))
    # This is a subquery because SQLite would begin a join with every notice of such a status.
    ended = Notice.objects.filter(
        pk=OuterRef("notice"), status__in=ENDED, revision=F("fanned_out_revision")
    )
    return Delivery.objects.filter(
        ~Exists(others.exclude(state__in=SETTLED, changed_at__lt=cutoff)),
        Exists(ended),
        due_at=None,
        changed_at__lt=cutoff,
    )


def _prune_uploads(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """Delete unused uploads. A notice that is being saved has its files locked."""
    unused = Upload.objects.filter(uploaded_at__lt=cutoff).held_by_none().order_by("uploaded_at")
    while True:
        with transaction.atomic():
            locked = unused.select_for_update(skip_locked=True).values_list("pk", flat=True)
            ids = list(locked[:UPLOADS_BATCH])
            # This asks again, because a notice may have taken it while this waited.
            gone.uploads += Upload.objects.filter(pk__in=ids).held_by_none().delete()[0]
        if not ids:
            return
        yield


def _prune_attempts(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """Delete attempts that ended before `cutoff`, unless a request is due or a person decides."""
    old = Attempt.objects.filter(
        begun_at__lt=cutoff, ended_at__lt=cutoff, delivery__state__in=SETTLED
    )
    oldest = old.order_by("begun_at").values_list("pk", "delivery__notice_id")
    while batch := dict(oldest[:BATCH]):
        with transaction.atomic():
            lock_notices(batch.values())
            gone.attempts += old.filter(pk__in=batch).delete()[0]
        yield


def _prune_answers(now: datetime, gone: Pruned) -> Iterator[None]:
    """Delete answers kept for repeated requests."""
    old = KeptAnswer.objects.filter(begun_at__lte=now - KeptAnswer.KEPT)
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        gone.answers += KeptAnswer.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_submissions(now: datetime, gone: Pruned) -> Iterator[None]:
    """Delete submissions of pages that nobody goes back to any more."""
    old = Submission.objects.filter(submitted_at__lte=now - Submission.KEPT)
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        gone.submissions += Submission.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_failed_logins(now: datetime, gone: Pruned) -> Iterator[None]:
    """Delete axes' counts from before the longest lock-out."""
    old = AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME)
    while ids := list(old.order_by().values_list("pk", flat=True)[:BATCH]):
        gone.failed_logins += AccessAttempt.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_sessions(now: datetime, gone: Pruned) -> Iterator[None]:
    """Delete expired logins: Django's `clearsessions`, in batches."""
    old = Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)
    while ids := list(old[:BATCH]):
        gone.sessions += Session.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_tasks(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """Delete the failed tasks that django-q2 keeps (Q_CLUSTER's save_limit)."""
    old = Task.objects.filter(stopped__lt=cutoff).order_by().values_list("pk", flat=True)
    while ids := list(old[:BATCH]):
        gone.tasks += Task.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_callbacks(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """Delete old messages. One that still waits is for an endpoint long switched off."""
    old = CallbackMessage.objects.filter(created_at__lt=cutoff).order_by("created_at")
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        gone.callbacks += CallbackMessage.objects.filter(pk__in=ids).delete()[0]
        yield
