"""A saved notice schedules its fan-out: nothing else happens here.

What bypasses these hooks (a bulk update, a crash between commit and hook) the bot's sweep finds.
"""

import logging
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models.signals import m2m_changed, post_save, pre_save
from django.dispatch import receiver
from django_q.tasks import async_task

from notices import ledger
from notices.broker import kept_broker
from notices.models import Notice
from notices.tasks import FAN_OUT

log = logging.getLogger(__name__)


class _Enqueue(partial[None]):
    """A hook that can be told from others."""


@receiver(post_save, sender=Notice)
def schedule_fan_out(sender: type[Notice], instance: Notice, raw: bool, **_kwargs: Any) -> None:
    """Once the notice is committed: a task must not run before what it is to read is there."""
    if not raw:
        schedule(instance.pk)


@receiver(m2m_changed, sender=Notice.channels.through)
def schedule_on_channels(instance: Any, action: str, reverse: bool, **kwargs: Any) -> None:
    """The channels were picked anew: the deliveries do not know it yet."""
    if action not in {"post_add", "post_remove", "pre_clear"}:
        return
    # From a channel's side (reverse) the changed notices are the ids that were handed over.
    ids = kwargs["pk_set"] if reverse else {instance.pk}
    if reverse and action == "pre_clear":
        ids = set(instance.notices.values_list("pk", flat=True))
    Notice.objects.filter(pk__in=ids).update(fanned_out_revision=0)
    for notice_id in ids:
        schedule(notice_id)


@receiver(pre_save, sender=Notice)
def count_loaded_change(sender: type[Notice], instance: Notice, raw: bool, **_kwargs: Any) -> None:
    """`loaddata` over a notice that is there is a change, whatever revision its file names."""
    if not raw:
        return
    known = Notice.objects.filter(pk=instance.pk).values_list("revision", flat=True).first()
    if known is not None:
        instance.revision = max(instance.revision, known + 1)
        instance.fanned_out_revision = 0


def schedule(notice_id: int) -> None:
    """Once the transaction commits, and once for all that it did to the notice."""
    hooks = [entry[1] for entry in connection.run_on_commit]
    if not any(isinstance(hook, _Enqueue) and hook.args == (notice_id,) for hook in hooks):
        ledger.wake()  # the bot fans out what the queue has not by then
        transaction.on_commit(_Enqueue(_enqueue, notice_id))


def _enqueue(notice_id: int) -> None:
    try:
        async_task(FAN_OUT, notice_id, group="fan out", broker=kept_broker())
    except Exception:
        # The notice is saved and the bot's sweep will find it: a broker that is down loses nothing.
        log.exception("notice %s: the queue did not take the task; the bot will sweep", notice_id)
