"""Refuses DEBUG for others than this machine: its error pages show settings and code."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# Django's own list with DEBUG. The dot stands for every name that ends so.
HOSTS = [".localhost", "127.0.0.1", "[::1]"]


def is_loopback(host: str) -> bool:
    name = host.strip("[]").lstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def refuse_debug_for_others(
    *, listens_at: str, hosts: Iterable[str], behind_proxy: bool, discord: str | None
) -> None:
    """Raise if others reach this site; `discord` is the API's address if a bot's token is set."""
    reached = next((host for host in hosts if not is_loopback(host)), None)
    if not is_loopback(listens_at):
        why = f"BOT_API_HOST={listens_at!r} lets others in"
    elif reached is not None:
        why = f"ALLOWED_HOSTS has {reached!r}, which is not this machine alone"
    elif behind_proxy:
        why = "BEHIND_TLS_PROXY=1 means that a proxy lets others in"
    elif discord is not None and not is_loopback(urlsplit(discord).hostname or ""):
        why = "BOT_TOKEN is set, and it is for Discord itself"
    else:
        return
    raise ImproperlyConfigured(
        f"DEBUG=1 cannot be used: {why}, and with it an error's page shows settings and code to "
        "whoever causes it. Remove DEBUG."
    )
