"""studybot has a name of its own, and no folder of another site: its links begin at the root."""

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
# As servers and proxies tell of a folder that they serve it in.
_TOLD_BY = ("SCRIPT_NAME", "HTTP_X_FORWARDED_PREFIX", "HTTP_X_SCRIPT_NAME")


def refuse_at_start() -> None:
    if prefix := os.environ.get("SCRIPT_NAME", "").strip("/"):
        raise ImproperlyConfigured(f"SCRIPT_NAME='/{prefix}' cannot be used: {_REMEDY}.")


class RootAlone:
    """Half a site, without its styles and with links that lead nowhere, would help nobody."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name in _TOLD_BY:
            if prefix := request.META.get(name, "").strip("/"):
                # No fault of the server's: anybody can send such a header.
                log.warning("served below /%s (%s): %s", prefix[:100], name, _REMEDY)
                told = f"This site is served below /{prefix[:100]}: {_REMEDY}.\n"
                return HttpResponse(told, "text/plain; charset=utf-8", 400)
        return self.get_response(request)
