"""Reads the environment once, and refuses a wrong value by name, value and remedy."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management.utils import get_random_secret_key
from django.core.validators import validate_email

from studybot import dotenv_file

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_TOKEN = re.compile(r"[!-~]*")
_SECRET = re.compile(r"[A-Za-z0-9._~-]*")
_SNOWFLAKE = re.compile(r"[1-9][0-9]{14,19}")
_TRUE = {"1", "true", "yes", "on"}
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_UNIT_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_ORIGIN = re.compile(r"(https?)://([\w.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_USUAL_PORTS = {"http": "80", "https": "443"}
_FALSE = {"0", "false", "no", "off"}


# Every name that is asked for. gunicorn and `make run` read the others.
known = {"DJANGO_SETTINGS_MODULE", "FAKEDISCORD_PORT", "EXAMPLE_PORT"}


def refuse(name: str, value: str, remedy: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name}={value!r} cannot be used: {remedy}")


def load_dotenv(path: Path) -> None:
    """Add the file's lines to the environment; what is set there already wins."""
    for name, value in dotenv_file.read(path).items():
        os.environ.setdefault(name, value)


def text(name: str, default: str = "") -> str:
    """Return the value; an empty variable counts as unset."""
    known.add(name)
    return os.environ.get(name, "").strip() or default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE | _FALSE:
        return value in _TRUE
    raise refuse(name, value, "write 1 or 0")


def number(name: str, default: float, *, least: float, most: float) -> float:
    value = text(name)
    try:
        read = float(value) if value else default
    except ValueError:
        read = float("nan")
    if not least <= read <= most:
        raise refuse(name, value, f"write a number from {least:g} to {most:g}")
    return read


def whole(name: str, default: int, *, least: int, most: int) -> int:
    read = number(name, default, least=least, most=most)
    if read != int(read):
        raise refuse(name, text(name), f"write a whole number from {least} to {most}")
    return int(read)


def choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = text(name, default).upper()
    if value not in choices:
        raise refuse(name, value, f"write one of {', '.join(choices)}")
    return value


def host(name: str, default: str) -> str:
    """Return a host of this machine: a number or a name, without scheme and port."""
    value = text(name, default)
    if not (_HOST.fullmatch(value) or _is_address(value)):
        raise refuse(name, value, "write an address such as 127.0.0.1, 0.0.0.0 or ::1")
    return value


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def names(name: str) -> list[str]:
    """Return a list whose parts are separated by commas."""
    return [part.strip() for part in text(name).split(",") if part.strip()]


def hosts(name: str) -> list[str]:
    """Return the hosts by which people reach the web, as Django wants them."""
    return [_reached_host(name, given) for given in names(name)]


def _reached_host(name: str, given: str) -> str:
    address, host = given.strip("[]"), given.lower()
    if _is_address(address):
        return f"[{ip_address(address)}]" if ":" in address else address
    dot = "." if host.startswith(".") else ""
    ascii_name = _in_ascii(host.removeprefix("."))
    if given == "*" or not _HOST.fullmatch(ascii_name) or ".." in ascii_name:
        raise refuse(
            name,
            given,
            "write names and addresses alone, separated by commas, without https://, port, path, "
            "quotes or *: notices.example.org,192.0.2.7 (.example.org stands for all below it)",
        )
    return dot + ascii_name


def _in_ascii(host: str) -> str:
    """Return the name as browsers send it (스터디.한국 in ASCII); "" if it can be none."""
    try:
        return host.encode("idna").decode()
    except UnicodeError:
        return ""


def token(name: str) -> str:
    """Return a bot's token, which no error repeats."""
    value = text(name)
    if value[:1] in "\"'“‘`" and value:
        raise refuse(name, "…", "it stands in quotation marks; take them away")
    if value.lower().startswith(("bot ", "bearer ")):
        raise refuse(name, "…", "write the token alone, without the word before it")
    if not _TOKEN.fullmatch(value):
        raise refuse(
            name,
            "…",
            "it holds a blank, or a character that no token has. Copy it anew from the Discord "
            "developer portal (your application, Bot, Reset Token)",
        )
    return value


