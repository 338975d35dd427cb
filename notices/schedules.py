"""What qcluster does by the clock: a schedule each, whatever an older version left behind."""

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps as installed_apps
from django.db import connections, transaction
from django.db.models import Q
from django.utils import timezone

from notices import callbacks, pruning

# While most people sleep, in the installation's own time zone.
PRUNING_HOUR = 4
DAILY = {"schedule_type": "D"}
EACH_MINUTE = {"schedule_type": "I", "minutes": 1}
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
        _keep_one(schedules, pruning.SCHEDULE_NAME, pruning.SCHEDULED_TASK, tonight, DAILY)
        _keep_one(schedules, callbacks.SCHEDULE_NAME, callbacks.TASK, now, EACH_MINUTE)


def _keep_one(schedules: Any, name: str, func: str, first_run: datetime, how: Any) -> None:
    ours = schedules.filter(Q(name=name) | Q(func=func)).order_by("pk")
    wanted = {"name": name, "func": func, "repeats": -1, **how}
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
