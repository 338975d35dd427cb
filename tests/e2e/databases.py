"""Databases of stacks: what several begin with is made once, and each gets a copy of it."""

import atexit
import contextlib
import itertools
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests import forked

ROOT = Path(__file__).resolve().parents[2]
MIGRATED = (("migrate", "-v0"),)
Commands = tuple[tuple[str, ...], ...]
_numbers = itertools.count()


def environment_for(url: str) -> dict[str, str]:
    return os.environ | {
        "DEBUG": "1",
        "DJANGO_SETTINGS_MODULE": "studybot.settings",
        "DATABASE_URL": url,
    }


def manage(environment: dict[str, str], *arguments: str) -> str:
    """Run a command of manage.py and return what it said."""
    ended = forked.run("manage.py", *arguments, folder=ROOT, environment=environment)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@cache
def prepared(server: str, commands: Commands) -> tuple[str, str]:
    """The address of a database in which these have run, and what the last of them said.

    `server` is PostgreSQL's address, or empty for SQLite.
    """
    name = f"prepared_{os.getpid()}_{next(_numbers)}"
    url = urlsplit(server)._replace(path=f"/{name}").geturl() if server else _file(name)
    *before, last = commands
    if before:
        copy(prepared(server, tuple(before))[0], url)
    elif server:
        _administer(url, "CREATE DATABASE {}")
    if server:
        atexit.register(drop, url)
    return url, manage(environment_for(url), *last)


def copy(source: str, url: str) -> None:
    """Make the database `url`, with all that is in `source`, which nobody may be using."""
    if source.startswith("sqlite"):
        shutil.copyfile(_path(source), _path(url))
    else:
        _administer(url, f'CREATE DATABASE {{}} TEMPLATE "{urlsplit(source).path[1:]}"')


def drop(url: str) -> None:
    # A server of one test's own is gone, and all that it had with it.
    with contextlib.suppress(psycopg.OperationalError):
        _administer(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)")


def _administer(url: str, statement: str) -> None:
    """`statement` has {} in the place of the database's name."""
    database = urlsplit(url)
    with psycopg.connect(database._replace(path="/postgres").geturl(), autocommit=True) as session:
        session.execute(statement.format(f'"{database.path[1:]}"').encode())


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return folder


def _file(name: str) -> str:
    return f"sqlite:///{_folder() / name}.sqlite3"


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))
