"""Sets studybot up in its two ways: on SQLite as `make run` does it, and as in production."""

import os
import secrets
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.contenders import POSTGRES, SQLITE

DEFAULT_POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/test"
DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/15"


@dataclass(frozen=True, slots=True)
class Setup:
    """A database of its own, and the environment of studybot's processes."""

    title: str
    environment: dict[str, str]

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
                return file.execute(statement).fetchall()
        with psycopg.connect(url, autocommit=True) as session:
            return session.execute(statement.encode()).fetchall()


def missing() -> list[str]:
    """Return what production's setup lacks on this machine, each with its remedy."""
    services = (
        ("PostgreSQL", _postgres_url(), 5432, "TEST_DATABASE_URL"),
        ("Redis", _redis_url(), 6379, "TEST_REDIS_URL"),
    )
    return [
        f"{name} does not answer: start it, or set {variable}"
        for name, url, port, variable in services
        if not _answers(url, port)
    ]


@contextmanager
def setup(title: str, folder: Path) -> Iterator[Setup]:
    made = _postgres() if title == POSTGRES else _sqlite(folder)
    with made as one:
        yield one


@contextmanager
def _sqlite(folder: Path) -> Iterator[Setup]:
    # The bot watches the database's folder, so nothing else may be written there.
    place = folder / f"sqlite-{secrets.token_hex(4)}"
    place.mkdir()
    yield Setup(
        SQLITE,
        {"DEBUG": "1", "DATABASE_URL": f"sqlite:///{place / 'studybot.sqlite3'}", "REDIS_URL": ""},
    )


@contextmanager
def _postgres() -> Iterator[Setup]:
    name = f"bench_{os.getpid()}_{secrets.token_hex(4)}"
    _administer(f'CREATE DATABASE "{name}"')
    try:
        yield Setup(
            POSTGRES,
            {
                "DEBUG": "0",
                "ALLOWED_HOSTS": "127.0.0.1",
                "DATABASE_URL": urlsplit(_postgres_url())._replace(path=f"/{name}").geturl(),
                "REDIS_URL": _redis_url(),
                "WEB_CONCURRENCY": "2",
            },
        )
    finally:
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(statement: str) -> None:
    with psycopg.connect(_postgres_url(), autocommit=True) as session:
        session.execute(statement.encode())


def _postgres_url() -> str:
    return os.environ.get("TEST_DATABASE_URL") or DEFAULT_POSTGRES_URL


def _redis_url() -> str:
    return os.environ.get("TEST_REDIS_URL") or DEFAULT_REDIS_URL


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or default_port)
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError:
        return False
    return True
