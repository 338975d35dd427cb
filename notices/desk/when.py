"""Moments in the form: picked and shown in the study's time zone, which is named beside them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from unfold.widgets import DATETIME_CLASSES

from notices.models import Study
from notices.moments import zone_named
from notices.outside import clock


class Moment(forms.DateTimeInput):
    """An input for which phones show their own picker of dates."""

    def __init__(self) -> None:
        attrs = {"type": "datetime-local", "class": " ".join(DATETIME_CLASSES)}
        super().__init__(attrs=attrs, format="%Y-%m-%dT%H:%M")


def zone_note(zone: str) -> SafeString:
    """Name the zone behind a moment; the script hides it if the browser has the same offset."""
    return format_html('<span data-clock="{}"> ({})</span>', _clock(zone), zone)


def _clock(zone: str) -> str:
    """Return the zone's minutes from UTC in January and July, by which the script compares."""
    days = (datetime(clock.now().year, month, 1, tzinfo=zone_named(zone)) for month in (1, 7))
    offsets = (day.utcoffset() for day in days)
    return " ".join(str(round(one.total_seconds() / 60)) for one in offsets if one is not None)


def zones_of(studies: Iterable[Study]) -> SafeString:
    """Say in which zone a moment is read; the script keeps the picked study's zone alone."""
    by_zone: defaultdict[str, list[Study]] = defaultdict(list)
    for study in studies:
        by_zone[study.time_zone].append(study)
    if len(by_zone) == 1:
        [zone] = by_zone
        told = _("Time zone:")
        return format_html('<span data-clock="{}">{} {}.</span>', _clock(zone), told, zone)
    zones = format_html_join(
        "",
        '<span class="zone" data-zone-of="{}">{} ({})</span>',
        (
            (" ".join(str(study.pk) for study in group), zone, ", ".join(map(str, group)))
            for zone, group in by_zone.items()
        ),
    )
    return format_html("{} {}", _("In the time zone of the study that is picked:"), zones)
