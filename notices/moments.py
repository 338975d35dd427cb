"""A moment in words, as people write it: “7월 3일 (금) 오후 8:00”, “Fri, Jul 3, 8:00 PM”."""

from datetime import datetime, tzinfo

from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import gettext_noop as _

# Django's own Korean has no short form of these; our catalogue, which comes before it, does.
SHORT_WEEKDAYS = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))


def in_words(moment: datetime, zone: tzinfo | None = None, *, seconds: bool = False) -> str:
    """In `zone`, or else the current time zone; with the year where it is not this one."""
    there = timezone.localtime(moment, zone)
    is_near = there.year == timezone.localtime(timezone=zone).year
    form = get_format("NEAR_DATETIME_FORMAT" if is_near else "DATETIME_FORMAT")
    return date_format(there, form.replace("g:i", "g:i:s") if seconds else form)


def clock(moment: datetime) -> str:
    """The time of day, to the second."""
    return date_format(timezone.localtime(moment), "CLOCK_FORMAT")
