"""PostgreSQL or Redis is stopped, killed, gone: everything recovers by itself, nothing is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from tests.e2e.frontend import Frontend
from tests.e2e.own_services import OwnPostgres, OwnRedis
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = [
    pytest.mark.own_postgres,
    pytest.mark.own_redis,
    # They bring their own servers: in the tests' run on SQLite it would be the same once more.
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL"),
]

PROCESSES = ("web", "qcluster", "runbot")
# django-q2's pusher rests for ten seconds before it ends and is replaced.
QUEUE_PATIENCE_SECONDS = 60.0
# By then the bot's sweep has sent a notice, whatever has become of the queue.
SWEPT_WITHIN_SECONDS = 10.0
# A Redis that hangs holds a POST up for as long as the settings let it.
POST_WITHIN_SECONDS = 5.0


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    server = OwnPostgres()
    server.start()
    yield server
    server.close()


@pytest.fixture
def redis() -> Iterator[OwnRedis]:
    server = OwnRedis()
    server.start()
    yield server
    server.close()


@pytest.fixture
def stack(
    tmp_path: Path, discord: FakeDiscordProcess, postgres: OwnPostgres, redis: OwnRedis
) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord, postgres=postgres.url, REDIS_URL=redis.url)
    yield stack
    postgres.start()
    stack.close()


@pytest.fixture
def frontend(stack: Stack, discord: FakeDiscordProcess) -> Frontend:
    discord.lift_limits()
    frontend = Frontend(stack, stack.text_channels()[:4])
    stack.start(*PROCESSES)
    with frontend.posting():
        wait_for(frontend.shown, "the first notice is shown")
    frontend.wait_until_shown()
    return frontend


def assert_the_same_processes_run(stack: Stack) -> None:
    dead = [name for name in PROCESSES if not stack.is_running(name)]
    assert not dead, {name: stack.log(name)[-2000:] for name in dead}


def assert_qcluster_works(stack: Stack, frontend: Frontend) -> None:
    """Without a bot that would help: the deliveries of a new notice are made."""
    stack.stop("runbot")

    def is_fanned_out() -> bool:
        assert frontend.post()
        notice = [*frontend.accepted.values()][-1]
        return bool(stack.get(f"/api/v1/notices/{notice}/", frontend.key)["deliveries"])

    wait_for(is_fanned_out, "qcluster fans a notice out", QUEUE_PATIENCE_SECONDS)
    stack.start("runbot")


def test_postgres_stopped_and_killed_comes_back_while_notices_are_posted_and_sent(
    stack: Stack, postgres: OwnPostgres, frontend: Frontend
) -> None:
    with frontend.posting():
        for end in (postgres.stop, postgres.kill, postgres.stop, postgres.kill):
            frontend.wait_until_accepted(10)
            end()
            frontend.wait_until_refused(3)
            postgres.start()
        frontend.wait_until_accepted(10)
    frontend.wait_until_shown()
    assert_the_same_processes_run(stack)
    assert_qcluster_works(stack, frontend)
    frontend.wait_until_shown()
    frontend.assert_shown_once()


def test_redis_killed_and_started_again_loses_no_notice_and_refuses_none(
    stack: Stack, redis: OwnRedis, frontend: Frontend
) -> None:
    with frontend.posting():
        for _time in range(2):
            frontend.wait_until_accepted(10)
            redis.kill()
            frontend.wait_until_accepted(10)
            redis.start()
        frontend.wait_until_accepted(10)
    frontend.wait_until_shown()
    assert_the_same_processes_run(stack)
    assert_qcluster_works(stack, frontend)
    frontend.wait_until_shown()
    frontend.assert_shown_once()
    assert not frontend.refused


def test_without_redis_a_notice_is_taken_and_goes_out_by_the_bots_sweep(
    redis: OwnRedis, frontend: Frontend
) -> None:
    for end in (redis.kill, redis.pause):
        redis.start()
        end()
        for _notice in range(2):
            assert frontend.post()
            frontend.wait_until_shown(SWEPT_WITHIN_SECONDS)
    assert frontend.slowest_seconds < POST_WITHIN_SECONDS
    frontend.assert_shown_once()
