"""The signals by which a saved notice schedules its fan-out.

The bot's sweep finds what they miss: bulk updates, and a crash between the commit and the hook.
"""

import logging
from functools import partial

from django.db import connection, transaction
from django.db.models.signals import m2m_changed, post_save, pre_save
from django.dispatch import receiver
from django_q.tasks import async_task

from notices.broker import kept_broker
from notices.delivery.wake import wake
from notices.models import Channel, Notice
from notices.tasks import FAN_OUT

log = logging.getLogger(__name__)


class _Enqueue(partial[None]):
    """A type of its own, by which `schedule` recognises its hooks on the connection."""


@receiver(post_save, sender=Notice)
def schedule_fan_out(sender: type[Notice], instance: Notice, raw: bool, **_kwargs: object) -> None:
    """Schedule the fan-out of a saved notice; fixtures (`raw`) are left to the sweep."""
    if not raw:
        schedule(instance.pk)


@receiver(m2m_changed, sender=Notice.channels.through)
def schedule_on_channels(
    instance: Notice | Channel,
    action: str,
    reverse: bool,
    pk_set: set[int] | None,
    **_kwargs: object,
) -> None:
    """Mark notices as not fanned out when their channels change, and schedule the fan-out."""
    if action not in {"post_add", "post_remove", "pre_clear"}:
        return
    # From a channel's side (reverse) `pk_set` has the ids of the changed notices.
    ids = pk_set or set() if reverse else {instance.pk}
    if isinstance(instance, Channel) and action == "pre_clear":
        ids = set(instance.notices.values_list("pk", flat=True))
    Notice.objects.filter(pk__in=ids).update(fanned_out_revision=0)
    for notice_id in ids:
        schedule(notice_id)


@receiver(pre_save, sender=Notice)
def count_loaded_change(
    sender: type[Notice], instance: Notice, raw: bool, **_kwargs: object
) -> None:
    """Count the revision up when `loaddata` overwrites a notice, since its file has an old one."""
    if not raw:
        return
    known = Notice.objects.filter(pk=instance.pk).values_list("revision", flat=True).first()
    if known is not None:
        instance.revision = max(instance.revision, known + 1)
        instance.fanned_out_revision = 0


def schedule(notice_id: int) -> None:
    """Enqueue the fan-out after the commit, once for each notice and transaction.

    Before the commit the task could not read what was saved.
    """
    hooks = [entry[1] for entry in connection.run_on_commit]
    if not any(isinstance(hook, _Enqueue) and hook.args == (notice_id,) for hook in hooks):
        wake()  # the bot fans it out if the queue has not done so before
        transaction.on_commit(_Enqueue(_enqueue, notice_id))


def _enqueue(notice_id: int) -> None:
    try:
        async_task(FAN_OUT, notice_id, group="fan out", broker=kept_broker())
    except Exception:
        # Nothing is lost while the broker is down, as the bot's sweep finds the saved notice.
        log.exception("notice %s: the queue did not take the task; the bot will sweep", notice_id)
