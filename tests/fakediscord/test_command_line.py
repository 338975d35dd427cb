"""The command starts, says where it listens, stops at once, and refuses what it cannot do."""

import contextlib
import signal
import socket
from pathlib import Path

import pytest

from tests.fakediscord_driver import FakeDiscordError, FakeDiscordProcess, run_to_its_end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_on_a_signal(number: int) -> None:
    with FakeDiscordProcess() as discord:
        assert discord.stats()["requests"] == 0
        assert discord.stop(number) == 0


def test_the_default_layout_has_two_guilds_to_look_at() -> None:
    with FakeDiscordProcess() as discord:
        guilds = discord.state()["guilds"]
        assert [len(guild["channels"]) for guild in guilds] == [4, 4]


def test_settings_can_be_given_at_the_start(layout: Path) -> None:
    arguments = ["--latency", "0.01", "--jitter", "0.02", "--global-rate", "0"]
    with FakeDiscordProcess("--layout", str(layout), *arguments) as discord:
        settings = discord.settings()
        assert (settings["latency"], settings["jitter"]) == (0.01, 0.02)
        assert settings["global_rate"] is None
        assert settings["bucket_limit"] == 5


def test_every_limit_can_be_lifted_at_the_start() -> None:
    with FakeDiscordProcess("--no-limits") as discord:
        settings = discord.settings()
        assert settings["global_rate"] is None
        assert settings["bucket_limit"] is None
        assert settings["other_limit"] is None


def test_a_named_token_is_the_only_one_that_is_let_in() -> None:
    with FakeDiscordProcess("--token", "right") as discord:
        for token, status in (("wrong", 401), ("right", 200)):
            assert whoami(discord, f"Bot {token}") == status
        assert whoami(discord, "right") == 401


@pytest.mark.parametrize(("given", "right"), [("", "demo"), ("of-the-demo", "of-the-demo")])
def test_the_demos_token_is_let_in_unless_another_is_named(
    monkeypatch: pytest.MonkeyPatch, given: str, right: str
) -> None:
    monkeypatch.setenv("BOT_TOKEN", given)
    with FakeDiscordProcess(any_token=False) as discord:
        for token, status in (("wrong", 401), ("", 401), (right, 200)):
            assert whoami(discord, f"Bot {token}") == status


def whoami(discord: FakeDiscordProcess, authorization: str) -> int:
    with contextlib.suppress(FakeDiscordError):
        discord.call("GET", "/api/v10/users/@me", headers={"Authorization": authorization})
    status: int = discord.requests()[-1]["status"]
    return status


def test_a_port_in_use_is_refused_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_to_its_end(["--port", str(port)])
    assert ended.returncode == 2
    assert ended.stderr == (
        f"fakediscord: port {port} of 127.0.0.1 is in use;"
        " stop what uses it, or choose another --port\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "example.com"])  # noqa: S104
def test_it_listens_on_this_machine_alone(host: str) -> None:
    ended = run_to_its_end(["--host", host, "--port", "0"])
    assert ended.returncode == 2
    assert "not this machine's own" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--layout", "nowhere.json"], "nowhere.json"),
        (["--latency", "-1"], "latency"),
        (["--global-rate", "many"], "many"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], named: str) -> None:
    ended = run_to_its_end(["--port", "0", *arguments])
    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr
