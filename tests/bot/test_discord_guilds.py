"""Channels, roles and the number of their people follow the events of a real gateway."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from notices.advice.channel import can_send
from notices.advice.permissions import EMBED_LINKS
from notices.bot import discord_roles
from notices.bot.discord_channels import permissions_in
from notices.models import Channel, Role, Study
from tests.fakediscord.cast import (
    BOT,
    LAYOUT,
    LEADER,
    LEADERS_ROLE,
    MEMBERS_ROLE,
    PLAIN,
    STUDY,
    TALK,
    write_layout,
)
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import PATIENCE_SECONDS, Bot, live

pytestmark = pytest.mark.django_db(transaction=True)

ROLES = f"/_fake/guilds/{STUDY}/roles"
ALL = ["VIEW_CHANNEL", "SEND_MESSAGES", "EMBED_LINKS", "ATTACH_FILES"]
COUNTS = f"/guilds/{STUDY}/roles/member-counts"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeDiscordProcess]:
    layout = write_layout(tmp_path, json.loads(json.dumps(LAYOUT)))
    with FakeDiscordProcess("--layout", str(layout)) as process:
        yield process


def order(server: FakeDiscordProcess, method: str, path: str, data: Any = None) -> Awaitable[Any]:
    return asyncio.to_thread(server.call, method, path, data)


def role_is(role_id: str, **facts: Any) -> Callable[[], bool]:
    return Role.objects.filter(pk=role_id, **facts).exists


def make_study() -> None:
    study = Study.objects.create(name="알고리즘 스터디")
    study.channels.add(Channel.objects.get_or_create(pk=int(TALK))[0])


def test_roles_come_change_and_go(server: FakeDiscordProcess) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(role_is(LEADERS_ROLE, name="스터디장", guild_name="알고리즘 스터디"))
        await bot.in_step(role_is(MEMBERS_ROLE, mentionable=True, member_count=None))
        # As in Discord, @everyone is the role with the guild's id: its people are the guild's.
        await bot.in_step(role_is(STUDY, name="@everyone", member_count=3))

        made = await order(server, "POST", ROLES, {"name": "신입"})
        await bot.in_step(role_is(made["id"], name="신입", mentionable=False))
        changes = {"name": "새내기", "mentionable": True}
        await order(server, "PATCH", f"{ROLES}/{made['id']}", changes)
        await bot.in_step(role_is(made["id"], **changes))
        await order(server, "DELETE", f"{ROLES}/{made['id']}")
        await bot.in_step(lambda: not role_is(made["id"])())

        await order(server, "DELETE", f"/_fake/guilds/{STUDY}")
        await bot.in_step(lambda: not Role.objects.filter(guild_id=STUDY).exists())

    live(server, scenario)


def test_people_are_counted_on_servers_with_a_study_and_again_after_an_hour(
    server: FakeDiscordProcess,
) -> None:
    def make_old() -> None:
        long_ago = timezone.now() - discord_roles.COUNTED_EVERY - timedelta(seconds=1)
        Role.objects.update(counted_at=long_ago)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(role_is(STUDY))
        await bot.count()  # no study is connected yet, so nobody is counted
        await bot.in_database(make_study)
        await bot.count()
        await bot.in_step(role_is(LEADERS_ROLE, member_count=1))
        await bot.in_step(role_is(MEMBERS_ROLE, member_count=0))

        member = f"/_fake/guilds/{STUDY}/members/{LEADER}"
        await order(server, "PATCH", member, {"roles": [MEMBERS_ROLE]})
        await order(server, "DELETE", f"/_fake/guilds/{STUDY}/members/{LAYOUT['acting']}")
        await bot.count()  # too soon
        await bot.in_database(make_old)
        await bot.count()
        await bot.in_step(role_is(MEMBERS_ROLE, member_count=1))
        await bot.in_step(role_is(STUDY, member_count=2))

    live(server, scenario)
    assert [request["path"] for request in server.requests()].count(COUNTS) == 2


def test_people_are_counted_anew_at_the_start_and_when_somebody_picks_a_ping(
    server: FakeDiscordProcess,
) -> None:
    def long_enough_ago() -> None:
        recently = timezone.now() - Role.COUNTED_RECENTLY - timedelta(seconds=1)
        Role.objects.update(counted_at=recently)

    def ask() -> int:
        return Role.objects.of_study(Study.objects.get()).ask_to_count(timezone.now())

    async def scenario(bot: Bot) -> None:
        await bot.in_step(role_is(STUDY))
        await bot.in_database(make_study)
        await bot.count()
        members = f"/_fake/guilds/{STUDY}/members"
        users = [await order(server, "POST", "/_fake/users", {"username": f"u{n}"}) for n in (1, 2)]
        await order(server, "POST", members, {"id": users[0]["id"]})
        await bot.count()  # too soon
        await bot.in_step(role_is(STUDY, member_count=3))
        await bot.count(since=timezone.now())  # a bot that starts now
        await bot.in_step(role_is(STUDY, member_count=4))

        await order(server, "POST", members, {"id": users[1]["id"]})
        assert await bot.in_database(ask) == 0  # they were counted just now
        await bot.in_database(long_enough_ago)
        assert await bot.in_database(ask) == 1
        await bot.count()
        await bot.in_step(role_is(STUDY, member_count=5))

    live(server, scenario)


def test_counts_and_gateway_events_do_not_undo_each_other(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_database(make_study)
        await bot.in_step(role_is(STUDY))
        await bot.count()
        await order(server, "PATCH", f"{ROLES}/{LEADERS_ROLE}", {"name": "방장"})
        await bot.in_step(role_is(LEADERS_ROLE, name="방장", member_count=1))
        await bot.in_step(role_is(STUDY, member_count=3))

    live(server, scenario)


@pytest.mark.parametrize("status", [403, 404])
def test_a_count_that_discord_refuses_stays_unknown_and_is_asked_hourly(
    server: FakeDiscordProcess, status: int
) -> None:
    server.fault(kind="status", method="GET", path="/member-counts$", status=status)

    async def scenario(bot: Bot) -> None:
        await bot.in_database(make_study)
        await bot.in_step(role_is(STUDY))
        await bot.count()
        await bot.count()
        await bot.in_step(role_is(LEADERS_ROLE, member_count=None))
        await bot.in_step(role_is(STUDY, member_count=3))

    live(server, scenario)
    assert [request["path"] for request in server.requests()].count(COUNTS) == 1


def test_permissions_follow_the_gateway_while_it_is_connected(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(role_is(STUDY))
        held = permissions_in(bot.client, int(PLAIN))
        assert held is not None
        assert not held & EMBED_LINKS
        assert permissions_in(bot.client, 5) is None
        overwrites = [{"id": BOT, "allow": ["EMBED_LINKS"]}]
        path = f"/_fake/channels/{PLAIN}"
        await order(server, "PATCH", path, {"overwrites": overwrites})
        await bot.in_step(lambda: can_send(Channel.objects.get(pk=PLAIN)))
        # A change is not seen while the gateway is away, so the permissions then count as unknown.
        await order(server, "POST", "/_fake/gateway", {"action": "refuse"})
        await order(server, "POST", "/_fake/gateway", {"action": "drop"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while permissions_in(bot.client, int(PLAIN)) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await order(server, "POST", "/_fake/gateway", {"action": "accept"})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while permissions_in(bot.client, int(PLAIN)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    live(server, scenario)


def test_a_guild_without_the_bots_own_member_keeps_its_last_state(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(lambda: Channel.objects.exists())
        guild = bot.client.get_guild(int(STUDY))
        assert guild is not None
        guild._members.clear()
        bot.client.guild_sync.mark(guild.id)
        assert guild.id not in bot.client.guild_sync.take()
        assert permissions_in(bot.client, int(TALK)) is None

    live(server, scenario)
