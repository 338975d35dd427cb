"""Leaves out tests that cannot run here, for want of PostgreSQL, Redis or Chromium.

A pytest plugin (`-p tests.services`). What was left out is said in a line each at the end; where
CI is set, leaving anything out is a failure.
"""

import os
import shutil
import socket
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

DEFAULT_POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test"
DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/15"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

REMEDIES = {
    "postgres": "start PostgreSQL, or set TEST_DATABASE_URL (now {postgres})",
    "redis": "start Redis, or set TEST_REDIS_URL (now {redis})",
    "browser": "install Chromium (Debian: apt install chromium), or set CHROMIUM to its path",
    "own_postgres": "install PostgreSQL here (Debian: apt install postgresql)",
    "own_redis": "install Redis here (Debian: apt install redis-server)",
    "nginx": "install nginx and openssl here (Debian: apt install nginx-light openssl)",
    "pgbouncer": "install PgBouncer and PostgreSQL here (Debian: apt install pgbouncer postgresql)",
}


def postgres_url() -> str:
    return os.environ.get("TEST_DATABASE_URL") or DEFAULT_POSTGRES_URL


def redis_url() -> str:
    return os.environ.get("TEST_REDIS_URL") or DEFAULT_REDIS_URL


@cache
def chromium() -> str | None:
    """The path of the browser that the tests drive."""
    names = (os.environ.get("CHROMIUM") or "", *CHROMIUM_NAMES)
    return next((path for name in names if name and (path := shutil.which(name))), None)


@cache
def postgres_programs() -> Path | None:
    """The folder of initdb and postgres, with which a test starts a server of its own."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
    on_path = shutil.which("initdb")
    found = [*([Path(on_path).parent] if on_path else []), *reversed(folders)]
    return next((folder for folder in found if (folder / "initdb").exists()), None)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdecimal())


def redis_program() -> str | None:
    return shutil.which("redis-server")


def nginx_program() -> str | None:
    # Debian's is where only root's PATH leads.
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def pgbouncer_program() -> str | None:
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


def answers(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or {"redis": 6379}.get(parts.scheme, 5432)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


FOUND: dict[str, Callable[[], bool]] = {
    "postgres": cache(lambda: answers(postgres_url())),
    "redis": cache(lambda: answers(redis_url())),
    "browser": lambda: chromium() is not None,
    "own_postgres": lambda: postgres_programs() is not None,
    "own_redis": lambda: redis_program() is not None,
    "nginx": lambda: nginx_program() is not None and shutil.which("openssl") is not None,
    "pgbouncer": lambda: pgbouncer_program() is not None and postgres_programs() is not None,
}

left_out = pytest.StashKey[dict[str, int]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    counts = config.stash.setdefault(left_out, {})
    for item in items:
        for service, is_found in FOUND.items():
            if item.get_closest_marker(service) and not is_found():
                counts[service] = counts.get(service, 0) + 1
                item.add_marker(pytest.mark.skip(reason=f"no {service} here"))


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for service, count in config.stash.get(left_out, {}).items():
        remedy = REMEDIES[service].format(
            postgres=_shown(postgres_url()), redis=_shown(redis_url())
        )
        terminalreporter.write_line(f"left out {count} tests marked {service}: {remedy}")


def _shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}{parts.path}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("CI") and session.config.stash.get(left_out, {}):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
