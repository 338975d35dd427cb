"""Two bots share the guilds by Discord's own arithmetic: each sends to its own, and only there."""

import re
from collections.abc import Mapping

import pytest
from django.db import connection

from tests.e2e.frontend import Frontend
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")

SHARD_COUNT = 2
SENT_LINE = re.compile(r"delivery \d+: \w+ in channel (\d+)")

# The channels of each shard's guilds.
Shares = Mapping[int, list[str]]


@pytest.fixture
def shares(discord: FakeDiscordProcess) -> Shares:
    discord.lift_limits()
    shares: dict[int, list[str]] = {0: [], 1: []}
    for guild in discord.state()["guilds"]:
        shard = (int(guild["id"]) >> 22) % SHARD_COUNT
        for number in range(2):
            channel = discord.add_channel(guild["id"], f"반-{number}")
            shares[shard].append(str(channel["id"]))
    assert all(shares.values())
    return shares


@pytest.fixture
def frontend(stack: Stack, shares: Shares) -> Frontend:
    return Frontend(stack, [*shares[0], *shares[1]])


def start_bot(stack: Stack, shard: int) -> None:
    stack.start(
        f"runbot-{shard}",
        arguments=("--shard-ids", str(shard), "--shard-count", str(SHARD_COUNT)),
    )


def know_all_channels(stack: Stack, frontend: Frontend) -> None:
    """Until the gateway has told a channel's guild, any bot may send to it."""

    def are_named() -> bool:
        (study,) = stack.get("/api/v1/studies/", frontend.key)["results"]
        return all(channel["name"] for channel in study["channels"])

    wait_for(are_named, "the bots have told the channels' guilds")


def sent_to(stack: Stack, shard: int) -> set[str]:
    return set(SENT_LINE.findall(stack.log(f"runbot-{shard}")))


def test_each_bot_sends_to_its_own_guilds(
    stack: Stack, frontend: Frontend, shares: Shares, discord: FakeDiscordProcess
) -> None:
    stack.start("web", "qcluster")
    for shard in shares:
        start_bot(stack, shard)
    know_all_channels(stack, frontend)
    assert {tuple(session["shard"]) for session in discord.sessions()} == {(0, 2), (1, 2)}
    with frontend.posting():
        frontend.wait_until_accepted(20)
    frontend.wait_until_shown()
    frontend.assert_shown_once()
    for shard, channels in shares.items():
        assert sent_to(stack, shard) == set(channels)


def test_one_bot_that_is_down_holds_up_nobody_elses_guilds(
    stack: Stack, frontend: Frontend, shares: Shares
) -> None:
    stack.start("web", "qcluster")
    for shard in shares:
        start_bot(stack, shard)
    know_all_channels(stack, frontend)
    with frontend.posting():
        frontend.wait_until_accepted(8)
        stack.kill("runbot-1")
        frontend.wait_until_accepted(20)
        accepted = len(frontend.accepted)
        wait_for(lambda: shown_in(stack, shares[0]) >= accepted // 2, "shard 0 goes on")
    waiting = len(frontend.accepted) - sum(frontend.shown().values())
    assert waiting > 0
    start_bot(stack, 1)
    frontend.wait_until_shown()
    frontend.assert_shown_once()
    assert sent_to(stack, 0) == set(shares[0])


def shown_in(stack: Stack, channels: list[str]) -> int:
    return sum(len(stack.shown(channel)) for channel in channels)
