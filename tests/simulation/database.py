"""The real database code over SQLite in memory; commits lose their answers, processes their way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

from django.core.management import call_command
from django.db import OperationalError, connections

from studybot.sqlite3.base import DatabaseWrapper
from tests.simulation.loop import DiedError, Life, life
from tests.simulation.world import World

T = TypeVar("T")


class Connection(DatabaseWrapper):
    def __init__(self) -> None:
        super().__init__({**connections.settings["default"], "NAME": ":memory:"}, "default")
        self.committed: Callable[[], None] = lambda: None

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.committed()


@cache
def _template() -> Connection:
    """The tables as the migrations make them, with nothing in them."""
    with _in_place_of_others(made := Connection()):
        call_command("migrate", verbosity=0)
    return made


@contextmanager
def _in_place_of_others(one: Connection) -> Iterator[None]:
    """Not by contexts, as for each of these Django would open an empty database of its own."""
    registry: Any = connections
    held, registry._connections = registry._connections, SimpleNamespace(default=one)
    try:
        yield
    finally:
        registry._connections = held


@contextmanager
def database() -> Iterator["Database"]:
    """A new one, which is the only one that everything in the block finds."""
    template = _template()
    one = Connection()
    one.connect()
    template.connection.backup(one.connection)
    with _in_place_of_others(one):
        yield Database(one)
    one.connection.close()


class Database:
    """Everybody's work passes through `do`, in whatever process it is done."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cut_off: set[Life] = set()
        """The processes that do not reach it."""
        self.after_commit: Callable[[], None] = lambda: None

    def blow(self, world: World) -> None:
        self._world = world
        self._chance = world.stream("database")
        self._commits = self._seen = 0
        self._connection.committed = self._committed
        world.loop.work_of_the_database = self.do

    def watch(self, script: str) -> None:
        self._connection.connection.executescript(script)

    def do(self, work: Callable[[], T]) -> T:
        if life() in self.cut_off:
            raise OperationalError("the connection is lost")
        try:
            result = work()
        except DiedError:
            self._connection.run_on_commit.clear()  # what was in memory is gone
            raise
        self._look()  # at what is written without a transaction, too
        return result

    def rows(self, query: str, *values: object) -> list[Any]:
        """Read as somebody who looks from outside."""
        found: list[Any] = self._connection.connection.execute(query, values).fetchall()
        return found

    def _look(self) -> None:
        if self._seen != self._connection.connection.total_changes:
            self.after_commit()
            self._seen = self._connection.connection.total_changes

    def _committed(self) -> None:
        self._look()
        process = life()
        if process is None:
            return
        process.step()
        if process.is_over:
            raise DiedError
        self._commits += 1
        is_lost = self._chance.random() < 0.004
        if is_lost and self._world.happens(f"the answer to commit {self._commits} is lost"):
            self._world.tell("the answer to a commit is lost")
            raise OperationalError("the connection was lost at the commit")
