"""Keeps one active bot for each set of shards, and wakes it when there is new work.

On PostgreSQL one session holds the advisory locks and listens; the server frees the locks when the
session ends, however it ends. On SQLite the seat is a locked file beside the database, and the
operating system tells of changes to the write-ahead log.
"""

import asyncio
import contextlib
import logging
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import psycopg
from django.conf import settings
from django.db import connection
from filelock import FileLock, Timeout
from psycopg.rows import TupleRow

from notices.delivery.due import Shards
from notices.delivery.wake import WAKE_CHANNEL

if sys.platform == "linux":
    from asyncinotify import Inotify, Mask

log = logging.getLogger(__name__)

# Sets our locks apart from others in the same database.
LOCK_CLASS = zlib.crc32(b"studybot.runbot") - 2**31
RECONNECT_SECONDS = 0.5
# A dead network is noticed within about three seconds.
KEEPALIVE = {
    "keepalives": 1, "keepalives_idle": 1, "keepalives_interval": 1, "keepalives_count": 2,
    "tcp_user_timeout": 3000,
}  # fmt: skip
SERVERS_KEEPALIVE = (
    "-c tcp_keepalives_idle=1 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=2 "
    "-c tcp_user_timeout=3s"
)
LOOKS_AT_THE_POOL = 10
# SQLite shows a commit to others a moment after it wrote the last page.
VISIBLE_AFTER_SECONDS = 0.002
POLL_SECONDS = 0.02


class SeatTakenError(Exception):
    """Another bot is active, and this database cannot tell us when it ends."""


class NoSeatError(Exception):
    """A pool of transactions keeps no session, so two bots could hold the same lock."""

    def __init__(self) -> None:
        super().__init__(
            "DATABASE_URL leads to a PgBouncer that pools transactions (pool_mode), and the bot "
            "keeps a session of its own. Give runbot a DATABASE_URL of PostgreSQL itself, and no "
            "DATABASE_POOLER; web and qcluster may stay behind the pool."
        )


class Watcher(Protocol):
    """Is told whether it holds the seat (`set_active`), and of new work (`wake`)."""

    def set_active(self, active: bool) -> None: ...

    def wake(self) -> None: ...


def refuse_pooled_transactions() -> None:
    """Raise NoSeatError behind a pool of transactions, in which no part of the bot could work."""
    if connection.vendor != "postgresql":
        return
    if settings.DATABASE_POOLER == "TRANSACTION":
        raise NoSeatError
    with _session() as one:
        # A pooler makes up the number that its clients are told.
        if _server(one) == one.info.backend_pid:
            return
        with _session() as other:
            # Other clients use the pool too, so one look is not enough.
            met = {(_server(one), _server(other)) for _n in range(LOOKS_AT_THE_POOL)}
    # Without a pool, two sessions have two servers and keep them.
    if len(met) > 1 or any(mine == theirs for mine, theirs in met):
        raise NoSeatError


def _session() -> psycopg.Connection[TupleRow]:
    # Nothing is prepared, since the next statement may meet another server.
    parameters = _postgres_parameters() | {"prepare_threshold": None}
    with connection.wrap_database_errors:
        return psycopg.connect(**parameters, autocommit=True)


def _server(session: psycopg.Connection[TupleRow]) -> int:
    row = session.execute("SELECT pg_backend_pid()").fetchone()
    return int(row[0]) if row else 0


async def hold_seat(watcher: Watcher, shards: Shards) -> None:
    """Take the seat of these shards, keep it, and pass on each wake-up, until cancelled."""
    if connection.vendor == "postgresql":
        await _hold_postgres_seat(watcher, shards)
    else:
        await _hold_sqlite_seat(watcher)


async def _hold_postgres_seat(watcher: Watcher, shards: Shards) -> None:
    while True:
        try:
            await _sit(watcher, shards)
        except psycopg.OperationalError as error:
            log.warning("the database session of the lock ended: %s", error)
        finally:
            watcher.set_active(False)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _sit(watcher: Watcher, shards: Shards) -> None:
    parameters = _postgres_parameters()
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as session:
        for shard_id in shards.ids:
            key = (LOCK_CLASS, shard_id)
            cursor = await session.execute("SELECT pg_try_advisory_lock(%s, %s)", key)
            row = await cursor.fetchone()
            if row and not row[0]:
                log.info("another bot is active: standing by")
                await session.execute("SELECT pg_advisory_lock(%s, %s)", key)
        await session.execute(f"LISTEN {WAKE_CHANNEL}")
        watcher.set_active(True)
        watcher.wake()
        async for _notify in session.notifies():
            watcher.wake()


def _postgres_parameters() -> dict[str, Any]:
    """Return what Django connects with, and keepalives that notice a dead network."""
    known = {**connection.get_connection_params(), **KEEPALIVE}
    del known["cursor_factory"], known["context"]  # Django's own, and not for async
    if settings.DATABASE_POOLER == "NONE":
        known["options"] = f"{known.get('options', '')} {SERVERS_KEEPALIVE}".strip()
    return known


async def _hold_sqlite_seat(watcher: Watcher) -> None:
    database = Path(connection.settings_dict["NAME"])
    lock = FileLock(f"{database}.runbot.lock")
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise SeatTakenError(
            f"Another runbot is active on {database}. On SQLite there can be only one: stop it "
            "first, or set DATABASE_URL to PostgreSQL, where a second one stands by."
        ) from error
    try:
        watcher.set_active(True)
        await _watch_file(database, watcher.wake)
    finally:
        lock.release()


async def _watch_file(database: Path, wake: Callable[[], None]) -> None:
    """Wake on each write to the write-ahead log: every commit of any process is one."""
    log_file = Path(f"{database}-wal")
    if sys.platform == "linux":
        try:
            await _pass_on_notices(log_file, wake)
        except OSError as error:
            # The limit of watches is reached, or the file system has none.
            log.warning("the database's file cannot be watched (%s): polling it", error)
    await poll_file(log_file, wake)


if sys.platform == "linux":

    async def _pass_on_notices(log_file: Path, wake: Callable[[], None]) -> None:
        with Inotify() as inotify:
            # The folder is watched because the file comes and goes.
            inotify.add_watch(log_file.parent, Mask.MODIFY)
            async for event in inotify:
                if event.name and event.name.name == log_file.name:
                    await asyncio.sleep(VISIBLE_AFTER_SECONDS)
                    wake()


async def poll_file(log_file: Path, wake: Callable[[], None]) -> None:
    """Wake on each change, on systems other than Linux. It asks the database nothing."""
    known = None
    while True:
        with contextlib.suppress(FileNotFoundError):
            found = log_file.stat()  # noqa: ASYNC240 (a microsecond)
            if known != (known := (found.st_mtime_ns, found.st_size)):
                wake()
        await asyncio.sleep(POLL_SECONDS)
