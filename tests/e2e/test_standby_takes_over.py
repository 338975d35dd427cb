"""Two bots on one token: one is active, the other one takes over as soon as that one is gone."""

import os
import re
import signal
import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection

from tests.e2e.frontend import Frontend
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")

TAKEN_OVER_WITHIN_SECONDS = 2.0
# A new active bot leaves a channel alone for seconds in which the old one has just sent a lot.
CHANNELS = 24
# The bot's lease and the nonce's window are a minute: what needs neither is faster.
SHOWN_WITHIN_SECONDS = 30.0
SHOWN_LINE = re.compile(r"^(\S+ \S+) INFO \S+ delivery \d+: create .*: shown", re.MULTILINE)


@pytest.fixture
def frontend(stack: Stack, discord: FakeDiscordProcess) -> Frontend:
    discord.lift_limits()
    guild = discord.state()["guilds"][0]["id"]
    channels = [str(discord.add_channel(guild, f"반-{n}")["id"]) for n in range(CHANNELS)]
    frontend = Frontend(stack, channels)
    stack.start("web", "qcluster", "runbot")
    with frontend.posting():
        wait_for(frontend.shown, "the first notice is shown")
    frontend.wait_until_shown()
    start_standby(stack, "standby")
    return frontend


def start_standby(stack: Stack, name: str) -> None:
    stack.start(name)
    wait_for(lambda: "standing by" in stack.log(name), "the second bot stands by")


def first_shown_at(stack: Stack, name: str) -> float:
    """Return the moment of the bot's first confirmed message, by its own log."""
    line = wait_for(lambda: SHOWN_LINE.search(stack.log(name)), f"{name} has sent a message")
    moment = datetime.strptime(line.group(1), "%Y-%m-%d %H:%M:%S,%f")  # noqa: DTZ007
    return moment.replace(tzinfo=ZoneInfo("Asia/Seoul")).timestamp()


def seconds_without_a_bot(stack: Stack, frontend: Frontend, end: Callable[[str], object]) -> float:
    with frontend.posting():
        frontend.wait_until_accepted(10)
        began_at = time.time()
        end("runbot")
        first_at = first_shown_at(stack, "standby")
    frontend.wait_until_shown(SHOWN_WITHIN_SECONDS)
    frontend.assert_shown_once()
    return first_at - began_at


@pytest.mark.alone
def test_the_standby_sends_within_two_seconds_of_the_other_ones_death(
    stack: Stack, frontend: Frontend
) -> None:
    assert seconds_without_a_bot(stack, frontend, stack.kill) < TAKEN_OVER_WITHIN_SECONDS


@pytest.mark.alone
def test_the_standby_sends_at_once_after_the_other_ones_clean_stop(
    stack: Stack, frontend: Frontend
) -> None:
    assert seconds_without_a_bot(stack, frontend, stack.stop) < TAKEN_OVER_WITHIN_SECONDS


def end_lock_session(stack: Stack) -> None:
    """As the database does where the bot's machine has not answered for three seconds."""
    with psycopg.connect(stack.environment["DATABASE_URL"], autocommit=True) as session:
        ended = session.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database "
            "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
        ).fetchall()
    assert ended == [(True,)]


def test_a_bot_that_lost_its_seat_sends_no_more_and_stands_by(
    stack: Stack, frontend: Frontend
) -> None:
    with frontend.posting():
        frontend.wait_until_accepted(10)
        end_lock_session(stack)
        first_shown_at(stack, "standby")
        wait_for(lambda: "standing by" in stack.log("runbot"), "the first one stands by")
        sent_before = len(SHOWN_LINE.findall(stack.log("runbot")))
        frontend.wait_until_accepted(20)
    frontend.wait_until_shown(SHOWN_WITHIN_SECONDS)
    assert len(SHOWN_LINE.findall(stack.log("runbot"))) == sent_before
    frontend.assert_shown_once()


def test_a_bot_that_was_cut_off_with_work_in_hand_doubles_nothing_when_it_is_back(
    stack: Stack, frontend: Frontend
) -> None:
    with frontend.posting():
        frontend.wait_until_accepted(10)
        os.kill(stack.pid("runbot"), signal.SIGSTOP)
        end_lock_session(stack)
        first_shown_at(stack, "standby")
        frontend.wait_until_accepted(10)
        os.kill(stack.pid("runbot"), signal.SIGCONT)
        wait_for(lambda: "standing by" in stack.log("runbot"), "the first one stands by")
        frontend.wait_until_accepted(10)
    frontend.wait_until_shown(SHOWN_WITHIN_SECONDS)
    frontend.assert_shown_once()


def test_a_bot_that_gets_its_seat_back_takes_over_what_the_other_one_held(
    stack: Stack, frontend: Frontend, discord: FakeDiscordProcess
) -> None:
    end_lock_session(stack)
    wait_for(lambda: "standing by" in stack.log("runbot"), "the first one stands by")
    wait_for(lambda: "logged in" in stack.log("standby"), "the second one is active")
    hanging = discord.fault(kind="hang", method="POST", path="/messages$")
    for _channel in frontend.channels:
        assert frontend.post()
    wait_for(lambda: discord.faults()[0]["hits"], "a request is out")
    stack.kill("standby")
    discord.clear_faults(hanging)
    frontend.wait_until_shown(SHOWN_WITHIN_SECONDS)
    frontend.assert_shown_once()


def test_a_bot_that_was_cut_off_overwrites_nothing_newer_when_it_is_back(
    stack: Stack, frontend: Frontend
) -> None:
    for name in ("standby", "runbot"):
        stack.stop(name)
    # So that what it has claimed waits for its turn.
    stack.environment["SEND_RATE"] = "1"
    stack.start("slow")
    wait_for(lambda: "logged in" in stack.log("slow"), "the slow bot is active")
    del stack.environment["SEND_RATE"]
    start_standby(stack, "fast")
    retitle(stack, frontend, "둘째")
    wait_for(lambda: frontend.shown()["둘째"], "the first change is shown")
    os.kill(stack.pid("slow"), signal.SIGSTOP)
    end_lock_session(stack)
    retitle(stack, frontend, "셋째")
    wait_for(lambda: frontend.shown().keys() == {"셋째"}, "all show the last change")
    os.kill(stack.pid("slow"), signal.SIGCONT)
    wait_for(lambda: "standing by" in stack.log("slow"), "the slow one stands by")
    stack.stop("slow")
    assert frontend.shown().keys() == {"셋째"}


def retitle(stack: Stack, frontend: Frontend, title: str) -> None:
    for notice in frontend.accepted.values():
        path = f"/api/v1/notices/{notice}/"
        assert stack.ask("PATCH", path, {"title": title}, key=frontend.key)[0] == 200
