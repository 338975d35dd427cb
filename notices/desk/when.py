"""When a notice is published: moments as the clock on the study's wall shows them."""

from collections import defaultdict
from collections.abc import Iterable

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import DATETIME_CLASSES

from notices.models import Study


class Moment(forms.DateTimeInput):
    """The phone's own picker."""

    def __init__(self) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(DATETIME_CLASSES)}
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")


def zone_note(zone: str) -> SafeString:
    """Behind a moment; the page leaves it out where the browser's own clock is the same."""
    return format_html('<span data-zone="{}"> ({})</span>', zone, zone)


def zones_of(studies: Iterable[Study]) -> SafeString:
    """In which time zone a moment is read; the page leaves that of the study picked."""
    by_zone: defaultdict[str, list[Study]] = defaultdict(list)
    for study in studies:
        by_zone[study.time_zone].append(study)
    if len(by_zone) == 1:
        [zone] = by_zone
        return format_html('<span data-zone="{}">{} {}.</span>', zone, _("Time zone:"), zone)
    zones = format_html_join(
        "",
        '<span class="zone" data-zone-of="{}">{} ({})</span>',
        (
            (" ".join(str(study.pk) for study in group), zone, ", ".join(map(str, group)))
            for zone, group in by_zone.items()
        ),
    )
    return format_html("{} {}", _("In the time zone of the study that is picked:"), zones)
