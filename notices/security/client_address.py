"""The client's address of a request; X-Forwarded-For counts only behind a proxy of ours."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# One home or phone has a whole IPv6 network of this prefix length.
_OWN_PREFIX = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the client's address, or None if the request came by a Unix socket.

    Our proxy has written the last entry of X-Forwarded-For; the client may have sent the others.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_TLS_PROXY else ""
    told = _read(forwarded.rpartition(",")[2]) or _read(request.META.get("REMOTE_ADDR", ""))
    return str(told) if told else None


def counted_address(request: HttpRequest) -> str | None:
    """Return what tries are counted by: for IPv6 the network, as one client has 2^64 addresses."""
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
