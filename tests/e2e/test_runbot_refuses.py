"""runbot starts only where it can work, and says what is missing."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.e2e.databases import ROOT
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess


def runbot(stack: Stack, **environment: str) -> "subprocess.CompletedProcess[str]":
    stack.lay_out()
    return subprocess.run(
        [sys.executable, "manage.py", "runbot"],
        cwd=ROOT, env=stack.environment | environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip


def test_without_a_token_it_says_where_to_get_one(stack: Stack) -> None:
    refused = runbot(stack, BOT_TOKEN="")
    assert refused.returncode == 1
    assert "https://discord.com/developers/applications" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_with_a_wrong_token_it_stops(tmp_path: Path) -> None:
    discord = FakeDiscordProcess("--token", "the-right-one")
    try:
        refused = runbot(Stack(tmp_path, discord), BOT_TOKEN="a-wrong-one")
    finally:
        discord.stop()
    assert refused.returncode == 1
    assert "BOT_TOKEN" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_final_close_of_the_gateway_is_told_with_its_remedy(
    stack: Stack, discord: FakeDiscordProcess
) -> None:
    stack.start("runbot")
    wait_for(lambda: discord.get("/_fake/gateway")["sessions"], "the bot is at the gateway")
    discord.gateway("close", code=4011)
    wait_for(lambda: not stack.is_running("runbot"), "the bot has ended")
    assert "code 4011" in stack.log("runbot")
    assert "--shard-count" in stack.log("runbot")
    assert "Traceback" not in stack.log("runbot")


def test_with_unapplied_migrations_it_says_so(stack: Stack, tmp_path: Path) -> None:
    refused = runbot(stack, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    assert refused.returncode == 1
    assert "manage.py migrate" in refused.stderr


def test_a_second_bot_on_sqlite_says_why_it_cannot_run(
    tmp_path: Path, discord: FakeDiscordProcess
) -> None:
    stack = Stack(tmp_path, discord, DATABASE_URL=f"sqlite:///{tmp_path / 'one.sqlite3'}")
    stack.start("runbot")
    wait_for(lambda: "logged in" in stack.log("runbot"), "the first bot is logged in")
    refused = runbot(stack)
    stack.close()
    assert refused.returncode == 1
    assert "PostgreSQL" in refused.stderr


def test_it_waits_for_a_discord_that_is_down_at_start(stack: Stack) -> None:
    stack.environment["DISCORD_API_URL"] = "http://127.0.0.1:9/api/v10"
    stack.start("runbot")
    wait_for(lambda: "cannot be reached" in stack.log("runbot"), "the bot says that it waits")
    assert stack.stop("runbot") == 0


def test_it_stops_at_once_while_discord_hangs_at_login(
    stack: Stack, discord: FakeDiscordProcess
) -> None:
    fault = discord.fault(kind="hang", method="GET", path="/users/@me")
    stack.start("runbot")
    wait_for(lambda: any(f["id"] == fault and f["hits"] for f in discord.faults()), "it asks")
    assert stack.stop("runbot", seconds=10) == 0


def test_it_stops_at_once_while_it_waits_to_identify_anew(
    stack: Stack, discord: FakeDiscordProcess
) -> None:
    """There discord.py swallows that its connection is cancelled."""

    def sessions() -> list[Any]:
        found: list[Any] = discord.get("/_fake/gateway")["sessions"]
        return found

    stack.start("runbot")
    wait_for(sessions, "the bot is at the gateway")
    discord.gateway("invalid_session")
    wait_for(
        lambda: discord.gateway("accept")["connections"] and not sessions(),
        "the bot is connected again, and has no session yet",
    )
    assert stack.stop("runbot", seconds=10) == 0
