"""The outcome of a notice in each channel, as its page shows it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any

from django.db.models import F, Prefetch
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from notices.advice import reasons
from notices.ids import read_ids
from notices.models import Attempt, Change, Channel, Delivery, ErrorCode, Notice
from notices.outside import clock

POLL_SECONDS = 2
# Used while nothing is due within NEAR, as with a scheduled notice.
SLOW_POLL_SECONDS = 30
NEAR = timedelta(minutes=1)
ATTEMPTS_SHOWN = 20

State = Delivery.State


@dataclass(frozen=True)
class Line:
    """One channel with its delivery; `delivery` is None until the fan-out has made one."""

    channel: Channel
    delivery: Delivery | None = None
    why: reasons.Reason | None = None
    attempts: Sequence[Attempt] = ()
    failed_again: bool = False

    @property
    def key(self) -> str:
        """Part of the ids of its elements, by which htmx restores the focus."""
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
        """The badge's style: a message that somebody left as it is counts as no failure."""
        return State.UNKNOWN.value if self.is_left else self.state

    @property
    def is_behind(self) -> bool:
        """Whether an older revision than the wanted one is shown."""
        delivery = self.delivery
        return bool(delivery and delivery.shown and delivery.shown != delivery.wanted)

    @property
    def is_undecided(self) -> bool:
        """Whether the bot cannot find out if it is shown, so that she has to look and decide."""
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
    def due_at(self) -> datetime | None:
        return self.delivery.due_at if self.delivery else None


@dataclass(frozen=True)
class NoticeOutcome:
    notice: Notice
    lines: list[Line]
    has_foreign: bool = False
    """Whether it has channels that must not be named to her."""
    stands_elsewhere: bool = False
    """Whether it may be shown in one of those."""

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
        """A summary in a few sentences for screen readers."""
        sentences = [str(Notice.Status(self.notice.current_status).label) + "."]
        if self.lines:
            counted = {"shown": self.shown, "all": len(self.lines)}
            sentences.append(_("Shown in %(shown)s of %(all)s channels.") % counted)
        if self.failed:
            sentences.append(_("Failed in %(channels)s.") % {"channels": _names(self.failed)})
        if self.undecided:
            names = {"channels": _names(self.undecided)}
            sentences.append(_("Please look into %(channels)s.") % names)
        if self.has_foreign:
            sentences.append(self.elsewhere)
        return " ".join(sentences)

    @property
    def elsewhere(self) -> str:
        told = _("It has channels of the study that it came from, too, which are not named here.")
        if self.stands_elsewhere and self.notice.withdrawn_at is None:
            told += " " + _("Withdraw it to have it removed there as well.")
        return told

    @property
    def poll_seconds(self) -> int | None:
        """The seconds until the next poll, or None if nothing will change by itself."""
        notice = self.notice
        if notice.publish_at is None or notice.archived_at is not None:
            return None
        begun = notice.current_status in (Notice.Status.QUEUED, Notice.Status.SENDING)
        if begun and notice.revision > notice.fanned_out_revision:
            return POLL_SECONDS  # the fan-out has not written its deliveries yet
        due = [line.due_at for line in self.lines if line.due_at]
        if not due:
            # Nothing is due, so the status was read just before the last outcome was written.
            return POLL_SECONDS if begun and not self.undecided else None
        return POLL_SECONDS if min(due) <= clock.now() + NEAR else SLOW_POLL_SECONDS


@dataclass(frozen=True)
class OutcomePart:
    """The part of the page that polls."""

    outcome: NoticeOutcome
    html: SafeString
    seen: str
    """A hash of what is shown; the poll sends it, and gets nothing back while it is the same."""


def outcome_of(notice: Notice, foreign: Collection[int] = ()) -> NoticeOutcome:
    """Read the outcome, without the foreign channels, by a fixed number of queries."""
    if notice.publish_at is None or notice.archived_at is not None:
        return NoticeOutcome(notice, [])
    latest = Attempt.objects.order_by("-id")[:ATTEMPTS_SHOWN]
    deliveries = (
        notice.deliveries.exclude(channel__in=foreign)
        .select_related("channel")
        .annotate(notice_status=F("notice__status"))
        .prefetch_related(Prefetch("attempts", queryset=latest, to_attr="latest_attempts"))
    )
    again = _tried_again(notice, deliveries)
    lines = [_line(delivery, again) for delivery in deliveries]
    # The status was read in the same statement as the deliveries, so that the two agree.
    read_with: Any = next(iter(deliveries), None)
    if read_with is not None:
        notice.status = read_with.notice_status
    known = {*foreign, *(line.channel.pk for line in lines)}
    if notice.withdrawn_at is None:
        lines += [Line(one) for one in notice.channels.all() if one.pk not in known]
    standing = notice.deliveries.filter(Delivery.MAY_BE_SHOWN, channel__in=foreign)
    return NoticeOutcome(notice, lines, bool(foreign), bool(foreign) and standing.exists())


def part_of(notice: Notice, deeds: Collection[str], foreign: Collection[int] = ()) -> OutcomePart:
    """`deeds` are those of `rights.deeds_of`, each of which gets its buttons."""
    outcome = outcome_of(notice, foreign)
    html = render_to_string(
        "admin/notices/notice/outcome_lines.html",
        {"outcome": outcome, "original": notice, "deeds": deeds},
    )
    seen = blake2s(f"{outcome.poll_seconds} {html}".encode(), digest_size=8).hexdigest()
    return OutcomePart(outcome, html, seen)


def _tried_again(notice: Notice, deliveries: Iterable[Delivery]) -> set[int]:
    """Return the channels in which somebody has had it sent again, if it failed in any now."""
    if all(delivery.state != State.FAILED for delivery in deliveries):
        return set()
    tried = notice.changes.filter(deed=Change.Deed.SENT_AGAIN).values_list("channel_ids", flat=True)
    return {channel_id for ids in tried for channel_id in read_ids(ids)}


def _line(delivery: Any, again: set[int]) -> Line:
    code = delivery.error_code
    for_good = delivery.state == Delivery.State.FAILED
    why = None if code is None else reasons.explain(code, delivery.channel, for_good=for_good)
    failed_again = delivery.state == State.FAILED and delivery.channel_id in again
    return Line(delivery.channel, delivery, why, delivery.latest_attempts, failed_again)


def _names(lines: list[Line]) -> str:
    return ", ".join(str(line.channel) for line in lines)
