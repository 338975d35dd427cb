"""Machines ask by an address whether the web is well: a probe knows no name of ours."""

import re
from collections.abc import Callable
from ipaddress import ip_address

from django.http import HttpRequest, HttpResponse

from notices import health, metrics

GetResponse = Callable[[HttpRequest], HttpResponse]

_ASKED: dict[str, GetResponse] = {
    "/healthz": health.healthz,
    "/readyz": health.readyz,
    "/metrics": metrics.metrics,
}
_PORT = re.compile(r":[0-9]*$")


class Probes:
    """Answers before anybody compares the Host with ALLOWED_HOSTS, which hold for all else.

    A name of several parts is left to them: a page that somebody opened could ask under such a
    name, having its own lead here, and read the answer.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = _ASKED.get(request.path_info)
        if view and _is_of_a_machine(request.META.get("HTTP_HOST", "")):
            return view(request)
        return self.get_response(request)


def _is_of_a_machine(host: str) -> bool:
    """An address, a name as containers and pods have it, or none."""
    bare = _PORT.sub("", host) if not host.endswith("]") else host
    if re.fullmatch(r"[A-Za-z0-9_-]*", bare):
        return True
    try:
        ip_address(bare.strip("[]"))
    except ValueError:
        return False
    return True
