"""Keeps one schedule for each thing that qcluster does by the clock."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.db import connections, transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone
from django_q.brokers import Broker
from django_q.models import Schedule
from django_q.scheduler import scheduler
from django_q.utils import close_old_django_connections

from notices.callbacks import queueing
from notices.outside import clock
from notices.upkeep import pruning

log = logging.getLogger(__name__)

# Most people sleep then. It is in the installation's own time zone.
PRUNING_HOUR = 4
DAILY = {"schedule_type": "D"}
EACH_MINUTE = {"schedule_type": "I", "minutes": 1}
# By name. A row of such a name that differs was written by somebody else.
OURS: Mapping[str, Mapping[str, Any]] = {
    pruning.SCHEDULE_NAME: {"func": pruning.SCHEDULED_TASK, **DAILY},
    queueing.SCHEDULE_NAME: {"func": queueing.TASK, **EACH_MINUTE},
}
# django-q2 would pass these to the task, call them, or send the task elsewhere.
UNUSED = dict.fromkeys(("args", "kwargs", "hook", "cluster", "intended_date_kwarg", "cron"))
# Any constant serves as PostgreSQL's advisory lock for finding and making schedules.
_LOCK = 5_276_851


def keep(using: str = "default", apps: Apps = installed_apps, **_kwargs: object) -> None:
    """Make the schedules after each `migrate`, with which every new version begins."""
    try:
        schedules = apps.get_model("django_q", "Schedule")._default_manager.using(using)
    except LookupError:
        return  # only a part is migrated yet
    now = timezone.localtime(clock.now())
    tonight = _next_night(now)
    with transaction.atomic(using=using):
        _one_at_a_time(using)
        _keep_one(schedules, pruning.SCHEDULE_NAME, tonight)
        _keep_one(schedules, queueing.SCHEDULE_NAME, now)


def run_due(broker: Broker | None = None) -> None:
    """End foreign rows, then run django-q2's scheduler: it queues any function that a row names."""
    try:
        close_old_django_connections()
        _end_foreign()
    except Exception:
        log.exception("schedules: they could not be looked at; none is run for now")
        return
    scheduler(broker=broker)


def _end_foreign() -> None:
    """End foreign rows by leaving them no run; make ours anew if they were changed."""
    ours = Q(pk=None)
    for name, wanted in OURS.items():
        ours |= Q(name=name, repeats=-1, **wanted, **{f"{field}__isnull": True for field in UNUSED})
    foreign = Schedule.objects.exclude(ours).exclude(repeats=0)
    if not (found := list(foreign.values_list("pk", "name", "func"))):
        return
    for row in found:
        log.error("schedule %s, %r: %r is refused and put out: it is not studybot's", *row)
    Schedule.objects.filter(pk__in=[pk for pk, _name, _func in found]).update(repeats=0)
    keep()


def _keep_one(schedules: QuerySet[Model], name: str, first_run: datetime) -> None:
    wanted: dict[str, Any] = {"name": name, "repeats": -1, **OURS[name], **UNUSED}
    ours = schedules.filter(Q(name=name) | Q(func=wanted["func"])).order_by("pk")
    first, *others = ours.values_list("pk", flat=True) or [None]
    if first is None:
        schedules.create(**wanted, next_run=first_run)
    else:
        schedules.filter(pk=first).update(**wanted)
        schedules.filter(pk__in=others).delete()


def _one_at_a_time(using: str) -> None:
    """Let one of several machines migrate at a time. On SQLite every transaction is alone."""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=PRUNING_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)
