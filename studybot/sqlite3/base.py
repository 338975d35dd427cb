"""Django's backend, which also reads text that is not UTF-8, and keeps no log of queries.

It waits for the write lock itself, and in short steps.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from django.db.backends.sqlite3 import base

TRIED_EVERY_SECONDS = 0.001
DEFAULT_TIMEOUT_SECONDS = 5.0  # as Python's sqlite3 has it

Result = TypeVar("Result")


class Connection(sqlite3.Connection):
    """Waits up to `timeout` seconds for the write lock, and reads what is not UTF-8 with U+FFFD.

    Of such text, which SQLite does not refuse, Python would make an OperationalError, as if the
    database were away, and the bot would wait for ever because of one row.
    """

    _turn = Lock()

    def __init__(
        self, database: str, timeout: float = DEFAULT_TIMEOUT_SECONDS, **options: Any
    ) -> None:
        super().__init__(database, timeout=0, **options)
        self._timeout = timeout
        self.text_factory = partial(str, encoding="utf-8", errors="replace")

    def execute(self, *args: Any) -> sqlite3.Cursor:
        return self.when_unlocked(partial(super().execute, *args))

    def commit(self) -> None:
        """Without a write-ahead log, on a network's disk, it waits for whoever still reads."""
        try:
            super().commit()
        except sqlite3.OperationalError as error:
            if not _is_locked(error):
                raise
            self._in_turn(super().commit)

    def when_unlocked(self, run: Callable[[], Result]) -> Result:
        """Run a statement, again and again while another connection has the lock that it needs.

        SQLite's own wait keeps the connection's mutex, which Python needs to clear away a cursor
        of the connection, in whatever thread it does so. If that is the thread with the write
        lock, each waits for the other. SQLite also sleeps for longer and longer, up to 0.1 s,
        while the lock is often free: a bot beside a busy web got too little of it.
        """
        try:
            return run()
        except sqlite3.OperationalError as error:
            # A transaction that waited would keep its own locks, for which the other may wait.
            if self.in_transaction or not _is_locked(error):
                raise
        return self._in_turn(run)

    def _in_turn(self, run: Callable[[], Result]) -> Result:
        """One thread of a process tries at a time, since each try costs."""
        ends = time.monotonic() + self._timeout
        has_turn = self._turn.acquire(timeout=self._timeout)
        try:
            while True:
                try:
                    return run()
                except sqlite3.OperationalError as error:
                    if not _is_locked(error) or time.monotonic() >= ends:
                        raise
                time.sleep(TRIED_EVERY_SECONDS)
        finally:
            if has_turn:
                self._turn.release()


def _is_locked(error: sqlite3.Error) -> bool:
    # Python's own errors have no code. The upper bits say more, such as that it is being recovered.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY


class Cursor(base.SQLiteCursorWrapper):
    connection: Connection

    def execute(self, query: str, params: Any = None) -> Any:
        return self.connection.when_unlocked(partial(super().execute, query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        return self.connection.when_unlocked(partial(super().executemany, query, [*param_list]))


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def queries_logged(self) -> bool:
        """Log queries only where a test asks for it, and not whenever DEBUG is set.

        Django formats each query for that log by a SELECT of its own, and nobody reads it here.
        """
        return self.force_debug_cursor

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "factory": Connection}

    def create_cursor(self, name: str | None = None) -> Cursor:
        connection: Connection = self.connection
        return connection.cursor(factory=Cursor)
