"""Sends callbacks: signed as Standard Webhooks are, and only to the public internet.

Whoever registers an endpoint names an address that this machine will ask, and it must not lead to
what only this machine can reach. The address is checked when the socket is made, after its name is
resolved: no name can resolve to one address for the check and to another for the connection.
"""

import base64
import errno
import hashlib
import hmac
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from django.conf import settings

from notices.outside import clock
from notices.tables.limits import DETAIL_LIMIT

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
AGENT = "studybot-callbacks/1"
# An IPv6 address of NAT64 is judged by the IPv4 address inside it. The other transitions are
# refused.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REFUSED_TRANSITIONS = [
    ipaddress.ip_network(text) for text in ("2002::/16", "2001::/32", "64:ff9b:1::/48")
]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Envelope(NamedTuple):
    """A message for an endpoint. Its `id` stays the same however often it is sent."""

    url: str
    secret: str
    id: str
    body: bytes


class EndpointResponse(NamedTuple):
    """An endpoint's answer: `code` is None without one, and `error` says why."""

    code: int | None
    error: str = ""

    @property
    def is_success(self) -> bool:
        return self.code is not None and 200 <= self.code < 300

    @property
    def is_final(self) -> bool:
        """Whether the endpoint is gone: Standard Webhooks says to stop sending then."""
        return self.code == 410


class ForbiddenAddressError(OSError):
    """The address is not public, so no connection is made."""


@asynccontextmanager
async def session(resolver: AbstractResolver | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session for many `post` at once. A name server that hangs blocks no thread."""
    resolver = resolver or aiohttp.AsyncResolver()
    connector = aiohttp.TCPConnector(
        limit=0, force_close=True, socket_factory=_guarded_socket, resolver=resolver
    )
    try:
        async with aiohttp.ClientSession(
            connector=connector, timeout=TIMEOUT, trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as opened:  # fmt: skip
            yield opened
    finally:
        await resolver.close()


async def post(session: aiohttp.ClientSession, envelope: Envelope) -> EndpointResponse:
    moment = int(clock.now().timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": AGENT,
        "webhook-id": envelope.id,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(envelope, moment),
    }
    try:
        # The body is not read: closing the connection discards it.
        async with session.post(
            envelope.url, data=envelope.body, headers=headers, allow_redirects=False
        ) as response:
            return EndpointResponse(response.status, _error_text(response))
    except TimeoutError:
        return EndpointResponse(None, f"no answer within {TIMEOUT.total:g} seconds")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return EndpointResponse(None, (str(error) or type(error).__name__)[:DETAIL_LIMIT])


def _error_text(response: aiohttp.ClientResponse) -> str:
    if 200 <= response.status < 300:
        return ""
    return f"HTTP {response.status} {response.reason or ''}".strip()[:DETAIL_LIMIT]


def signature(envelope: Envelope, moment: int) -> str:
    """Sign the id, the moment in seconds and the bytes of the body."""
    key = base64.b64decode(envelope.secret.removeprefix("whsec_"))
    signed = f"{envelope.id}.{moment}.".encode() + envelope.body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


# --- where it may go -----------------------------------------------------------------------


def _guarded_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """Check the address that is about to be connected to, then make its socket."""
    family, kind, protocol, _name, address = info
    check_address(address[0])
    return socket.socket(family, kind, protocol)


def check_address(text: str) -> None:
    if not settings.CALLBACK_ALLOW_PRIVATE and not is_public(text):
        told = f"{text} is no address of the public internet"
        raise ForbiddenAddressError(errno.EACCES, told)


def names_private_address(url: str) -> bool:
    """Return whether the address is a private IP, without asking a name server."""
    try:
        return not settings.CALLBACK_ALLOW_PRIVATE and not is_public(host_of(url))
    except ValueError:
        return False  # a name


def host_of(url: str) -> str:
    """Return the host to connect to, or "" if the address has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_public(text: str) -> bool:
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or any(address in network for network in _REFUSED_TRANSITIONS):
            return False
        address = _inner(address)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: ipaddress.IPv6Address) -> Address:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
