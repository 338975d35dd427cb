"""Tags for forms that must create their object only once (`desk/once.py`)."""

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from notices.desk.once import WRITING, writing_of

register = template.Library()


@register.simple_tag(takes_context=True)
def once(context: Context, form: str = "") -> SafeString:
    """Render the hidden field with the page's name; `form` is the form's id if it is outside."""
    belongs = format_html(' form="{}"', form) if form else ""
    writing = writing_of(context["request"])
    return format_html('<input type="hidden" name="{}" value="{}"{}>', WRITING, writing, belongs)


@register.simple_tag(takes_context=True)
def once_without_scripts(context: Context) -> SafeString:
    """Redirect a browser without scripts to an address with the page's name, which Back keeps."""
    request = context["request"]
    if request.method != "GET" or WRITING in request.GET:
        return SafeString("")
    asked = request.GET.copy()
    asked[WRITING] = writing_of(request)
    there = f"{request.path}?{asked.urlencode()}"
    return format_html(
        '<noscript><meta http-equiv="refresh" content="0; url={}"></noscript>', there
    )
