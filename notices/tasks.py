"""The django-q2 tasks: they take ids and may run twice with the same effect."""

from collections.abc import Mapping

from django_q.tasks import async_task

from notices.callbacks import queueing, sending
from notices.delivery.fan_out import fan_out
from notices.outside import clock
from notices.upkeep import pruning

FAN_OUT = "notices.tasks.fan_out_notice"
# All tasks that qcluster runs, with the types of their arguments; `queue_gate` refuses others.
TAKES: Mapping[str, tuple[type, ...]] = {
    FAN_OUT: (int,),
    pruning.SCHEDULED_TASK: (),
    queueing.TASK: (),
}


def fan_out_notice(notice_id: int) -> bool:
    """Write what the notice's leader wants into its deliveries."""
    return fan_out(notice_id)


def prune(seconds: float = pruning.SLICE_SECONDS) -> bool:
    """Delete old history for so many seconds; what remains is queued behind other tasks."""
    is_done = pruning.prune(clock.now(), seconds)
    if not is_done:
        async_task(pruning.SCHEDULED_TASK, group=pruning.SCHEDULE_NAME)
    return is_done


def send_callbacks() -> bool:
    """Send due callbacks; what remains is queued behind other tasks."""
    is_done = sending.send_due()
    if not is_done:
        async_task(queueing.TASK, group=queueing.SCHEDULE_NAME)
    return is_done
