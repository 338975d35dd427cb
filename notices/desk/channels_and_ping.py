"""The form's fields for channels and the ping, with each channel's problems and the questions."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from notices.advice.channel import can_send, troubles, troubles_with_files
from notices.advice.reach import Reach, reach_of
from notices.desk.questions import Doubt
from notices.desk.rows_field import RowsField
from notices.ids import read_id
from notices.models import Channel, Notice, Right, Role, Study
from notices.outside import clock
from notices.tables.change import AnyUser


class ChannelBoxes(UnfoldAdminCheckboxSelectMultipleWidget):  # type: ignore[misc]
    """Checkboxes that tell the page's script each channel's studies, its name and its troubles.

    The script shows the channels of the study that is picked.
    """

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        studies = option["value"].instance.studies.all()
        option["attrs"]["data-name"] = option["value"].instance.short_name
        if can_send(option["value"].instance) is False:
            option["attrs"]["data-troubled"] = ""
        option["attrs"]["data-studies"] = " ".join(str(study.pk) for study in studies)
        return option


class ChannelsField(RowsField):
    def label_from_instance(self, channel: Channel) -> SafeString:
        found = ((trouble,) for trouble in troubles(channel))
        told = format_html_join("", '<span class="trouble">⚠ {}</span>', found)
        # The page shows these only while files are attached.
        for_files = ((trouble,) for trouble in troubles_with_files(channel))
        more = format_html_join("", '<span class="trouble for-files">⚠ {}</span>', for_files)
        return format_html("{}{}{}", channel, told, more)


def doubts_about_ping(ping: str, study: Study, channels: list[Channel]) -> list[Doubt]:
    """Ask about a ping that reaches very many people, or that does not reach all it should.

    The answer names the ping and its channels, so that it confirms no other ping.
    """
    reach = reach_of(ping, study, channels)
    answer = f"{ping}:{','.join(sorted(str(channel.pk) for channel in channels))}"
    if reach.is_large:
        return [_large(reach, answer)]
    if reach.silences:
        return [_silent(reach, f"silent-{answer}")]
    return []


def _large(reach: Reach, answer: str) -> Doubt:
    told = _("They are notified on their phones and computers, and a ping cannot be taken back.")
    if reach.people is None:
        yes = _("Yes, ping %(who)s") % {"who": reach.who}
    else:
        yes = _("Yes, ping %(n)d people") % {"n": reach.people}
    head = _("Really ping so many people?")
    return Doubt(head, f"{reach.words} {told}", yes, answer, warnings=reach.silences)


def _silent(reach: Reach, answer: str) -> Doubt:
    if reach.people:
        head, yes = _("Publish though not all are pinged?"), _("Yes, publish")
    else:
        head, yes = _("Publish without a ping?"), _("Yes, without a ping")
    return Doubt(head, reach.words, yes, answer, warnings=reach.silences)


def newly_pinged(
    notice: Notice, study: Study, ping: str, channels: Iterable[Channel]
) -> list[Channel]:
    """Return the channels where a save sends a ping that nobody has confirmed yet.

    `notice` is as it was last saved. Discord pings nobody when a shown message is edited.
    """
    if notice.pk is None or notice.publish_at is None:
        return list(channels)
    done = Q(deliveries__notice=notice, deliveries__shown__isnull=False)
    if (notice.ping, notice.study_id) == (ping, study.pk):
        done |= Q(notices=notice)
    known = set(Channel.objects.filter(done).values_list("pk", flat=True))
    return [channel for channel in channels if channel.pk not in known]


def ask_to_count(user: AnyUser, study_id: object, ping: object) -> None:
    """Have the bot count the people again, so that the question names a recent number."""
    if ping in (Notice.Ping.ROLE, Notice.Ping.HERE, Notice.Ping.EVERYONE):
        study = Study.objects.allowing(Right.SEE, user).filter(pk=_number(study_id)).first()
        if study is not None:
            Role.objects.of_study(study).ask_to_count(clock.now())


def reach_of_picks(
    user: AnyUser, study_id: object, channel_ids: Iterable[object], ping: str | None
) -> Reach | None:
    """Compute the reach of what the page has picked; return None without a study of hers.

    The values come unchecked from the browser.
    """
    study = Study.objects.allowing(Right.SEE, user).filter(pk=_number(study_id)).first()
    if study is None or ping not in Notice.Ping.values:
        return None
    hers = Channel.objects.filter(Q(studies=study) | Q(notices__study=study))
    ids = [_number(channel_id) for channel_id in channel_ids]
    return reach_of(ping, study, hers.filter(pk__in=ids).distinct())


def _number(value: object) -> int:
    """Read a row's id from a form's value, or 0, which no row has."""
    return read_id(str(getattr(value, "pk", value))) or 0
