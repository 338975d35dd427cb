"""What became of a notice, channel by channel, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from notices import reasons
from notices.models import Attempt, Channel, Delivery, Notice

POLL_SECONDS = 2
# A notice that waits for its hour need not be asked after every two seconds.
SLOW_POLL_SECONDS = 30
NEAR = timedelta(minutes=1)
ATTEMPTS_SHOWN = 20


@dataclass(frozen=True)
class Line:
    """One channel: its delivery, or none before the fan-out has come to it."""

    channel: Channel
    delivery: Delivery | None = None
    why: reasons.Reason | None = None
    attempts: Sequence[Attempt] = ()

    @property
    def state(self) -> str:
        return self.delivery.state if self.delivery else Delivery.State.WAITING.value

    @property
    def words(self) -> str:
        return str(Delivery.State(self.state).label)

    @property
    def is_behind(self) -> bool:
        """Something is shown, but not what is wanted."""
        delivery = self.delivery
        return bool(delivery and delivery.shown and delivery.shown != delivery.wanted)


@dataclass(frozen=True)
class Outcome:
    notice: Notice
    lines: list[Line]

    @property
    def shown(self) -> int:
        return sum(1 for line in self.lines if line.delivery and line.delivery.shown)

    @property
    def can_be_sent_again(self) -> bool:
        ended = {Delivery.State.FAILED, Delivery.State.UNKNOWN}
        live = self.notice.withdrawn_at is None
        return live and any(line.state in ended for line in self.lines)

    @property
    def poll_seconds(self) -> int | None:
        """After how long the page should look again; null when nothing will change by itself."""
        now = timezone.now()
        due = [
            line.delivery.due_at for line in self.lines if line.delivery and line.delivery.due_at
        ]
        status = self.notice.current_status
        if status in (Notice.Status.QUEUED, Notice.Status.SENDING) or any(
            moment <= now + NEAR for moment in due
        ):
            return POLL_SECONDS
        publish_at = self.notice.publish_at
        if status == Notice.Status.SCHEDULED and publish_at is not None:
            return POLL_SECONDS if publish_at <= now + NEAR else SLOW_POLL_SECONDS
        return SLOW_POLL_SECONDS if due else None


def outcome_of(notice: Notice) -> Outcome:
    """Three queries, however many channels."""
    if notice.publish_at is None or notice.archived_at is not None:
        return Outcome(notice, [])
    latest = Attempt.objects.order_by("-id")[:ATTEMPTS_SHOWN]
    deliveries = notice.deliveries.select_related("channel").prefetch_related(
        Prefetch("attempts", queryset=latest, to_attr="latest_attempts")
    )
    lines = [_line(delivery) for delivery in deliveries]
    known = {line.channel.pk for line in lines}
    if notice.withdrawn_at is None:
        lines += [Line(one) for one in notice.channels.all() if one.pk not in known]
    return Outcome(notice, lines)


def _line(delivery: Any) -> Line:
    code = delivery.error_code
    why = None if code is None else reasons.explain(code)
    return Line(delivery.channel, delivery, why, delivery.latest_attempts)