def application(name: str) -> str:
    """Return the id of an application of Discord's."""
    value = text(name)
    if value and not _SNOWFLAKE.fullmatch(value):
        raise refuse(
            name,
            value,
            "write the number that the Discord developer portal shows (your application, OAuth2, "
            "Client ID)",
        )
    return value


def secret(name: str) -> str:
    """Return the secret of an application of Discord's, which no error repeats."""
    value = text(name)
    if not _SECRET.fullmatch(value):
        raise refuse(
            name,
            "…",
            "it has a sign that no secret has. Copy it anew from the Discord developer portal "
            "(your application, OAuth2, Reset Secret)",
        )
    return value


def refuse_one_without_the_other(*names: str) -> None:
    missing = [name for name in names if not text(name)]
    if missing and len(missing) < len(names):
        given = next(name for name in names if name not in missing)
        raise ImproperlyConfigured(
            f"{given} is set and {missing[0]} is not: set both, or neither. The Discord developer "
            "portal shows them (your application, OAuth2)."
        )


def folder(name: str, default: Path) -> Path:
    value = text(name)
    if value and not Path(value).is_absolute():
        raise refuse(name, value, f"write the whole path of a folder, such as {default}")
    return Path(value) if value else default


def rate(name: str, default: str) -> tuple[int, int] | None:
    """Return how many in how many seconds; None for "off"."""
    value = text(name, default).lower()
    if value == "off":
        return None
    count, _slash, unit = value.partition("/")
    if not _COUNT.fullmatch(count) or unit not in _UNIT_SECONDS:
        raise refuse(name, value, "write a number such as 600/minute, /second, /hour, or off")
    return int(count), _UNIT_SECONDS[unit]


def origins(name: str) -> list[str]:
    """Return the origins, separated by commas: scheme and host, nothing behind."""
    return [_origin(name, given) for given in names(name)]


def origin(name: str) -> str:
    """Return scheme and host, or "" if it is not set."""
    value = text(name).rstrip("/")
    return _origin(name, value) if value else ""


def _origin(name: str, given: str) -> str:
    """Return the origin as browsers write it: any other spelling would never match."""
    found = _ORIGIN.fullmatch(given.lower())
    host = _in_ascii(found[2]) if found else ""
    if not found or not host or int(found[3] or 1) not in range(1, 65536):
        raise refuse(
            name, given, "write origins such as https://study.example.org, with nothing behind"
        )
    scheme, port = found[1], found[3]
    return f"{scheme}://{host}" + (f":{port}" if port and port != _USUAL_PORTS[scheme] else "")


def sender(name: str, default: str) -> str:
    """Return an address from which mail comes."""
    value = text(name, default)
    try:
        validate_email(value)
    except ValidationError:
        raise refuse(name, value, "write an address such as notices@example.org") from None
    return value


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    if value not in available_timezones():
        raise refuse(name, value, "write a name of the tz database such as Asia/Seoul")
    return value


def secret_key(name: str, directory: Path) -> str:
    """Return the variable, or a key made once for this machine and kept in `directory`."""
    if value := text(name):
        if len(value) < 32:
            raise refuse(name, "…", "write at least 32 random characters")
        return value
    path = directory / "secret_key"
    try:
        if not path.exists():
            _make_secret_key(path)
        kept = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise ImproperlyConfigured(
            f"{name} is not set, and {path} cannot be used ({why}): make {directory} writable for "
            f"this user (chown), or set {name} to at least 32 random characters."
        ) from error
    if len(kept) < 32:
        raise ImproperlyConfigured(
            f"{path} is damaged: delete it and another is made. People then log in anew."
        )
    return kept


def _make_secret_key(path: Path) -> None:
    draft = path.with_name(f"secret_key.{os.getpid()}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(get_random_secret_key() + get_random_secret_key(), encoding="ascii")
        # A link fails if the file exists: of two processes that start at once, one key wins.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
