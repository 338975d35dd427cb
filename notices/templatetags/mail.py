"""{% sends_mail as by_mail %}: whether mail is set up."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def sends_mail() -> bool:
    return bool(settings.SENDS_MAIL)
