"""Behind the real PgBouncer: what works does, and what cannot is refused with the remedy."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

from tests.e2e.databases import ROOT
from tests.e2e.frontend import Frontend
from tests.e2e.own_services import OwnPgBouncer, OwnPostgres
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = [
    pytest.mark.pgbouncer,
    # It brings its own server: in the tests' run on SQLite it would be the same once more.
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL"),
]


@pytest.fixture
def postgres() -> Iterator[OwnPostgres]:
    server = OwnPostgres()
    server.start()
    yield server
    server.close()


@pytest.fixture(params=["session"])
def pool_mode(request: pytest.FixtureRequest) -> str:
    mode: str = request.param
    return mode


@pytest.fixture
def pgbouncer(postgres: OwnPostgres, pool_mode: str) -> Iterator[OwnPgBouncer]:
    server = OwnPgBouncer(postgres, pool_mode)
    server.start()
    yield server
    server.close()


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess, postgres: OwnPostgres) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord, postgres=postgres.url)
    yield stack
    stack.close()


def through(stack: Stack, pgbouncer: OwnPgBouncer, pooler: str) -> dict[str, str]:
    name = urlsplit(stack.environment["DATABASE_URL"]).path[1:]
    return {"DATABASE_URL": pgbouncer.url(name), "DATABASE_POOLER": pooler}


def refused(stack: Stack, *command: str, **environment: str) -> str:
    stack.lay_out()
    ended = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, capture_output=True, text=True,
        env=stack.environment | environment, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def post_and_see(stack: Stack) -> None:
    frontend = Frontend(stack, stack.text_channels()[:1])
    assert all(frontend.post() for _n in range(5))
    frontend.wait_until_shown()


def test_everything_works_with_pooled_sessions(stack: Stack, pgbouncer: OwnPgBouncer) -> None:
    stack.environment |= through(stack, pgbouncer, "session")
    stack.start("web", "qcluster", "runbot", "standby")
    post_and_see(stack)
    wait_for(
        lambda: any("standing by" in stack.log(name) for name in ("runbot", "standby")),
        "one of two bots stands by",
    )
    (active,) = (name for name in ("runbot", "standby") if "standing by" not in stack.log(name))
    stack.kill(active)
    post_and_see(stack)


@pytest.mark.parametrize("pool_mode", ["transaction"], indirect=True)
def test_web_and_queue_work_with_pooled_transactions(stack: Stack, pgbouncer: OwnPgBouncer) -> None:
    """The bot, which keeps a session, goes to PostgreSQL itself."""
    direct = dict(stack.environment)
    stack.environment |= through(stack, pgbouncer, "transaction")
    stack.start("web", "qcluster")
    stack.environment = direct
    stack.start("runbot")
    post_and_see(stack)


@pytest.mark.parametrize("pool_mode", ["transaction"], indirect=True)
@pytest.mark.parametrize("pooler", ["transaction", "session"])
def test_the_bot_refuses_a_pool_of_transactions(
    stack: Stack, pgbouncer: OwnPgBouncer, pooler: str
) -> None:
    """It would share its lock with another bot, and hear of nothing."""
    said = refused(stack, "runbot", **through(stack, pgbouncer, pooler))
    assert "a PgBouncer that pools transactions" in said
    assert "Give runbot a DATABASE_URL" in said


def test_a_pooler_that_is_not_named_is_told_of(stack: Stack, pgbouncer: OwnPgBouncer) -> None:
    said = refused(stack, "migrate", **through(stack, pgbouncer, ""))
    assert "set DATABASE_POOLER to session or transaction" in said
    assert said.count("\n") == 1
