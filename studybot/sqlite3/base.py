"""Django's backend, which also reads text that is not UTF-8, and keeps no log of queries."""

import sqlite3
from functools import partial
from typing import Any

from django.db.backends.sqlite3 import base


class Connection(sqlite3.Connection):
    """Reads text that is not UTF-8 with U+FFFD in its place, since SQLite does not check text.

    Python would raise OperationalError, as if the database were away, and the bot would wait for
    ever because of one row.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text_factory = partial(str, encoding="utf-8", errors="replace")


class DatabaseWrapper(base.DatabaseWrapper):
    @property
    def queries_logged(self) -> bool:
        """Log queries only where a test asks for it, and not whenever DEBUG is set.

        Django formats each query for that log by a SELECT of its own, and nobody reads it here.
        """
        return self.force_debug_cursor

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "factory": Connection}
