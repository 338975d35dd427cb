"""Old history goes, in batches: each a short transaction, so that nobody waits for it.

It may run twice at once and be killed at any moment. As everywhere (`ledger`), whoever writes a
delivery holds the lock of its notice's row, and locks notices in the order of their ids.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps as installed_apps
from django.conf import settings
from django.db import connections, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django_q.models import Task

from notices import ledger
from notices.models import Attempt, BotInstance, Delivery, DeliveryQuerySet, KeptAnswer, Notice

log = logging.getLogger(__name__)

BATCH = 1000
# Fewer, since each may have hundreds of deliveries.
NOTICES_BATCH = 100
# What is pruned meanwhile keeps a worker from fanning out: the rest goes to the queue's end.
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
# While most people sleep, in the installation's own time zone.
SCHEDULED_HOUR = 4
# PostgreSQL's advisory lock under which the schedule is looked for and made: any constant.
_SCHEDULE_LOCK = 5_276_851


@dataclass
class Pruned:
    """How many rows are gone; of notices, how many lost their deliveries and are archived."""

    notices: int = 0
    deliveries: int = 0
    attempts: int = 0
    tasks: int = 0
    bots: int = 0
    answers: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in asdict(self).items())


def prune(now: datetime, seconds: float) -> bool:
    """Prune for about so long. Returns whether all that is old enough is gone."""
    gone, deadline = Pruned(), time.monotonic() + seconds
    is_done = True
    for _batch in _batches(now, gone):
        if time.monotonic() >= deadline:
            is_done = False
            break
    log.info("pruned: %s%s", gone, "" if is_done else "; more to follow")
    return is_done


def _batches(now: datetime, gone: Pruned) -> Iterator[None]:
    """Each step is a batch that is committed."""
    gone.bots += BotInstance.objects.filter(heartbeat_at__lt=now - BOT_IS_DEAD_AFTER).delete()[0]
    yield from _prune_answers(now, gone)
    if settings.KEEP_DELIVERIES_DAYS:
        yield from _archive_notices(now - timedelta(days=settings.KEEP_DELIVERIES_DAYS), now, gone)
    if settings.KEEP_ATTEMPTS_DAYS:
        cutoff = now - timedelta(days=settings.KEEP_ATTEMPTS_DAYS)
        yield from _prune_attempts(cutoff, gone)
        yield from _prune_tasks(cutoff, gone)


def _archive_notices(cutoff: datetime, now: datetime, gone: Pruned) -> Iterator[None]:
    """The deliveries of notices that ended before `cutoff` in every channel."""
    oldest = _of_ended_notices(cutoff).order_by("changed_at").values_list("notice_id", flat=True)
    while ids := set(list(dict.fromkeys(oldest[:BATCH]))[:NOTICES_BATCH]):
        with transaction.atomic():
            ledger.lock_notices(ids)
            ended = _of_ended_notices(cutoff).filter(notice__in=ids)
            ids = set(ended.values_list("notice_id", flat=True))
            gone.attempts += Attempt.objects.filter(delivery__notice__in=ids).delete()[0]
            gone.deliveries += Delivery.objects.filter(notice__in=ids).delete()[0]
            gone.notices += Notice.objects.filter(pk__in=ids).update(archived_at=now)
        yield


def _of_ended_notices(cutoff: datetime) -> DeliveryQuerySet:
    """Only where nothing is left to do, to decide or to tell (index delivery_settled)."""
    others = Delivery.objects.filter(notice=OuterRef("notice"))
    # Asked row by row: of a join SQLite would begin with all that ever had such a status.
    ended = Notice.objects.filter(
        pk=OuterRef("notice"), status__in=ENDED, revision=F("fanned_out_revision")
    )
    return Delivery.objects.filter(
        ~Exists(others.exclude(state__in=SETTLED, changed_at__lt=cutoff)),
        Exists(ended),
        due_at=None,
        changed_at__lt=cutoff,
    )


def _prune_attempts(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """What ended before `cutoff`, but where a request is due or a person has to decide."""
    old = Attempt.objects.filter(
        begun_at__lt=cutoff, ended_at__lt=cutoff, delivery__state__in=SETTLED
    )
    oldest = old.order_by("begun_at").values_list("pk", "delivery__notice_id")
    while batch := dict(oldest[:BATCH]):
        with transaction.atomic():
            ledger.lock_notices(batch.values())
            gone.attempts += old.filter(pk__in=batch).delete()[0]
        yield


def _prune_answers(now: datetime, gone: Pruned) -> Iterator[None]:
    """What was kept for whoever repeats a request."""
    old = KeptAnswer.objects.filter(begun_at__lte=now - KeptAnswer.KEPT)
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        gone.answers += KeptAnswer.objects.filter(pk__in=ids).delete()[0]
        yield


def _prune_tasks(cutoff: datetime, gone: Pruned) -> Iterator[None]:
    """What django-q2 keeps of tasks: the failed ones (Q_CLUSTER's save_limit)."""
    old = Task.objects.filter(stopped__lt=cutoff).order_by().values_list("pk", flat=True)
    while ids := list(old[:BATCH]):
        gone.tasks += Task.objects.filter(pk__in=ids).delete()[0]
        yield


# --- the schedule --------------------------------------------------------------------------


def keep_schedule(using: str = "default", apps: Any = installed_apps, **_kwargs: Any) -> None:
    """Have the task run daily, by one schedule, whatever an older version left behind.

    Hangs on `post_migrate`: every new version begins with `migrate`.
    """
    try:
        schedules = apps.get_model("django_q", "Schedule").objects.using(using)
    except LookupError:
        return  # only a part is migrated yet
    ours = schedules.filter(Q(name=SCHEDULE_NAME) | Q(func=SCHEDULED_TASK)).order_by("pk")
    wanted = {"name": SCHEDULE_NAME, "func": SCHEDULED_TASK, "schedule_type": "D", "repeats": -1}
    with transaction.atomic(using=using):
        _one_at_a_time(using)
        first, *others = ours.values_list("pk", flat=True) or [None]
        if first is None:
            schedules.create(**wanted, next_run=_next_night(timezone.localtime()))
        else:
            schedules.filter(pk=first).update(**wanted)
            schedules.filter(pk__in=others).delete()


def _one_at_a_time(using: str) -> None:
    """Two machines may migrate at the same time. (On SQLite a transaction is alone anyway.)"""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SCHEDULE_LOCK])


def _next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=SCHEDULED_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)
