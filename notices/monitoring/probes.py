"""Answers probes, which ask by an address and know no name of ours."""

import re
from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse

from notices.monitoring import health, metrics

GetResponse = Callable[[HttpRequest], HttpResponse]

_VIEWS: dict[str, GetResponse] = {
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": metrics.metrics,
}
_PORT = re.compile(r":[0-9]*$")


class Probes:
    """Answers before ALLOWED_HOSTS is checked, which holds for all other requests.

    A host name with dots is not answered here: its owner could point it to this machine, and read
    the answer from a page that somebody has opened.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _VIEWS.get(request.path_info)
        if view and _is_of_a_machine(request.META.get("HTTP_HOST", "")):
            return view(request)
        return self.get_response(request)


def _is_of_a_machine(host: str) -> bool:
    """Return whether the host is an address, a container's or pod's name, or missing."""
    bare = _PORT.sub("", host) if not host.endswith("]") else host
    if re.fullmatch(r"[A-Za-z0-9_-]*", bare):
        return True
    try:
        ip_address(bare.strip("[]"))
    except ValueError:
        return False
    return True
