"""To whom a notice goes: the channels, with what is wrong in each, and whom it pings."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from notices.desk.keys import KeysField
from notices.desk.questions import Doubt
from notices.ids import read_id
from notices.models import Channel, Notice, Role, Study
from notices.pings import Reach, reach_of
from notices.sendable import can_send, troubles, troubles_with_files


class ChannelBoxes(UnfoldAdminCheckboxSelectMultipleWidget):  # type: ignore[misc]
    """Says at each box which studies it belongs to: the page shows those of the study picked.

    And its name alone, without what is wrong there.
    """

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        studies = option["value"].instance.studies.all()
        option["attrs"]["data-name"] = option["value"].instance.short_name
        if can_send(option["value"].instance) is False:
            option["attrs"]["data-troubled"] = ""
        option["attrs"]["data-studies"] = " ".join(str(study.pk) for study in studies)
        return option


class ChannelsField(KeysField):
    def label_from_instance(self, channel: Any) -> SafeString:
        found = ((trouble,) for trouble in troubles(channel))
        told = format_html_join("", '<span class="trouble">⚠ {}</span>', found)
        # Shown where the form has files.
        for_files = ((trouble,) for trouble in troubles_with_files(channel))
        more = format_html_join("", '<span class="trouble for-files">⚠ {}</span>', for_files)
        return format_html("{}{}{}", channel, told, more)


def doubts_about_ping(ping: str, study: Study, channels: list[Channel]) -> list[Doubt]:
    """Whether so many people are meant, or whether it is known that not all of them are pinged.

    Each answer is good for nothing but this ping in these channels.
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
    """Where saving it makes a message that pings whom nobody was asked about.

    `notice` is as it was saved last. An edit of what is shown pings nobody.
    """
    if notice.pk is None or notice.publish_at is None:
        return list(channels)
    done = Q(deliveries__notice=notice, deliveries__shown__isnull=False)
    if (notice.ping, notice.study_id) == (ping, study.pk):
        done |= Q(notices=notice)
    known = set(Channel.objects.filter(done).values_list("pk", flat=True))
    return [channel for channel in channels if channel.pk not in known]


def ask_to_count(user: Any, study_id: Any, ping: Any) -> None:
    """Have the bot count the people anew, before somebody is asked whether to ping them."""
    if ping in (Notice.Ping.ROLE, Notice.Ping.HERE, Notice.Ping.EVERYONE):
        study = Study.objects.led_by(user).filter(pk=_number(study_id)).first()
        if study is not None:
            Role.objects.of_study(study).ask_to_count(timezone.now())


def reach_of_picks(user: Any, study_id: Any, channel_ids: Iterable[Any], ping: Any) -> Reach | None:
    """Of what is picked on the page so far, whatever was sent; null without a study of hers."""
    study = Study.objects.led_by(user).filter(pk=_number(study_id)).first()
    if study is None or ping not in Notice.Ping.values:
        return None
    hers = Channel.objects.filter(Q(studies=study) | Q(notices__study=study))
    ids = [_number(channel_id) for channel_id in channel_ids]
    return reach_of(ping, study, hers.filter(pk__in=ids).distinct())


def _number(value: Any) -> int:
    """As a form's field names a row; 0 for whatever names none."""
    return read_id(str(getattr(value, "pk", value))) or 0
