"""Refuses to be served below a folder of another site: our links begin at the root."""

import logging
import os
from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponse]

_REMEDY = (
    "studybot works at the root of a name of its own alone: give it one (notices.example.org), and "
    "let the proxy pass addresses on as they are"
)
# By these, servers and proxies tell of the folder.
_TOLD_BY = ("SCRIPT_NAME", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_SCRIPT_NAME")


def refuse_at_start() -> None:
    if prefix := os.environ.get("SCRIPT_NAME", "").strip("/"):
        raise ImproperlyConfigured(f"SCRIPT_NAME='/{prefix}' cannot be used: {_REMEDY}.")


class RefusePathPrefix:
    """Answers 400: below a folder the pages would lack styles, and links would lead nowhere."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name in _TOLD_BY:
            if prefix := request.META.get(name, "").strip("/"):
                # It is a warning, because anybody can send such a header.
                log.warning("served below /%s (%s): %s", prefix[:100], name, _REMEDY)
                told = f"This site is served below /{prefix[:100]}: {_REMEDY}.\n"
                return HttpResponse(told, "text/plain; charset=utf-8", 400)
        return self.get_response(request)
