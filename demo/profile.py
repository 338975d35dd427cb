"""Decides the environment of `make run`, and whether it can start."""

import errno
import os
import socket
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from demo.story import APPLICATION

# Ports up to this are for root alone.
_LAST_FOR_ROOT = 1023
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class CannotRunError(ImproperlyConfigured):
    """A sentence that says why, and the remedy."""


def is_demo() -> bool:
    return not settings.BOT_TOKEN


def _port(name: str, unless_set: str) -> int:
    value = os.environ.get(name) or unless_set
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CannotRunError(
            f"{name}={value!r} cannot be used: write a whole number from 1 to 65535."
        )
    return int(value)


def fakediscord_port() -> int:
    return _port("FAKEDISCORD_PORT", "8001")


def fakediscord_url() -> str:
    return f"http://127.0.0.1:{fakediscord_port()}"


def example_port() -> int:
    return _port("EXAMPLE_PORT", "8002")


def example_url() -> str:
    return f"http://127.0.0.1:{example_port()}"


def web_url() -> str:
    """Return the address by which this machine reaches the web."""
    host = settings.BOT_API_HOST
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{host}:{settings.BOT_API_PORT}"


def site_url() -> str:
    """Return the address by which people reach the web."""
    if not settings.BEHIND_TLS_PROXY:
        return web_url()
    return f"https://{settings.ALLOWED_HOSTS[0].lstrip('.')}"


def environment(bin_dir: Path, demo_token: str) -> dict[str, str]:
    """Return the settings' environment, which is safe. The demo alone turns development on."""
    path = f"{bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    common = {**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}
    if not is_demo():
        return common
    return {
        **common,
        "DEBUG": "1",
        # The demo is for this machine, whatever .env says for later use with a token.
        "ALLOWED_HOSTS": "",
        "BEHIND_TLS_PROXY": "0",
        "PUBLIC_URL": "",
        "BOT_TOKEN": demo_token,
        "DISCORD_API_URL": f"{fakediscord_url()}/api/v10",
        "DISCORD_APP_URL": fakediscord_url(),
        "DISCORD_CLIENT_ID": APPLICATION,
        # It opens nothing but the Discord of this demo, on this machine.
        "DISCORD_CLIENT_SECRET": "demo",
        "DISCORD_OAUTH_URL": fakediscord_url(),
    }


def example_environment(key: str) -> dict[str, str]:
    """Return the example frontend's environment: an address and a key, as for any other."""
    return {"STUDYBOT_URL": web_url(), "STUDYBOT_KEY": key, "EXAMPLE_PORT": str(example_port())}


def refuse_what_cannot_run() -> None:
    host = settings.BOT_API_HOST
    if is_demo() and host not in LOOPBACK:
        raise CannotRunError(
            f"BOT_API_HOST={host!r} would show the demo and its logins to others: "
            "remove it, or set BOT_TOKEN to run against Discord."
        )
    if is_demo():
        _refuse_equal_ports()
    _refuse_busy_port("BOT_API_PORT", host, settings.BOT_API_PORT)
    if is_demo():
        _refuse_busy_port("FAKEDISCORD_PORT", "127.0.0.1", fakediscord_port())
        _refuse_busy_port("EXAMPLE_PORT", "127.0.0.1", example_port())


def _refuse_equal_ports() -> None:
    taken: dict[int, str] = {}
    ports = {
        "BOT_API_PORT": settings.BOT_API_PORT,
        "FAKEDISCORD_PORT": fakediscord_port(),
        "EXAMPLE_PORT": example_port(),
    }
    for name, port in ports.items():
        if port in taken:
            raise CannotRunError(
                f"{taken[port]} and {name} are both {port}: give each a port of its own."
            )
        taken[port] = name


def _refuse_busy_port(name: str, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # Like the servers, take a port that only waits out its last connections as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRunError(
                f"{host}:{port} cannot be listened on ({error.strerror}): "
                f"{_remedy_for_port(error, name, port)}"
            ) from error


def _remedy_for_port(error: OSError, name: str, port: int) -> str:
    other = port + (10 if port > _LAST_FOR_ROOT else 8000)
    remedy = f"choose another port: {name}={other} make run"
    match error.errno:
        case errno.EADDRINUSE:
            return f"stop what listens there (another `make run`?), or {remedy}"
        case errno.EACCES:
            return remedy
    return "set BOT_API_HOST to an address of this machine, such as 127.0.0.1."
