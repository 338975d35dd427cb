"""One bot is active; a second one stands by, or on SQLite refuses to start."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from notices.bot.standby import SeatTakenError, hold_seat, poll_file
from notices.delivery.due import Shards
from notices.delivery.wake import wake
from notices.models import Study

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE_SECONDS = 60


class Watcher:
    def __init__(self) -> None:
        self.active = asyncio.Event()
        self.woken = asyncio.Event()

    def set_active(self, active: bool) -> None:
        if active:
            self.active.set()
        else:
            self.active.clear()

    def wake(self) -> None:
        self.woken.set()


async def end(*seats: "asyncio.Task[None]") -> None:
    for seat in seats:
        seat.cancel()
    await asyncio.gather(*seats, return_exceptions=True)


@pytest.fixture
def on_sqlite() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite")


@pytest.fixture
def on_postgres() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("about PostgreSQL")


@pytest.mark.usefixtures("on_sqlite")
def test_on_sqlite_a_second_bot_refuses_and_says_why() -> None:
    async def scenario() -> None:
        first = Watcher()
        seat = asyncio.create_task(hold_seat(first, Shards()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first.active.wait()
            with pytest.raises(SeatTakenError, match="PostgreSQL"):
                await hold_seat(Watcher(), Shards())
        await end(seat)

    asyncio.run(scenario())


def commit_something() -> None:
    Study.objects.create(name="깨우기")
    connection.close()


def notify() -> None:
    wake()
    connection.close()


async def woken_by(work: Callable[[], None]) -> None:
    watcher = Watcher()
    seat = asyncio.create_task(hold_seat(watcher, Shards()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await watcher.active.wait()
        watcher.woken.clear()
        while not watcher.woken.is_set():  # the watch may begin a moment after the seat is taken
            await asyncio.to_thread(work)
            await asyncio.wait([asyncio.ensure_future(watcher.woken.wait())], timeout=0.5)
    await end(seat)


@pytest.mark.usefixtures("on_sqlite")
def test_on_sqlite_a_commit_of_somebody_else_wakes_the_bot() -> None:
    asyncio.run(woken_by(commit_something))


def test_it_polls_the_file_where_the_system_reports_no_changes(tmp_path: Path) -> None:
    log_file = tmp_path / "studybot.sqlite3-wal"

    async def scenario() -> None:
        woken = asyncio.Event()
        looking = asyncio.create_task(poll_file(log_file, woken.set))
        async with asyncio.timeout(PATIENCE_SECONDS):
            for text in ("a commit", "another commit"):
                log_file.write_text(text)
                await woken.wait()
                woken.clear()
        await end(looking)

    asyncio.run(scenario())


@pytest.mark.usefixtures("on_postgres")
def test_on_postgres_a_notify_wakes_the_bot() -> None:
    asyncio.run(woken_by(notify))


@pytest.mark.usefixtures("on_postgres")
def test_on_postgres_the_second_bot_takes_over_when_the_first_ends() -> None:
    async def scenario() -> None:
        first, second, other_shard = Watcher(), Watcher(), Watcher()
        seat = asyncio.create_task(hold_seat(first, Shards((0,), 2)))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await first.active.wait()
            standby = asyncio.create_task(hold_seat(second, Shards((0,), 2)))
            apart = asyncio.create_task(hold_seat(other_shard, Shards((1,), 2)))
            await other_shard.active.wait()
            assert not second.active.is_set()
            await end(seat)
            await second.active.wait()
        await end(standby, apart)

    asyncio.run(scenario())


@pytest.mark.usefixtures("on_postgres")
def test_the_session_of_the_seat_uses_every_option_of_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An address with a password file, a certificate or a service of libpq needs them."""
    service = tmp_path / "pg_service.conf"
    service.write_text("[studybot]\napplication_name=the-seat\n")
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    given = {**connection.settings_dict["OPTIONS"], "service": "studybot"}
    given["options"] = f"{given['options']} -c search_path=pg_catalog"
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", given)

    async def scenario() -> None:
        watcher = Watcher()
        seat = asyncio.create_task(hold_seat(watcher, Shards()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await watcher.active.wait()
            assert await asyncio.to_thread(sessions_named, "the-seat") == 1
        await end(seat)

    asyncio.run(scenario())


def sessions_named(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s "
            "AND query LIKE 'LISTEN%%'", [name]
        )  # fmt: skip
        (count,) = cursor.fetchone()
    connection.close()
    return int(count)
