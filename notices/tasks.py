"""The django-q2 tasks: they take ids, may run twice, and say the same thing each time."""

from collections.abc import Mapping

from django.utils import timezone
from django_q.tasks import async_task

from notices import callbacks, ledger, pruning

FAN_OUT = "notices.tasks.fan_out_notice"
# All that qcluster runs, with the types of what each takes: `queue_gate` refuses any other row.
TAKES: Mapping[str, tuple[type, ...]] = {
    FAN_OUT: (int,),
    pruning.SCHEDULED_TASK: (),
    callbacks.TASK: (),
}


def fan_out_notice(notice_id: int) -> bool:
    """Make the deliveries of a notice say what its leader wants."""
    return ledger.fan_out(notice_id)


def prune(seconds: float = pruning.SLICE_SECONDS) -> bool:
    """Remove old history for so long; what is left over queues behind whatever else waits."""
    is_done = pruning.prune(timezone.now(), seconds)
    if not is_done:
        async_task(pruning.SCHEDULED_TASK, group=pruning.SCHEDULE_NAME)
    return is_done


def send_callbacks() -> bool:
    """Tell frontends what is due; what is left over queues behind whatever else waits."""
    is_done = callbacks.send_due()
    if not is_done:
        async_task(callbacks.TASK, group=callbacks.SCHEDULE_NAME)
    return is_done
