"""Keeps other websites out, whose requests a browser would carry to this machine."""

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

SAFE_METHODS = ("GET", "HEAD")


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a host that is not this machine and, for a change, a page that is not ours."""
    if not _is_this_machine(request.host):
        raise web.HTTPForbidden(text=f"{request.host!r} is not this machine; use 127.0.0.1\n")
    origin = request.headers.get("Origin")
    # A browser lets a page of any site open a socket.
    is_safe = request.method in SAFE_METHODS and "Upgrade" not in request.headers
    if not is_safe and origin not in (None, f"http://{request.host}"):
        raise web.HTTPForbidden(text=f"{origin!r} is another website\n")
    return await handler(request)


@lru_cache(maxsize=100)
def _is_this_machine(host: str) -> bool:
    """Decide by name, because a foreign name may resolve to this machine."""
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
