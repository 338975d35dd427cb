"""Quotas: how much one caller and one study may store.

Rows are counted under the lock of the caller or study, in the transaction that adds one, so that
concurrent requests cannot exceed the quota. The caller is locked before the study.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Count, Model, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from notices.models import Actor, ApiKey, CallbackEndpoint, KeptAnswer, Notice, Study, Upload
from notices.outside import clock

MEGABYTE = 1024 * 1024
A_DAY = timedelta(days=1)
# A key cannot delete its inactive endpoints, so they have a bound of their own.
ENDPOINTS_FOR_EACH_ACTIVE = 5
# A bound of one caller's concurrent requests.
MOST_AT_ONCE = 200
# Each process lets this share of the remaining ones pass uncounted, so that all stay in the quota.
PROCESSES_AT_MOST = 10
# Scheduled notices become due meanwhile, which makes the count out of date.
COUNT_LASTS_SECONDS = 60.0
STUDIES_REMEMBERED = 10_000
# By study: how many more notices may pass uncounted, and until when.
_LEFT: dict[int, tuple[int, float]] = {}


class ExceededError(ValidationError):
    """A quota is used up; the message names it and the remedy."""

    def __init__(self, told: str) -> None:
        super().__init__(told, code="quota")


def uploader(by: Actor) -> dict[str, Any]:
    return {"created_with" if isinstance(by, ApiKey) else "created_by": by}


def lock(row: Actor | Study) -> None:
    """Lock a row, but let rows that refer to it be written; SQLite has one writer anyway."""
    if isinstance(row, Model) and connection.features.has_select_for_update:
        # type(row) would not do: a request's user is a lazy object.
        row._meta.model._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()


def check_upload(by: Actor, size: int) -> None:
    """Check the quotas before a file is stored; a command (None) has no quota."""
    if by is None:
        return
    lately = Upload.objects.filter(uploaded_at__gt=clock.now() - A_DAY, **uploader(by))
    if lately.held_by_none().count() >= settings.UPLOADS_WAITING:
        raise ExceededError(
            _(
                "%(n)d files are waiting to be attached already: save the notice they are for, or "
                "try again tomorrow, when they are gone."
            )
            % {"n": settings.UPLOADS_WAITING}
        )
    if _bytes_of(lately) + size > settings.UPLOADS_MB_PER_DAY * MEGABYTE:
        raise ExceededError(
            _(
                "More than %(limit)d MB of files in a day are not taken from one key or account: "
                "try again tomorrow, or show the file by a link."
            )
            % {"limit": settings.UPLOADS_MB_PER_DAY}
        )


def check_attached(study: Study, more: Collection[Upload] = (), but: Notice | None = None) -> None:
    """Check the size of the study's attached files: with `more`, without those that `but` has."""
    lock(study)
    held = Upload.notices.through.objects.filter(notice__study=study)
    if but is not None:
        held = held.exclude(notice=but.pk)
    concerned = Q(pk__in=held.values("upload")) | Q(pk__in=[upload.pk for upload in more])
    if _bytes_of(Upload.objects.filter(concerned)) > settings.UPLOADS_MB_PER_STUDY * MEGABYTE:
        raise ExceededError(
            _(
                "The notices of %(study)s would have more than %(limit)d MB of files together: "
                "take some off old drafts, or show the file by a link."
            )
            % {"study": study, "limit": settings.UPLOADS_MB_PER_STUDY}
        )


def check_waiting(study: Study, key: ApiKey | None = None) -> None:
    """Check the quotas before one more notice is a draft or scheduled."""
    if key is not None:
        lock(key)
    lock(study)
    waiting = Notice.objects.waiting().order_by()
    most = settings.NOTICES_WAITING
    if len(waiting.filter(study=study).values("pk")[:most]) >= most:
        raise ExceededError(
            _(
                "%(study)s has %(limit)d drafts and scheduled notices already: publish some, or "
                "delete drafts on the desk."
            )
            % {"study": study, "limit": most}
        )
    if key is not None and len(waiting.filter(created_with=key).values("pk")[:most]) >= most:
        raise ExceededError(
            _(
                "This key has %(limit)d drafts and scheduled notices already: publish some, or "
                "have drafts deleted on the desk."
            )
            % {"limit": most}
        )


