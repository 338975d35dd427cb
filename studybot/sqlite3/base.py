"""Django's backend, which also reads text that is not UTF-8, and keeps no log of queries.

It waits for the write lock in short steps.
"""

import sqlite3
import time
from functools import partial
from threading import Lock
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

TRIED_EVERY_SECONDS = 0.001
DEFAULT_TIMEOUT_SECONDS = 5  # as Python's sqlite3 has it


class Connection(sqlite3.Connection):
    """Reads text that is not UTF-8 with U+FFFD in its place, since SQLite does not check text.

    Python would raise OperationalError, as if the database were away, and the bot would wait for
    ever because of one row.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text_factory = partial(str, encoding="utf-8", errors="replace")


class DatabaseWrapper(base.DatabaseWrapper):
    _turn = Lock()

    @property
    def queries_logged(self) -> bool:
        """Log queries only where a test asks for it, and not whenever DEBUG is set.

        Django formats each query for that log by a SELECT of its own, and nobody reads it here.
        """
        return self.force_debug_cursor

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "factory": Connection}

    def _start_transaction_under_autocommit(self) -> None:
        """Begin, and wait for the write lock while another has it, as long as `timeout` says.

        SQLite itself would sleep for longer and longer, up to 0.1 s, and the lock would often be
        free meanwhile: a bot beside a busy web got too little of it. One thread of a process tries
        at a time, since each try costs.
        """
        timeout = self.settings_dict["OPTIONS"].get("timeout", DEFAULT_TIMEOUT_SECONDS)
        ends = time.monotonic() + timeout
        has_turn = self._turn.acquire(timeout=timeout)
        try:
            self._wait_in_sqlite(0)
            while not self._has_begun(may_fail=time.monotonic() < ends):
                time.sleep(TRIED_EVERY_SECONDS)
        finally:
            if has_turn:
                self._turn.release()
            self._wait_in_sqlite(timeout)

    def _has_begun(self, *, may_fail: bool) -> bool:
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except OperationalError as error:
            if may_fail and _is_locked(error.__cause__):
                return False
            raise
        return True

    def _wait_in_sqlite(self, seconds: float) -> None:
        # A cursor of Django's would note it among the queries.
        connection: sqlite3.Connection = self.connection
        connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _is_locked(error: BaseException | None) -> bool:
    # The upper bits say more, for instance that the database is being recovered.
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
