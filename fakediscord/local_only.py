"""Keeps other websites, whose requests a browser would carry, out of everything that is served."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

SAFE_METHODS = ("GET", "HEAD")


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The host must be this machine and, to change something, the page asking must be our own."""
    if not _is_this_machine(request.host):
        raise web.HTTPForbidden(text=f"{request.host!r} is not this machine; use 127.0.0.1\n")
    origin = request.headers.get("Origin")
    # A page of any site may open a socket without being asked for its origin by the browser.
    is_safe = request.method in SAFE_METHODS and "Upgrade" not in request.headers
    if not is_safe and origin not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text=f"{origin!r} is another website\n")
    return await handler(request)


@lru_cache(maxsize=100)
def _is_this_machine(host: str) -> bool:
    """By name: a name of elsewhere may lead to this machine, by an answer of its own DNS."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
