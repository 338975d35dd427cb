"""The address that a request came from: the proxy's word counts only where one is set up."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# A home or a phone has so much of IPv6 to itself.
_OWN_PREFIX = 64


def client_address(request: HttpRequest) -> str | None:
    """Of whoever asked; nothing where it came by a Unix socket.

    Of X-Forwarded-For the last entry alone is our proxy's: the client itself may send any before.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_TLS_PROXY else ""
    told = _read(forwarded.rpartition(",")[2]) or _read(request.META.get("REMOTE_ADDR", ""))
    return str(told) if told else None


def counted_address(request: HttpRequest) -> str | None:
    """Under which tries are counted: of IPv6 the network, of which a guesser has 2^64 addresses."""
    told = client_address(request)
    if told is None or ":" not in told:
        return told
    return str(ip_network(f"{told}/{_OWN_PREFIX}", strict=False).network_address)


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return (isinstance(found, IPv6Address) and found.ipv4_mapped) or found
