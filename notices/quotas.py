"""How much one caller and one study may keep here, counted under a lock.

Whoever counts holds the lock of the row whose rows are counted, in the transaction that writes:
of many at once none is one too many. Locked in this order: the caller, then the study.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from notices.models import Actor, ApiKey, CallbackEndpoint, KeptAnswer, Notice, Study, Upload

MEGABYTE = 1024 * 1024
A_DAY = timedelta(days=1)
# Switched off they tell nobody anything, and are not deleted.
ENDPOINTS_FOR_EACH_ACTIVE = 5
# Requests of one caller that may be under way.
MOST_AT_ONCE = 200


class ExceededError(ValidationError):
    """What there may be at most, and what to do."""

    def __init__(self, told: str) -> None:
        super().__init__(told, code="quota")


def uploader(by: Actor) -> dict[str, Any]:
    return {"created_with" if isinstance(by, ApiKey) else "created_by": by}


def lock(row: Any) -> None:
    """Rows that name it by a foreign key can still be written. (On SQLite we are alone.)"""
    if row is not None and connection.features.has_select_for_update:
        # Not its type: the one who is logged in is Django's lazy stand-in for a user.
        row._meta.model._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()


def check_upload(by: Actor, size: int) -> None:
    """Of a file that is not kept yet. A command, which is nobody, may keep what it likes."""
    if by is None:
        return
    lately = Upload.objects.filter(uploaded_at__gt=timezone.now() - A_DAY, **uploader(by))
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
    """Of what the study's notices hold, with `more` and without what one of them holds."""
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
    """Of one more notice that is a draft, or scheduled."""
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


def check_kept(caller: str, actor: Any) -> None:
    """Of an answer that is about to be kept, its row among those that are counted."""
    # Far from the limit nobody need wait for the lock.
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
    since = timezone.now() - KeptAnswer.KEPT
    kept = KeptAnswer.objects.filter(caller=caller, begun_at__gt=since).order_by()
    found = kept[: max(most, 0) + 1].aggregate(rows=Count("pk"), bytes=Sum("size"))
    return found["rows"] > most or (found["bytes"] or 0) > settings.KEPT_ANSWERS_MB * MEGABYTE


def check_callbacks(key: ApiKey | None, user: Any, *, is_new: bool) -> None:
    """Of one more that is active: a new one, or one that was switched off."""
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
