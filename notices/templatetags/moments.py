"""{{ moment|in_words }}, in the current time zone."""

from datetime import datetime

from django import template

from notices import moments

register = template.Library()


@register.filter
def in_words(moment: datetime | None) -> str:
    return moments.in_words(moment) if moment else ""


@register.filter
def to_the_second(moment: datetime) -> str:
    return moments.in_words(moment, seconds=True)


@register.filter
def clock(moment: datetime) -> str:
    return moments.clock(moment)