def check_queued(study_id: int) -> None:
    """Check how many notices are queued before one more is published."""
    if is_queue_short(study_id):
        return
    study = Study.objects.get(pk=study_id)
    lock(study)
    if _queued(study_id, settings.NOTICES_QUEUED) >= settings.NOTICES_QUEUED:
        raise ExceededError(
            _(
                "%(limit)d notices of %(study)s are on their way already: "
                "send this one when some of them are shown."
            )
            % {"study": study, "limit": settings.NOTICES_QUEUED}
        )


def is_queue_short(study_id: int) -> bool:
    """Return whether the queue is so far below the quota that no lock is needed.

    Counting takes longer the longer the queue is, so it is not repeated for each notice.
    """
    most = settings.NOTICES_QUEUED - MOST_AT_ONCE
    if most <= 0:
        return False
    left, until = _LEFT.get(study_id, (0, 0.0))
    if left and clock.monotonic() < until:
        _LEFT[study_id] = (left - 1, until)
        return True
    queued = _queued(study_id, most)
    if len(_LEFT) >= STUDIES_REMEMBERED:
        _LEFT.clear()
    until = clock.monotonic() + COUNT_LASTS_SECONDS
    _LEFT[study_id] = ((most - queued) // PROCESSES_AT_MOST, until)
    return queued < most


def _queued(study_id: int, most: int) -> int:
    """Count the study's queued notices, up to `most`."""
    queued = Notice.objects.filter(study=study_id, status__in=Notice.ON_ITS_WAY).order_by()
    return queued.values("pk")[:most].count()


def check_kept(caller: str, actor: Actor) -> None:
    """Check the quotas of kept answers; the row of the new one is counted already."""
    # Far below the quota no lock is needed.
    if not _keeps_more_than(settings.KEPT_ANSWERS - MOST_AT_ONCE, caller):
        return
    lock(actor)
    if _keeps_more_than(settings.KEPT_ANSWERS, caller):
        raise ExceededError(
            _(
                "%(limit)d answers, or %(megabytes)d MB of them, are kept for you already: send "
                "the request without Idempotency-Key, or tomorrow."
            )
            % {"limit": settings.KEPT_ANSWERS, "megabytes": settings.KEPT_ANSWERS_MB}
        )


def _keeps_more_than(most: int, caller: str) -> bool:
    since = clock.now() - KeptAnswer.KEPT
    kept = KeptAnswer.objects.filter(caller=caller, begun_at__gt=since).order_by()
    found = kept[: max(most, 0) + 1].aggregate(rows=Count("pk"), bytes=Sum("size"))
    return found["rows"] > most or (found["bytes"] or 0) > settings.KEPT_ANSWERS_MB * MEGABYTE


def check_callbacks(key: ApiKey | None, user: Actor, *, is_new: bool) -> None:
    """Check the quotas before one more endpoint is active, new or switched on again."""
    lock(key or user)
    most = settings.CALLBACKS_PER_KEY
    mine = CallbackEndpoint.objects.filter(key=key)
    if mine.filter(active=True).count() >= most:
        told = _("There are %(count)s active callbacks already; switch one off first.")
        raise ExceededError(told % {"count": most})
    if is_new and key is not None and mine.count() >= most * ENDPOINTS_FOR_EACH_ACTIVE:
        told = _("There are %(count)s callbacks already; change one of them instead.")
        raise ExceededError(told % {"count": most * ENDPOINTS_FOR_EACH_ACTIVE})


def _bytes_of(uploads: QuerySet[Upload]) -> int:
    total: int | None = uploads.order_by().aggregate(total=Sum("size"))["total"]
    return total or 0
