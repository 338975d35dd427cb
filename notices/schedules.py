"""What qcluster does by the clock: a schedule each, whatever an older version left behind."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps as installed_apps
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone
from django_q.models import Schedule
from django_q.scheduler import scheduler
from django_q.utils import close_old_django_connections

from notices import callbacks, pruning

log = logging.getLogger(__name__)

# While most people sleep, in the installation's own time zone.
PRUNING_HOUR = 4
DAILY = {"schedule_type": "D"}
EACH_MINUTE = {"schedule_type": "I", "minutes": 1}
# Each by its name; where one of ours says anything else, somebody else wrote it.
OURS: Mapping[str, Mapping[str, Any]] = {
    pruning.SCHEDULE_NAME: {"func": pruning.SCHEDULED_TASK, **DAILY},
    callbacks.SCHEDULE_NAME: {"func": callbacks.TASK, **EACH_MINUTE},
}
# django-q2 would hand these on to the task, call them, or send the task elsewhere.
UNUSED = dict.fromkeys(("args", "kwargs", "hook", "cluster", "intended_date_kwarg", "cron"))
# PostgreSQL's advisory lock under which the schedules are looked for and made: any constant.
_LOCK = 5_276_851


def keep(using: str = "default", apps: Any = installed_apps, **_kwargs: Any) -> None:
    """Hangs on `post_migrate`: every new version begins with `migrate`."""
    try:
        schedules = apps.get_model("django_q", "Schedule").objects.using(using)
    except LookupError:
        return  # only a part is migrated yet
    now = timezone.localtime()
    tonight = _next_night(now)
    with transaction.atomic(using=using):
        _one_at_a_time(using)
        _keep_one(schedules, pruning.SCHEDULE_NAME, tonight)
        _keep_one(schedules, callbacks.SCHEDULE_NAME, now)


def run_due(broker: Any = None) -> None:
    """django-q2's scheduler, which queues whatever a row names: foreign rows are put out first."""
    try:
        close_old_django_connections()
        _put_out_foreign()
    except Exception:
        log.exception("schedules: they could not be looked at; none is run for now")
        return
    scheduler(broker=broker)


def _put_out_foreign() -> None:
    """They stay to be seen, with no run left. One of ours that was changed is made anew."""
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


def _keep_one(schedules: Any, name: str, first_run: datetime) -> None:
    wanted: dict[str, Any] = {"name": name, "repeats": -1, **OURS[name], **UNUSED}
    ours = schedules.filter(Q(name=name) | Q(func=wanted["func"])).order_by("pk")
    first, *others = ours.values_list("pk", flat=True) or [None]
    if first is None:
        schedules.create(**wanted, next_run=first_run)
    else:
        schedules.filter(pk=first).update(**wanted)
        schedules.filter(pk__in=others).delete()


def _one_at_a_time(using: str) -> None:
    """Two machines may migrate at the same time. (On SQLite a transaction is alone anyway.)"""
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _next_night(now: datetime) -> datetime:
    tonight = now.replace(hour=PRUNING_HOUR, minute=0, second=0, microsecond=0)
    return tonight if tonight > now else tonight + timedelta(days=1)
