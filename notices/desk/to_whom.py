"""To whom a notice goes: the channels, with what is wrong in each, and whom it pings."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from notices.desk.keys import KeysField
from notices.ids import read_id
from notices.models import Channel, Notice, Study
from notices.pings import Reach, reach_of
from notices.sendable import troubles, troubles_with_files


class ChannelBoxes(UnfoldAdminCheckboxSelectMultipleWidget):  # type: ignore[misc]
    """Says at each box which studies it belongs to: the page shows those of the study picked.

    And its name alone, without what is wrong there.
    """

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        studies = option["value"].instance.studies.all()
        option["attrs"]["data-name"] = option["value"].instance.short_name
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


@dataclass(frozen=True)
class PingQuestion:
    """Asked before many people are pinged. The button that says yes sends `answer` back."""

    reach: Reach
    button: str
    answer: str

    @property
    def yes(self) -> str:
        if self.reach.people is None:
            return _("Yes, ping %(who)s") % {"who": self.reach.who}
        return _("Yes, ping %(n)d people") % {"n": self.reach.people}


def answer_for(ping: str, channels: Iterable[Channel]) -> str:
    """Good for nothing but this ping in these channels."""
    return f"{ping}:{','.join(sorted(str(channel.pk) for channel in channels))}"


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
