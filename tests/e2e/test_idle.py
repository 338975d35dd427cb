"""A bot with nothing to do leaves the database alone, but for its heartbeat and a slow poll."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.own_services import OwnPostgres
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.own_postgres

# Two heartbeats of four statements, two polls of five, and a little room.
MOST_IN_TEN_SECONDS = 20
PERIODS = 2
STATEMENT = re.compile(r"^(\d+\.\d+) LOG:  (?:statement|execute [^:]*): (.*)", re.MULTILINE)


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    # %n is the time in seconds.
    server = OwnPostgres(log_statement="all", log_line_prefix="%n ")
    server.start()
    yield server
    server.close()


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess, postgres: OwnPostgres) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord, postgres=postgres.url)
    yield stack
    stack.close()


def statements(postgres: OwnPostgres) -> list[tuple[float, str]]:
    """When, and what."""
    return [(float(at), sql) for at, sql in STATEMENT.findall(postgres.log())]


def heartbeats(postgres: OwnPostgres) -> list[int]:
    """Return the places of the bot's heartbeats among the statements."""
    return [
        number
        for number, (_at, sql) in enumerate(statements(postgres))
        if sql.startswith('UPDATE "notices_botinstance"')
    ]


def test_an_idle_bot_asks_the_database_next_to_nothing(stack: Stack, postgres: OwnPostgres) -> None:
    stack.start("runbot")
    wait_for(lambda: "connected to Gateway" in stack.log("runbot"), "the bot is up")
    settled = len(heartbeats(postgres)) + 1
    wait_for(lambda: len(heartbeats(postgres)) > settled + PERIODS, "some heartbeats more", 60)
    first, *_between, last = heartbeats(postgres)[settled : settled + PERIODS + 1]
    said = statements(postgres)[first:last]
    seconds = statements(postgres)[last][0] - said[0][0]
    assert len(said) * 10 / seconds <= MOST_IN_TEN_SECONDS, said
