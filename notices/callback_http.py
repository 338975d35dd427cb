"""Callbacks on the wire: signed as Standard Webhooks are, and sent nowhere but into the internet.

Whoever registers an endpoint names an address that this machine will ask: it must not be led to
what only this machine can reach. The socket itself is refused, after every name is resolved: so no
name can answer one thing when it is looked at and another when it is connected to.
"""

import base64
import errno
import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from django.conf import settings

from notices.models import DETAIL_LIMIT

TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)
AGENT = "studybot-callbacks/1"
# What is left of IPv4 inside IPv6 goes where its IPv4 address says.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_TOO_CLEVER = [ipaddress.ip_network(text) for text in ("2002::/16", "2001::/32", "64:ff9b:1::/48")]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Envelope(NamedTuple):
    """A message for an endpoint: `id` stays the same however often it is sent."""

    url: str
    secret: str
    id: str
    body: bytes


class Answer(NamedTuple):
    """`code` is null where there was none; `error` says why."""

    code: int | None
    error: str = ""

    @property
    def is_taken(self) -> bool:
        return self.code is not None and 200 <= self.code < 300

    @property
    def is_final(self) -> bool:
        """The endpoint is gone for good: by the specification it is to be asked no more."""
        return self.code == 410


class ForbiddenAddressError(OSError):
    """No connection is made there."""


@asynccontextmanager
async def session(resolver: AbstractResolver | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """For `post`, by many at once. A name server that hangs holds up no thread, and nobody else."""
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


async def post(session: aiohttp.ClientSession, envelope: Envelope) -> Answer:
    moment = int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": AGENT,
        "webhook-id": envelope.id,
        "webhook-timestamp": str(moment),
        "webhook-signature": signature(envelope, moment),
    }
    try:
        # The body of the answer is not read: the connection is closed on it.
        async with session.post(
            envelope.url, data=envelope.body, headers=headers, allow_redirects=False
        ) as response:
            return Answer(response.status, _told(response))
    except TimeoutError:
        return Answer(None, f"no answer within {TIMEOUT.total:g} seconds")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(None, (str(error) or type(error).__name__)[:DETAIL_LIMIT])


def _told(response: aiohttp.ClientResponse) -> str:
    if 200 <= response.status < 300:
        return ""
    return f"HTTP {response.status} {response.reason or ''}".strip()[:DETAIL_LIMIT]


def signature(envelope: Envelope, moment: int) -> str:
    """Of the id, the moment in seconds and the very bytes of the body."""
    key = base64.b64decode(envelope.secret.removeprefix("whsec_"))
    signed = f"{envelope.id}.{moment}.".encode() + envelope.body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


# --- where it may go -----------------------------------------------------------------------


def _guarded_socket(info: Any) -> socket.socket:
    """For the very address that is connected to, at the last moment before."""
    family, kind, protocol, _name, address = info
    check_address(address[0])
    return socket.socket(family, kind, protocol)


def check_address(text: str) -> None:
    if not settings.CALLBACK_ALLOW_PRIVATE and not is_public(text):
        told = f"{text} is no address of the public internet"
        raise ForbiddenAddressError(errno.EACCES, told)


def names_private_address(url: str) -> bool:
    """Whether it is plain from the address itself, without asking any name server."""
    try:
        return not settings.CALLBACK_ALLOW_PRIVATE and not is_public(host_of(url))
    except ValueError:
        return False  # a name


def host_of(url: str) -> str:
    """As it is connected to; empty where the address names none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def is_public(text: str) -> bool:
    address: Address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.is_site_local or any(address in network for network in _TOO_CLEVER):
            return False
        address = _inner(address)
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: ipaddress.IPv6Address) -> Address:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
