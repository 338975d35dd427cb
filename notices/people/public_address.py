"""The whole address of a link that people are given."""

from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest


class UnknownAddressError(ImproperlyConfigured):
    """Nothing says by which address people reach the web."""


def of_path(path: str, request: HttpRequest | None = None) -> str:
    """Return the whole address. `request` tells the site's where PUBLIC_URL is not set."""
    if request is not None and not settings.PUBLIC_URL:
        return request.build_absolute_uri(path)
    return f"{_site()}{path}"


def _site() -> str:
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    names = [host for host in settings.ALLOWED_HOSTS if not host.startswith(".")]
    if settings.BEHIND_TLS_PROXY and names:
        return f"https://{names[0]}"
    if not settings.BEHIND_TLS_PROXY and _is_loopback(settings.BOT_API_HOST):
        host = settings.BOT_API_HOST
        return f"http://{f'[{host}]' if ':' in host else host}:{settings.BOT_API_PORT}"
    raise UnknownAddressError(
        "PUBLIC_URL is not set: set it to where people reach the web, such as "
        "https://notices.example.org."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
