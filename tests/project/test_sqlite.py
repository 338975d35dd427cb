"""The differences of our backend for SQLite from Django's."""

import gc
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, reset_queries
from django.test.utils import CaptureQueriesContext

from studybot.sqlite3.base import DatabaseWrapper
from tests.e2e.stack import wait_for

PATIENCE_SECONDS = 60

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="it is SQLite's"),
]


def test_debug_costs_no_log_of_queries(settings: Any) -> None:
    settings.DEBUG = True
    reset_queries()
    assert not User.objects.exists()
    assert connection.queries == []


def test_a_test_that_asks_for_the_queries_gets_them() -> None:
    with CaptureQueriesContext(connection) as captured:
        assert not User.objects.exists()
    assert len(captured) == 1


@pytest.fixture
def held(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """The connection that has the write lock of a database."""
    with closing(sqlite3.connect(tmp_path / "held.sqlite3", isolation_level=None)) as holder:
        holder.execute("CREATE TABLE word (word TEXT)")
        holder.execute("BEGIN IMMEDIATE")
        yield holder


def second_connection(tmp_path: Path, timeout: float) -> DatabaseWrapper:
    options = {"transaction_mode": "IMMEDIATE", "timeout": timeout}
    name = str(tmp_path / "held.sqlite3")
    return DatabaseWrapper({**connection.settings_dict, "NAME": name, "OPTIONS": options}, "second")


def begin_and_write(database: DatabaseWrapper) -> None:
    database.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    database.cursor().execute("INSERT INTO word VALUES ('가')")
    database.commit()
    database.set_autocommit(True)


def start_to_write(tmp_path: Path, tries: list[str]) -> Thread:
    """Write in a thread of its own; each statement that is tried comes into `tries`."""

    def write() -> None:
        database = second_connection(tmp_path, timeout=PATIENCE_SECONDS)
        database.ensure_connection()
        database.connection.set_trace_callback(tries.append)
        begin_and_write(database)
        database.close()

    writing = Thread(target=write)
    writing.start()
    return writing


def test_a_transaction_asks_for_the_write_lock_again_and_again(
    held: sqlite3.Connection, tmp_path: Path
) -> None:
    tries: list[str] = []
    writing = start_to_write(tmp_path, tries)
    wait_for(lambda: len(tries) >= 3, "it asks for the third time")
    assert set(tries) == {"BEGIN IMMEDIATE"}
    held.execute("COMMIT")
    writing.join(PATIENCE_SECONDS)
    assert held.execute("SELECT word FROM word").fetchall() == [("가",)]


def test_the_holder_of_the_lock_can_clear_away_a_cursor_of_one_that_waits(
    held: sqlite3.Connection, tmp_path: Path
) -> None:
    """Python may clear away objects that refer to each other in any thread."""
    tries: list[str] = []
    errors: list[sqlite3.OperationalError] = []
    database = second_connection(tmp_path, timeout=2)
    database.ensure_connection()
    database.connection.set_trace_callback(tries.append)
    gc.collect()
    circle: list[Any] = [database.connection.cursor().execute("SELECT 1 UNION SELECT 2")]
    circle.append(circle)
    del circle

    def write() -> None:
        try:
            database.connection.execute("INSERT INTO word VALUES ('가')")
        except sqlite3.OperationalError as error:
            errors.append(error)

    gc.disable()
    try:
        writing = Thread(target=write)
        writing.start()
        wait_for(lambda: "INSERT" in tries[-1], "it asks for the lock")
    finally:
        gc.enable()
    gc.collect()
    held.execute("COMMIT")
    writing.join(PATIENCE_SECONDS)
    assert errors == []
    assert held.execute("SELECT word FROM word").fetchall() == [("가",)]
    database.close()


def test_a_commit_waits_for_whoever_reads_where_there_is_no_write_ahead_log(
    held: sqlite3.Connection, tmp_path: Path
) -> None:
    held.execute("INSERT INTO word VALUES ('가')")
    held.execute("COMMIT")
    held.execute("BEGIN")
    assert held.execute("SELECT word FROM word").fetchall() == [("가",)]
    tries: list[str] = []
    writing = start_to_write(tmp_path, tries)
    wait_for(lambda: tries.count("COMMIT") >= 3, "it tries to commit for the third time")
    held.execute("COMMIT")
    writing.join(PATIENCE_SECONDS)
    assert held.execute("SELECT count(*) FROM word").fetchone() == (2,)


def test_a_transaction_waits_no_longer_than_its_timeout(
    held: sqlite3.Connection, tmp_path: Path
) -> None:
    database = second_connection(tmp_path, timeout=0.2)
    with pytest.raises(OperationalError, match="database is locked"):
        begin_and_write(database)
    held.execute("COMMIT")
    begin_and_write(database)
    assert held.execute("SELECT word FROM word").fetchall() == [("가",)]
    database.close()
