"""Keeps other websites, whose requests a browser would carry, out of the page and the controls."""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SAFE_METHODS = ("GET", "HEAD")


def local_only(handler: Handler) -> Handler:
    """The host must be this machine and, to change something, the page asking must be our own."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
            raise web.HTTPForbidden(text=f"{request.host!r} is not this machine; use 127.0.0.1\n")
        origin = request.headers.get("Origin")
        if request.method not in SAFE_METHODS and origin not in (None, f"http://{request.host}"):
            raise web.HTTPForbidden(text=f"{origin!r} is another website\n")
        return await handler(request)

    return guarded


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
