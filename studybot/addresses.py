"""Reads addresses with passwords and options from the environment.

An address that could be read in two ways is refused by name and remedy; no password is ever
repeated.
"""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environ import Env
from psycopg import pq

from studybot.environment import refuse, text

_RAW = (
    "in a user name or password write @ as %40, : as %3A, / as %2F, # as %23, ? as %3F, "
    "% as %25 and a blank as %20"
)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SHOWN_WHOLE = re.compile(r"[\w.-]+(:[0-9]{1,5})?")
_HOST = re.compile(r"[\w.,%-]+|[0-9a-f:.]+(%[\w.-]+)?", re.IGNORECASE)

_POSTGRES = ("postgres", "postgresql")
# Django and dj-database-url know these beside libpq's own.
_DJANGO_OPTIONS = {
    "currentSchema", "assume_role", "isolation_level", "server_side_binding", "prepare_threshold",
}  # fmt: skip
_REDIS_OPTIONS = {
    "db", "username", "password", "client_name", "protocol", "max_connections",
    "socket_timeout", "socket_connect_timeout", "socket_keepalive", "health_check_interval",
    "retry_on_timeout", "timeout", "ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile",
    "ssl_keyfile", "ssl_password", "ssl_check_hostname", "ssl_min_version",
}  # fmt: skip
_NUMBERS = {"socket_timeout", "socket_connect_timeout", "timeout", "health_check_interval"}
_WHOLE_NUMBERS = {
    "db", "protocol", "max_connections", "connect_timeout", "tcp_user_timeout", "keepalives",
    "keepalives_idle", "keepalives_interval", "keepalives_count", "prepare_threshold",
}  # fmt: skip
# TLS begins within the connection, or with it.
_MAIL_PORTS = {"smtp+tls": 587, "smtp+ssl": 465, "smtp": 25}
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": (
        "any", "read-write", "read-only", "primary", "standby", "prefer-standby",
    ),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "load_balance_hosts": ("disable", "random"),
    "ssl_cert_reqs": ("none", "optional", "required"),
}  # fmt: skip


def database(name: str, default: Path, base: Path) -> dict[str, Any]:
    """Return Django's settings of a database. A relative path is below `base`."""
    value = text(name).rstrip("/")
    if not value:
        return _sqlite(default)
    scheme = value.partition("://")[0].lower()
    if scheme == "sqlite":
        return _sqlite(_sqlite_path(name, value, base))
    parts = _split(name, value, ("sqlite", *_POSTGRES))
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()} | _DJANGO_OPTIONS
    options = _options(name, value, parts, known)
    if not (parts.path.strip("/") or {"service", "dbname"} & options.keys()):
        raise _refuse(name, value, "name the database, as in postgres://user@host:5432/studybot")
    return dict(dj_database_url.parse(value))


def redis(name: str) -> str:
    value = text(name).rstrip("/")
    if not value:
        return ""
    # redis-py knows schemes in lower case only.
    scheme, separator, behind = value.partition("://")
    value = f"{scheme.lower()}{separator}{behind}"
    parts = _split(name, value, ("redis", "rediss", "unix"))
    _options(name, value, parts, _REDIS_OPTIONS)
    if parts.scheme == "unix":
        return value
    if not parts.hostname:
        raise _refuse(name, value, "name the host, as in redis://127.0.0.1:6379/0")
    if not re.fullmatch(r"/?[0-9]*", parts.path):
        raise _refuse(name, value, "behind the host stands a number, as in redis://host:6379/0")
    return value


def site(name: str, default: str) -> str:
    """Return the address of a site, without a slash at its end."""
    value = text(name, default).rstrip("/")
    parts = _split(name, value, ("https", "http"))
    if not parts.hostname or parts.query or "@" in value:
        raise _refuse(name, value, f"write scheme, host and path alone, as in {default}")
    return value


def mail(name: str) -> dict[str, Any]:
    """Return Django's settings of a mail server, or none if the variable is not set."""
    value = text(name).rstrip("/")
    if not value:
        return {}
    parts = _split(name, value, tuple(_MAIL_PORTS))
    if not parts.hostname or parts.path or parts.query:
        raise _refuse(name, value, "write it as smtp+tls://user:password@mail.example.org:587")
    found: dict[str, Any] = Env.email_url_config(value)
    more = {"EMAIL_PORT": parts.port or _MAIL_PORTS[parts.scheme], "EMAIL_TIMEOUT": 10}
    return {name: setting or "" for name, setting in (found | more).items()}


