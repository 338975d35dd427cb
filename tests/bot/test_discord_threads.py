"""Threads and timeouts of the bot follow the events of a real gateway."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation

from notices.advice.channel import can_send, timeout_end, troubles
from notices.advice.permissions import (
    CONNECT,
    EMBED_LINKS,
    MANAGE_THREADS,
    SEND_MESSAGES_IN_THREADS,
)
from notices.advice.reach import reach_of
from notices.bot import discord_lookup
from notices.delivery.due import Shards
from notices.models import Channel, Notice, Study
from tests.fakediscord.cast import (
    BOT,
    FORUM,
    LAYOUT,
    MEMBERS_ROLE,
    STAFF,
    STUDY,
    TALK,
    write_layout,
)
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import Bot, live

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeDiscordProcess]:
    layout = write_layout(tmp_path, json.loads(json.dumps(LAYOUT)))
    with FakeDiscordProcess("--layout", str(layout)) as process:
        yield process


@pytest.fixture
def thread(server: FakeDiscordProcess) -> int:
    """It is connected to the study and exists before the bot starts."""
    made = int(server.add_thread(TALK, "7주차")["id"])
    connect(made)
    return made


def connect(channel_id: int | str) -> Study:
    study = Study.objects.get_or_create(name="알고리즘 스터디")[0]
    study.channels.add(Channel.objects.get_or_create(pk=int(channel_id))[0])
    return study


def channel(channel_id: int | str) -> Channel:
    return Channel.objects.get(pk=channel_id)


def channel_is(channel_id: int | str, **facts: Any) -> Callable[[], bool]:
    return Channel.objects.filter(pk=channel_id, **facts).exists


def told(channel_id: int | str) -> list[str]:
    with translation.override("en"):
        return troubles(channel(channel_id))


async def look_up(bot: Bot, shards: Shards | None = None) -> None:
    await discord_lookup.look_up_channels(bot.client, bot.in_database, shards or Shards())


def is_well(channel_id: int | str) -> Callable[[], bool]:
    """The bot has seen the channel, may send there and knows of no trouble."""

    def found() -> bool:
        there = Channel.objects.filter(pk=channel_id).exclude(seen_at=None).first()
        return there is not None and can_send(there) is True and not troubles(there)

    return found


def test_an_archived_thread_is_told_as_archived_and_is_no_obstacle(
    server: FakeDiscordProcess, thread: int
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(thread))
        server.change_channel(thread, archived=True)
        await bot.in_step(channel_is(thread, is_archived=True, gone_at=None))
        await bot.in_step(is_well(thread))
        # Another change of the guild leaves it archived.
        server.change_channel(TALK, name="수다")
        await bot.in_step(channel_is(TALK, name="수다"))
        await bot.in_step(channel_is(thread, is_archived=True, gone_at=None))
        server.change_channel(thread, archived=False, name="8주차")
        await bot.in_step(channel_is(thread, is_archived=False, name="8주차"))
        await bot.in_step(is_well(thread))
        server.delete(f"/_fake/channels/{thread}")
        await bot.in_step(channel_is(thread, gone_at__isnull=False))
        assert "is gone" in (await bot.in_database(told, thread))[0]

    live(server, scenario)


def test_the_question_before_a_large_ping_is_asked_in_an_archived_thread(
    server: FakeDiscordProcess, thread: int
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(thread))
        server.change_channel(thread, archived=True)
        await bot.in_step(channel_is(thread, is_archived=True))

    server.call("PATCH", f"/_fake/guilds/{STUDY}/roles/{STUDY}", {"permissions": ["ADMINISTRATOR"]})
    live(server, scenario)
    reach = reach_of(Notice.Ping.EVERYONE, Study.objects.get(), [channel(thread)])
    assert reach.people == 3


def test_a_thread_goes_with_its_channel(server: FakeDiscordProcess, thread: int) -> None:
    archived = int(server.add_thread(TALK, "6주차")["id"])
    connect(archived)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(thread))
        await bot.in_step(is_well(archived))
        server.change_channel(archived, archived=True)
        await bot.in_step(channel_is(archived, is_archived=True))
        server.delete(f"/_fake/channels/{TALK}")
        await bot.in_step(channel_is(thread, gone_at__isnull=False))
        await bot.in_step(channel_is(archived, gone_at__isnull=False))

    live(server, scenario)


def test_threads_are_listed_when_their_channel_comes_into_sight(
    server: FakeDiscordProcess,
) -> None:
    hidden = int(server.add_thread(STAFF, "비밀")["id"])

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(STAFF))
        assert not await bot.in_database(channel_is(hidden))
        server.change_channel(STAFF, overwrites=[])
        await bot.in_step(channel_is(hidden, name="비밀", gone_at=None))
        await bot.in_step(is_well(hidden))

    live(server, scenario)


def test_the_trouble_of_a_locked_thread_tells_who_can_unlock_it(
    server: FakeDiscordProcess, thread: int
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(thread))
        server.change_channel(thread, locked=True, archived=True)
        await bot.in_step(channel_is(thread, is_archived=True, is_locked=True))
        [trouble] = await bot.in_database(told, thread)
        assert "locked" in trouble
        assert "Manage Threads" in trouble
        role = f"/_fake/guilds/{STUDY}/roles/{MEMBERS_ROLE}"
        server.call("PATCH", role, {"permissions": ["MANAGE_THREADS"]})
        server.call("PATCH", f"/_fake/guilds/{STUDY}/members/{BOT}", {"roles": [MEMBERS_ROLE]})
        await bot.in_step(is_well(thread))
        held = (await bot.in_database(channel, thread)).permissions
        assert held is not None
        assert held & MANAGE_THREADS

    live(server, scenario)


def test_a_thread_that_was_archived_before_the_bot_came_is_connected_by_its_id(
    server: FakeDiscordProcess,
) -> None:
    before = int(server.add_thread(TALK, "지난 학기", archived=True)["id"])
    connect(before)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        assert await bot.in_database(lambda: channel(before).seen_at) is None
        await look_up(bot)
        await bot.in_step(channel_is(before, name="지난 학기", is_archived=True))
        await bot.in_step(is_well(before))
        held = (await bot.in_database(channel, before)).permissions
        assert held is not None
        assert held & SEND_MESSAGES_IN_THREADS
        asked = len(server.requests())
        await look_up(bot)
        assert len(server.requests()) == asked
        server.change_channel(before, archived=False)
        await bot.in_step(channel_is(before, is_archived=False))

    live(server, scenario)


def test_a_thread_is_left_to_the_bot_whose_guild_it_is_in(server: FakeDiscordProcess) -> None:
    before = int(server.add_thread(TALK, "지난 학기", archived=True)["id"])
    connect(before)
    count = next(count for count in (2, 3, 5, 7) if not Shards((0,), count).own(int(STUDY)))
    first, others = Shards((0,), count), Shards(tuple(range(1, count)), count)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await look_up(bot, others)
        assert await bot.in_database(channel_is(before, guild_id=None))
        await look_up(bot, first)
        assert await bot.in_database(channel_is(before, guild_id=STUDY, seen_at=None, name=""))
        await look_up(bot, first)
        assert await bot.in_database(channel_is(before, seen_at=None))
        await look_up(bot, others)
        assert await bot.in_database(channel_is(before, guild_id=STUDY, name="지난 학기"))
        await bot.in_step(is_well(before))

    live(server, scenario)


def test_a_thread_that_once_counted_as_gone_when_it_was_archived_is_found_again(
    server: FakeDiscordProcess,
) -> None:
    before = int(server.add_thread(TALK, "지난 학기", archived=True)["id"])
    connect(before)
    long_ago = timezone.now() - timedelta(days=30)
    Channel.objects.filter(pk=before).update(
        type=Channel.Type.PUBLIC_THREAD, guild_id=STUDY, seen_at=long_ago, gone_at=long_ago
    )

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await look_up(bot)
        await bot.in_step(channel_is(before, is_archived=True, gone_at=None, parent_id=TALK))
        await bot.in_step(is_well(before))
        server.delete(f"/_fake/channels/{before}")
        await bot.in_step(channel_is(before, gone_at__isnull=False))

    live(server, scenario)


@pytest.mark.parametrize(
    ("wrong_id", "said"),
    [
        (FORUM, "takes no messages: it is a forum"),
        (STUDY, "the id of a server"),
        (MEMBERS_ROLE, "the id of a role"),
        (BOT, f"knows no channel with the id {BOT}"),
    ],
)
def test_the_trouble_of_a_wrong_id_tells_whose_id_it_is(
    server: FakeDiscordProcess, wrong_id: str, said: str
) -> None:
    connect(wrong_id)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await look_up(bot)
        [trouble] = await bot.in_database(told, wrong_id)
        assert said in trouble
        assert not await bot.in_database(lambda: can_send(channel(wrong_id)))
        asked = len(server.requests())
        await look_up(bot)
        assert len(server.requests()) == asked  # not again before an hour is over

    live(server, scenario)


def test_an_unreadable_answer_about_a_channel_is_left_for_later(
    server: FakeDiscordProcess,
) -> None:
    connect(7)
    server.fault(kind="status", method="GET", path="/channels/7", status=200, body="[]")

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await look_up(bot)
        assert await bot.in_database(lambda: channel(7).refused_code) == 0

    live(server, scenario)


def test_a_timeout_is_told_with_its_end_and_is_over_by_itself(
    server: FakeDiscordProcess,
) -> None:
    connect(TALK)
    until = timezone.now() + timedelta(seconds=3)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(TALK))
        server.time_out(STUDY, BOT, until.isoformat())
        await bot.in_step(channel_is(TALK, timed_out_until=until))
        [trouble] = await bot.in_database(told, TALK)
        assert "gave the bot a timeout until" in trouble
        # A refusal during the timeout does not count as a trouble of the channel.
        refused = {"refused_at": timezone.now(), "refused_code": 50013}
        await bot.in_database(lambda: Channel.objects.filter(pk=TALK).update(**refused))
        await bot.in_step(channel_is(TALK, timed_out_until=None, refused_code=None))
        assert await bot.in_database(is_well(TALK))
        assert timezone.now() >= until

    live(server, scenario)


def test_a_timeout_from_before_the_bot_came_is_told_and_can_be_taken_back(
    server: FakeDiscordProcess,
) -> None:
    server.time_out(STUDY, BOT, (timezone.now() + timedelta(hours=1)).isoformat())

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK, timed_out_until__isnull=False))
        there = await bot.in_database(channel, TALK)
        assert there.permissions is not None
        assert there.permissions & EMBED_LINKS  # what it will have again
        assert timeout_end(there) is not None
        server.time_out(STUDY, BOT, None)
        await bot.in_step(is_well(TALK))

    live(server, scenario)


def test_an_administrator_is_never_timed_out(server: FakeDiscordProcess) -> None:
    role = f"/_fake/guilds/{STUDY}/roles/{STUDY}"
    server.call("PATCH", role, {"permissions": ["ADMINISTRATOR"]})
    server.time_out(STUDY, BOT, (timezone.now() + timedelta(hours=1)).isoformat())

    async def scenario(bot: Bot) -> None:
        await bot.in_step(is_well(TALK))

    live(server, scenario)


@pytest.mark.parametrize("kind", ["voice", "stage"])
def test_a_voice_channel_needs_connect(server: FakeDiscordProcess, kind: str) -> None:
    deny = [{"id": STUDY, "deny": ["CONNECT"]}]
    made = server.add_channel(STUDY, "음성", type=kind, overwrites=deny)["id"]

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(made, name="음성"))
        [trouble] = await bot.in_database(told, made)
        assert trouble.endswith("Channel settings → Permissions → Connect")
        server.change_channel(made, overwrites=[])
        await bot.in_step(is_well(made))
        held = (await bot.in_database(channel, made)).permissions
        assert held is not None
        assert held & CONNECT

    live(server, scenario)


def test_forums_and_categories_that_nobody_named_are_not_among_the_channels(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        assert not await bot.in_database(channel_is(FORUM))

    live(server, scenario)
