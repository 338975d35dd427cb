"""The hidden field by which a page makes what it makes only once."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notices.desk.once import WRITING, writing_of

register = template.Library()


@register.simple_tag(takes_context=True)
def once(context: Any, form: str = "") -> SafeString:
    """`form` is the id of the form it belongs to, where it stands outside of it."""
    belongs = format_html(' form="{}"', form) if form else ""
    writing = writing_of(context["request"])
    return format_html('<input type="hidden" name="{}" value="{}"{}>', WRITING, writing, belongs)


@register.simple_tag(takes_context=True)
def once_without_scripts(context: Any) -> SafeString:
    """In the head: without scripts the page's address keeps its name, for whoever comes Back."""
    request = context["request"]
    if request.method != "GET" or WRITING in request.GET:
        return SafeString("")
    asked = request.GET.copy()
    asked[WRITING] = writing_of(request)
    there = f"{request.path}?{asked.urlencode()}"
    return format_html(
        '<noscript><meta http-equiv="refresh" content="0; url={}"></noscript>', there
    )
