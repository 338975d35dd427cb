"""What became of a notice, channel by channel, as its page shows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2s
from typing import Any

from django.db.models import F, Prefetch
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from notices import reasons
from notices.models import Attempt, Change, Channel, Delivery, ErrorCode, Notice

POLL_SECONDS = 2
# A notice that waits for its hour need not be asked after every two seconds.
SLOW_POLL_SECONDS = 30
NEAR = timedelta(minutes=1)
ATTEMPTS_SHOWN = 20

State = Delivery.State


@dataclass(frozen=True)
class Line:
    """One channel: its delivery, or none before the fan-out has come to it."""

    channel: Channel
    delivery: Delivery | None = None
    why: reasons.Reason | None = None
    attempts: Sequence[Attempt] = ()
    failed_again: bool = False

    @property
    def key(self) -> str:
        """For ids on the page, which keep the focus where it was."""
        return str(self.channel.pk)

    @property
    def channel_url(self) -> str:
        return self.channel.url

    @property
    def state(self) -> str:
        return self.delivery.state if self.delivery else State.WAITING.value

    @property
    def words(self) -> str:
        if self.is_undecided:
            return _("please look")
        if self.is_left:
            return _("left as it is")
        if self.failed_again:
            return _("failed again")
        return str(State(self.state).label)

    @property
    def look(self) -> str:
        """The badge's: what somebody found and left is no failure."""
        return State.UNKNOWN.value if self.is_left else self.state

    @property
    def is_behind(self) -> bool:
        """Something is shown, but not what is wanted."""
        delivery = self.delivery
        return bool(delivery and delivery.shown and delivery.shown != delivery.wanted)

    @property
    def is_undecided(self) -> bool:
        """Nobody can find out whether it is shown: she has to look, and to choose."""
        return self.state == State.UNKNOWN and self.due_at is None

    @property
    def is_looked_for(self) -> bool:
        return self.state == State.UNKNOWN and self.due_at is not None

    @property
    def is_left(self) -> bool:
        return self.delivery is not None and self.delivery.error_code == ErrorCode.LEFT

    @property
    def can_be_tried_again(self) -> bool:
        return self.state == State.FAILED and not self.is_left

    @property
    def due_at(self) -> Any:
        return self.delivery.due_at if self.delivery else None


@dataclass(frozen=True)
class Outcome:
    notice: Notice
    lines: list[Line]

    @property
    def shown(self) -> int:
        return sum(1 for line in self.lines if line.delivery and line.delivery.shown)

    @property
    def failed(self) -> list[Line]:
        return [line for line in self.lines if line.can_be_tried_again]

    @property
    def undecided(self) -> list[Line]:
        return [line for line in self.lines if line.is_undecided]

    @property
    def said(self) -> str:
        """In a sentence or two, for who hears the page rather than sees it."""
        sentences = [str(Notice.Status(self.notice.current_status).label) + "."]
        if self.lines:
            counted = {"shown": self.shown, "all": len(self.lines)}
            sentences.append(_("Shown in %(shown)s of %(all)s channels.") % counted)
        if self.failed:
            sentences.append(_("Failed in %(channels)s.") % {"channels": _names(self.failed)})
        if self.undecided:
            names = {"channels": _names(self.undecided)}
            sentences.append(_("Please look into %(channels)s.") % names)
        return " ".join(sentences)

    @property
    def poll_seconds(self) -> int | None:
        """After how long the page should look again; null when nothing will change by itself."""
        notice = self.notice
        if notice.publish_at is None or notice.archived_at is not None:
            return None
        begun = notice.current_status in (Notice.Status.QUEUED, Notice.Status.SENDING)
        if begun and notice.revision > notice.fanned_out_revision:
            return POLL_SECONDS  # its deliveries are still to come
        due = [line.due_at for line in self.lines if line.due_at]
        if not due:
            # Nothing is left to do: then the status was read just before the last outcome.
            return POLL_SECONDS if begun and not self.undecided else None
        return POLL_SECONDS if min(due) <= timezone.now() + NEAR else SLOW_POLL_SECONDS


@dataclass(frozen=True)
class Part:
    """The part of the page that looks again by itself."""

    outcome: Outcome
    html: SafeString
    seen: str
    """Changes with what is shown: where it is the same, nothing on the page need move."""


def outcome_of(notice: Notice) -> Outcome:
    """Three queries, however many channels, and one more where something failed."""
    if notice.publish_at is None or notice.archived_at is not None:
        return Outcome(notice, [])
    latest = Attempt.objects.order_by("-id")[:ATTEMPTS_SHOWN]
    deliveries = (
        notice.deliveries.select_related("channel")
        .annotate(notice_status=F("notice__status"))
        .prefetch_related(Prefetch("attempts", queryset=latest, to_attr="latest_attempts"))
    )
    again = _tried_again(notice, deliveries)
    lines = [_line(delivery, again) for delivery in deliveries]
    # Read in one statement with them: above stands what the lines say.
    read_with: Any = next(iter(deliveries), None)
    if read_with is not None:
        notice.status = read_with.notice_status
    known = {line.channel.pk for line in lines}
    if notice.withdrawn_at is None:
        lines += [Line(one) for one in notice.channels.all() if one.pk not in known]
    return Outcome(notice, lines)


def part_of(notice: Notice) -> Part:
    outcome = outcome_of(notice)
    html = render_to_string(
        "admin/notices/notice/outcome_lines.html", {"outcome": outcome, "original": notice}
    )
    seen = blake2s(f"{outcome.poll_seconds} {html}".encode(), digest_size=8).hexdigest()
    return Part(outcome, html, seen)


def _tried_again(notice: Notice, deliveries: Iterable[Delivery]) -> set[int]:
    """The channels that failed and in which somebody had it tried again before."""
    if all(delivery.state != State.FAILED for delivery in deliveries):
        return set()
    tried = notice.changes.filter(deed=Change.Deed.SENT_AGAIN).values_list("channel_ids", flat=True)
    return {channel_id for ids in tried for channel_id in ids}


def _line(delivery: Any, again: set[int]) -> Line:
    code = delivery.error_code
    for_good = delivery.state == Delivery.State.FAILED
    why = None if code is None else reasons.explain(code, delivery.channel, for_good=for_good)
    failed_again = delivery.state == State.FAILED and delivery.channel_id in again
    return Line(delivery.channel, delivery, why, delivery.latest_attempts, failed_again)


def _names(lines: list[Line]) -> str:
    return ", ".join(str(line.channel) for line in lines)
