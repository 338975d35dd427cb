"""Moments as people write them: “7월 3일 (금) 오후 8:00”, “Fri, Jul 3, 8:00 PM”."""

from datetime import datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext_noop as _

from notices.outside.clock import now

# Our catalogue translates these, as Django's Korean has no short form of them.
SHORT_WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


class Zone(ZoneInfo):
    """A time zone that leaves a moment as it is if converting it would leave Python's years.

    An update in bulk may store such a moment, and the page that shows it must not break.
    """

    def fromutc(self, moment: datetime, /) -> datetime:
        try:
            return super().fromutc(moment)
        except OverflowError:
            return moment


def zone_named(name: str) -> Zone:
    """Return the time zone of that name, or the site's own if there is none."""
    try:
        return _zone(name)
    except (LookupError, OSError, ValueError):
        return _zone(settings.TIME_ZONE)


# Python keeps the zones that it has read, but none of a subclass.
@lru_cache(maxsize=256)
def _zone(name: str) -> Zone:
    return Zone(name)


def in_words(moment: datetime, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """Write a moment in `zone` or the current time zone; with the year unless it is this one."""
    there = timezone.localtime(moment, zone)
    is_near = there.year == timezone.localtime(now(), zone).year
    form = get_format("NEAR_DATETIME_FORMAT" if is_near else "DATETIME_FORMAT")
    return date_format(there, form.replace("g:i", "g:i:s") if seconds else form)


def clock(moment: datetime) -> str:
    """Write the time of day, to the second."""
    return date_format(timezone.localtime(moment), "CLOCK_FORMAT")
