"""The desk's first page: the bot's state, then failed, late, scheduled and draft notices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from notices import moments
from notices.advice import reasons
from notices.delivery.due import oldest_due
from notices.delivery.fan_out import oldest_waiting
from notices.desk.rights import led_studies
from notices.desk.when import zone_note
from notices.models import Delivery, Notice
from notices.monitoring import health
from notices.outside import clock
from notices.paging import Parts
from notices.tables.change import AnyUser

SHOWN_AT_MOST = 10
# Older failures are found in the list alone.
NEWS = timedelta(days=30)
FAILED = (Notice.Status.FAILED, Notice.Status.PARTLY_SENT)
# A notice whose moment has come stays stored as scheduled until the bot begins with it.
UNDER_WAY = (Notice.Status.SCHEDULED, Notice.Status.QUEUED, Notice.Status.SENDING)


class BotState(StrEnum):
    ONLINE = "online"
    BEHIND = "behind"
    PAUSED = "paused"
    OFFLINE = "offline"
    ABSENT = "absent"


@dataclass(frozen=True)
class Bot:
    """The bot's state, and how long it has lasted; `age` is None if all is well."""

    state: BotState
    age: timedelta | None = None

    def how_long(self) -> str:
        if self.age is None or self.age < timedelta(minutes=1):
            return _("less than a minute")
        now = clock.now()
        return timesince(now - self.age, now, depth=1)


@dataclass(frozen=True)
class Entry:
    """A notice with a note: why it is not shown, or when it will be."""

    notice: Notice
    note: str

    @property
    def status(self) -> str:
        return str(Notice.Status(self.notice.current_status).label)


@dataclass(frozen=True)
class FrontPage:
    bot: Bot
    failed: list[Entry]
    late: list[Entry]
    coming: list[Entry]
    drafts: list[Entry]
    more: frozenset[str]
    """The names of the lists that have more entries than are shown."""


def front_page(user: AnyUser, now: datetime) -> FrontPage:
    """Collect the page by a fixed number of queries, none of which reads all notices."""
    studies = None if user.is_superuser else [study.pk for study in led_studies(user)]
    found = {
        "failed": _failed(studies, now),
        "late": _late(studies, now),
        "coming": _coming(studies, now),
        "drafts": _drafts(studies),
    }
    shown = {name: notices[:SHOWN_AT_MOST] for name, notices in found.items()}
    why = _reasons([*shown["failed"], *shown["late"]])
    return FrontPage(
        bot=bot_now(now),
        failed=[Entry(notice, why.get(notice.pk, "")) for notice in shown["failed"]],
        late=[Entry(notice, why.get(notice.pk, "")) for notice in shown["late"]],
        coming=[Entry(notice, _moment(notice)) for notice in shown["coming"]],
        drafts=[Entry(notice, _last_change(notice)) for notice in shown["drafts"]],
        more=frozenset(name for name in found if len(found[name]) > SHOWN_AT_MOST),
    )


def bot_now(now: datetime) -> Bot:
    """Return the bot's state by the same measures as /readyz."""
    bots = health.bots_heard_of(now)
    silence = health.silence(bots, now)
    if silence is None:
        return Bot(BotState.ABSENT)
    if silence > health.LIMITS["bot"]:
        return Bot(BotState.OFFLINE, silence)
    if (pause := health.pause(bots, now)) is not None:
        return Bot(BotState.PAUSED, pause)
    ages = {"due": oldest_due(now), "fan_out": oldest_waiting(now)}
    late = [age for name, age in ages.items() if age is not None and age > health.LIMITS[name]]
    return Bot(BotState.BEHIND, max(late)) if late else Bot(BotState.ONLINE)


def _failed(studies: list[int] | None, now: datetime) -> list[Notice]:
    """Return the newest that failed, wholly or partly; archived ones cannot be sent again."""
    ids = Parts(studies, FAILED).newest(Notice.objects.all(), SHOWN_AT_MOST + 1)
    newest = _rows(ids).filter(archived_at=None, publish_at__gt=now - NEWS)
    return list(newest.order_by("-id"))


def _late(studies: list[int] | None, now: datetime) -> list[Notice]:
    """Return the oldest that should have been shown, or changed, by now."""
    by_then = now - health.LIMITS["due"]
    late = Notice.objects.filter(publish_at__lte=by_then, changed_at__lte=by_then)
    ids = Parts(studies, UNDER_WAY).newest(late, SHOWN_AT_MOST + 1, oldest=True)
    return list(_rows(ids).order_by("id"))


def _coming(studies: list[int] | None, now: datetime) -> list[Notice]:
    scheduled = Notice.objects.in_status(Notice.Status.SCHEDULED, now)
    if studies is not None:
        scheduled = scheduled.filter(study__in=studies)
    soonest = scheduled.select_related("study").order_by("publish_at", "id")
    return list(soonest[: SHOWN_AT_MOST + 1])


def _drafts(studies: list[int] | None) -> list[Notice]:
    ids = Parts(studies, (Notice.Status.DRAFT,)).newest(Notice.objects.all(), SHOWN_AT_MOST + 1)
    return list(_rows(ids).order_by("-id"))


def _rows(ids: Iterable[int]) -> QuerySet[Notice]:
    return Notice.objects.filter(pk__in=list(ids)).select_related("study")


def _moment(notice: Notice) -> str:
    """Return when it is published, in the study's time zone."""
    if notice.publish_at is None:
        return ""
    name = notice.study.time_zone
    moment = moments.in_words(notice.publish_at, moments.zone_named(name))
    return format_html("{}{}", moment, zone_note(name))


def _last_change(notice: Notice) -> str:
    changed_at = moments.in_words(notice.changed_at, moments.zone_named(notice.study.time_zone))
    return _("last changed on %(moment)s") % {"moment": changed_at}


def _reasons(notices: list[Notice]) -> dict[int, str]:
    """Return the reason of one failed channel for each notice that has one, by its id."""
    refused = Delivery.objects.filter(notice__in=notices, error_code__isnull=False)
    codes = dict(refused.order_by("-id").values_list("notice", "error_code"))
    return {pk: str(reasons.explain(code).reason) for pk, code in codes.items() if code is not None}
