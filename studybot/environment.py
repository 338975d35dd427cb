"""The environment, read once: every wrong value is refused with its name, itself and the remedy."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from dotenv import dotenv_values

_LINE = re.compile(r"^\s*(#.*)?$|^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_TRUE = {"1", "true", "yes", "on"}
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_ORIGIN = re.compile(r"https?://[^/\s,*]+")
_FALSE = {"0", "false", "no", "off"}


def _refuse(name: str, value: str, remedy: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value!r} cannot be used: {remedy}")


def load_dotenv(path: Path) -> None:
    """Add the file's lines to the environment; what is already set there wins."""
    if not path.is_file():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not _LINE.match(line):
            raise ImproperlyConfigured(
                f"{path.name}, line {number}: {line!r} is not of the form NAME=value; "
                "correct it or put a # before it"
            )
    for name, value in dotenv_values(path).items():
        os.environ.setdefault(name, value or "")


def text(name: str, default: str = "") -> str:
    """An empty variable counts as one that is not set."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise _refuse(name, value, "write 1 or 0")


def number(name: str, default: float, *, least: float, most: float) -> float:
    value = text(name)
    try:
        read = float(value) if value else default
    except ValueError:
        read = float("nan")
    if not least <= read <= most:
        raise _refuse(name, value, f"write a number from {least:g} to {most:g}")
    return read


def whole(name: str, default: int, *, least: int, most: int) -> int:
    read = number(name, default, least=least, most=most)
    if read != int(read):
        raise _refuse(name, text(name), f"write a whole number from {least} to {most}")
    return int(read)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = text(name, default).upper()
    if value not in choices:
        raise _refuse(name, value, f"write one of {', '.join(choices)}")
    return value


def host(name: str, default: str) -> str:
    """Of this machine: a number or a name, with neither scheme nor port."""
    value = text(name, default)
    if not (_HOST.fullmatch(value) or _is_address(value)):
        raise _refuse(name, value, "write an address such as 127.0.0.1, 0.0.0.0 or ::1")
    return value


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def names(name: str) -> list[str]:
    """A list separated by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def url(name: str, default: str, schemes: tuple[str, ...]) -> str:
    value = text(name, default)
    parts = urlsplit(value)
    if value and not (
        parts.scheme in schemes and (parts.netloc or parts.path) and _has_port(parts)
    ):
        shown = f"{parts.scheme}://…" if "@" in value else value  # never a password in a log
        raise _refuse(name, shown, f"write an address that begins with {' or '.join(schemes)}://")
    return value.rstrip("/")


def _has_port(parts: SplitResult) -> bool:
    """A number that a port can have, or none."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def rate(name: str, default: str) -> tuple[int, int] | None:
    """How many in how many seconds; null where it says off."""
    value = text(name, default).lower()
    if value == "off":
        return None
    count, _slash, unit = value.partition("/")
    if not _COUNT.fullmatch(count) or unit not in _UNIT_SECONDS:
        raise _refuse(name, value, "write a number such as 600/minute, /second, /hour, or off")
    return int(count), _UNIT_SECONDS[unit]


def origins(name: str) -> list[str]:
    """Where pages come from, separated by commas: scheme and host, nothing behind."""
    found = names(name)
    for origin in found:
        if not _ORIGIN.fullmatch(origin):
            raise _refuse(name, origin, "write origins such as https://study.example.org")
    return found


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    if value not in available_timezones():
        raise _refuse(name, value, "write a name of the tz database such as Asia/Seoul")
    return value


def secret_key(name: str, directory: Path) -> str:
    """The variable, or else a key made once for this machine and kept in `directory`."""
    if value := text(name):
        if len(value) < 32:
            raise _refuse(name, "…", "write at least 32 random characters")
        return value
    path = directory / "secret_key"
    if not path.exists():
        directory.mkdir(parents=True, exist_ok=True)
        draft = directory / f"secret_key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(get_random_secret_key() + get_random_secret_key(), encoding="ascii")
        # A link fails where the file exists: of two processes that start at once, one key wins.
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()