def _split(name: str, value: str, schemes: tuple[str, ...]) -> SplitResult:
    scheme, separator, behind = value.partition("://")
    if scheme.lower() not in schemes or not separator or not behind:
        remedy = f"write an address that begins with {' or '.join(f'{one}://' for one in schemes)}"
        raise _refuse(name, value, remedy)
    if any(letter.isspace() or not letter.isprintable() for letter in value):
        raise _refuse(name, value, f"it has a blank in it; {_RAW}")
    authority = re.split(r"[/?]", behind, maxsplit=1)[0]
    if "#" in value or _BAD_ESCAPE.search(value) or behind.count("@") != ("@" in authority):
        raise _refuse(name, value, _RAW)
    try:
        parts = urlsplit(value)
        hostname = parts.hostname or ""
    except ValueError:
        raise _refuse(name, value, f"its host cannot be read; {_RAW}") from None
    if not _has_port(parts):
        remedy = "its port is no number from 1 to 65535 (before it stands the host, as in "
        raise _refuse(name, value, f"{remedy}{scheme}://user:password@host:5432/…); {_RAW}")
    if (hostname and not _HOST.fullmatch(hostname)) or (parts.netloc and not hostname):
        raise _refuse(name, value, f"there is no host in it that can be; {_RAW}")
    return parts


def _has_port(parts: SplitResult) -> bool:
    """Return whether the port is valid or missing."""
    try:
        return (parts.port is None or parts.port > 0) and not parts.netloc.endswith(":")
    except ValueError:
        return False


def _options(
    name: str, value: str, parts: SplitResult, known: Collection[str]
) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _refuse(name, value, "write options as ?name=value&name=value") from None
    options = dict(pairs)
    for option, given in options.items():
        if option not in known:
            # A raw & in a password among the options makes an option of what follows it.
            shown = "an option" if "password" in options else f"the option {option!r}"
            raise _refuse(name, value, f"it has {shown}, which is not known")
        if [one for one, _given in pairs].count(option) > 1:
            raise _refuse(name, value, f"it has the option {option!r} twice")
        if option in _NUMBERS and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", given):
            raise _refuse(name, value, f"its option {option!r} is no number")
        if option in _WHOLE_NUMBERS and not re.fullmatch("[0-9]{1,9}", given):
            raise _refuse(name, value, f"its option {option!r} is no whole number")
        if option in _CHOICES and given not in _CHOICES[option]:
            raise _refuse(name, value, f"its {option!r} is none of {', '.join(_CHOICES[option])}")
    return options


def _sqlite_path(name: str, value: str, base: Path) -> Path:
    behind = value.partition("://")[2]
    if not behind.startswith("/") or behind in ("/", "/:memory:"):
        raise refuse(name, value, "write a file of all processes, as in sqlite:////srv/a/file")
    if "#" in behind or "?" in behind:
        raise refuse(name, value, "in a path write # as %23 and ? as %3F")
    path = base / unquote(behind[1:])
    if not path.parent.is_dir():
        raise refuse(name, value, f"there is no folder {path.parent}; make it")
    if path.is_dir():
        raise refuse(name, value, f"{path} is a folder; name a file in it")
    return path


def _sqlite(path: Path) -> dict[str, Any]:
    """Raise ImproperlyConfigured if the file exists and cannot be written."""
    if path.exists() and not os.access(path, os.W_OK):
        raise ImproperlyConfigured(
            f"The database {path} cannot be written to: it belongs to another user, or the disk is "
            "read-only. Give this user the right to (chown), or set DATABASE_URL."
        )
    return {"ENGINE": "studybot.sqlite3", "NAME": str(path)}


def _refuse(name: str, value: str, remedy: str) -> ImproperlyConfigured:
    """Show only the part of the address that can hold no password."""
    scheme, separator, _behind = value.partition("://")
    shown = f"{scheme}://…" if separator and scheme.isalnum() else "…"
    has_secret = name.endswith(("DATABASE_URL", "REDIS_URL")) or "@" in value
    return refuse(
        name, shown if has_secret and not _SHOWN_WHOLE.fullmatch(value) else value, remedy
    )
