"""An event that discord.py cannot read is logged once, and its readable part is taken in."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import discord
import pytest
from django.utils import timezone

from notices.advice.permissions import SEND_MESSAGES
from notices.bot.discord_channels import permissions_in, word_on
from notices.bot.discord_events import SteadyWebSocket
from notices.delivery.request import Word
from notices.models import Channel, Role
from tests.fakediscord.cast import BOT, LAYOUT, MEMBERS_ROLE, NEWS, STUDY, TALK, write_layout
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import Bot, live

pytestmark = pytest.mark.django_db(transaction=True)

Json = dict[str, Any]

VOICE: Json = {"id": "1080900000000000001", "guild_id": STUDY, "type": 2, "name": "음성"}
THREAD: Json = {
    "id": "1080900000000000002", "guild_id": STUDY, "type": 11, "name": "7주차", "parent_id": TALK,
    "owner_id": BOT, "message_count": 0, "member_count": 1,
}  # fmt: skip
OWN_MEMBER: Json = {"guild_id": STUDY, "user": {"id": BOT, "username": "studybot"}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FakeDiscordProcess]:
    layout = write_layout(tmp_path, json.loads(json.dumps(LAYOUT)))
    with FakeDiscordProcess("--layout", str(layout)) as process:
        yield process


def tell(server: FakeDiscordProcess, event: str, data: Any) -> Awaitable[Any]:
    return asyncio.to_thread(server.gateway, "event", event=event, data=data)


def channel_is(channel_id: str, **facts: Any) -> Callable[[], bool]:
    return Channel.objects.filter(pk=channel_id, gone_at=None, **facts).exists


async def still_listens(bot: Bot, server: FakeDiscordProcess) -> None:
    """Wait until a later event is taken in as usual."""
    name = f"뒤에 {timezone.now().timestamp()}"
    await asyncio.to_thread(server.change_channel, NEWS, name=name)
    await bot.in_step(channel_is(NEWS, name=name))


@pytest.mark.parametrize(
    ("event", "data", "taken_in"),
    [
        ("CHANNEL_UPDATE", {"id": TALK, "guild_id": STUDY, "type": 0, "name": "새"},
         channel_is(TALK, name="새")),
        ("CHANNEL_UPDATE", {"id": TALK, "guild_id": STUDY, "name": None, "topic": "x"},
         channel_is(TALK, name="자유")),
        ("CHANNEL_CREATE", VOICE, channel_is(VOICE["id"], name="음성", type=2)),
        ("CHANNEL_CREATE", {**VOICE, "type": 13, "permission_overwrites": None},
         channel_is(VOICE["id"], type=13)),
        ("CHANNEL_CREATE", {**VOICE, "type": 0, "permission_overwrites": [None, {"id": STUDY}]},
         channel_is(VOICE["id"], type=0)),
        ("THREAD_CREATE", THREAD, channel_is(THREAD["id"], name="7주차", type=11)),
        ("THREAD_UPDATE", {**THREAD, "thread_metadata": None, "applied_tags": None},
         channel_is(THREAD["id"], name="7주차")),
        ("THREAD_LIST_SYNC", {"guild_id": STUDY, "channel_ids": None, "threads": [THREAD]},
         channel_is(THREAD["id"], name="7주차")),
        ("GUILD_ROLE_UPDATE", {"guild_id": STUDY, "role": {"id": MEMBERS_ROLE, "colors": None}},
         Role.objects.filter(pk=MEMBERS_ROLE).exists),
        ("GUILD_ROLE_UPDATE",
         {"guild_id": STUDY, "role": {"id": MEMBERS_ROLE, "name": "새", "position": None}},
         Role.objects.filter(pk=MEMBERS_ROLE, name="새").exists),
        ("GUILD_ROLE_UPDATE", {"guild_id": STUDY, "role": {"id": STUDY, "name": "모두"}},
         Role.objects.filter(pk=STUDY, name="모두").exists),
        ("GUILD_ROLE_CREATE", {"guild_id": STUDY, "role": {"id": "77"}},
         Role.objects.filter(pk=77, name="").exists),
        ("GUILD_UPDATE", {"id": STUDY, "name": "새 이름", "roles": None},
         channel_is(TALK, guild_name="새 이름")),
    ],
)  # fmt: skip
def test_it_takes_in_the_readable_part_of_an_odd_event(
    server: FakeDiscordProcess, event: str, data: Json, taken_in: Callable[[], bool]
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        if event == "GUILD_UPDATE":
            roles = next(g for g in server.state()["guilds"] if g["id"] == STUDY)["roles"]
            data["roles"] = [*roles, {"id": "nonsense"}, None]
        await tell(server, event, data)
        await bot.in_step(taken_in)
        await still_listens(bot, server)
        assert (permissions_in(bot.client, int(TALK)) or 0) & SEND_MESSAGES

    live(server, scenario)


HOPELESS: list[tuple[str, Any]] = [
    ("CHANNEL_UPDATE", {}),
    ("CHANNEL_UPDATE", None),
    ("CHANNEL_UPDATE", ["x"]),
    ("CHANNEL_CREATE", {"id": "5", "guild_id": STUDY, "type": 99}),
    ("CHANNEL_DELETE", {"guild_id": STUDY}),
    ("THREAD_DELETE", {"id": THREAD["id"]}),
    ("THREAD_LIST_SYNC", {"guild_id": STUDY, "threads": None}),
    ("GUILD_CREATE", None),
    ("GUILD_UPDATE", {"name": "keine id"}),
    ("GUILD_DELETE", {}),
    ("GUILD_ROLE_DELETE", {"guild_id": STUDY}),
    ("GUILD_MEMBER_UPDATE", OWN_MEMBER),
    ("GUILD_MEMBER_UPDATE", {"guild_id": STUDY, "user": None}),
    ("GUILD_MEMBERS_CHUNK", {"guild_id": STUDY, "members": [{}]}),
    ("GUILD_EMOJIS_UPDATE", {"guild_id": STUDY, "emojis": [None]}),
    ("GUILD_STICKERS_UPDATE", {"guild_id": STUDY, "stickers": None}),
    ("GUILD_SCHEDULED_EVENT_CREATE", {"guild_id": STUDY, "id": "1"}),
    ("STAGE_INSTANCE_CREATE", {"guild_id": STUDY}),
    ("GUILD_SOUNDBOARD_SOUNDS_UPDATE", {"guild_id": STUDY, "soundboard_sounds": None}),
    ("VOICE_STATE_UPDATE", {"guild_id": STUDY}),
    ("PRESENCE_UPDATE", {}),
    ("MESSAGE_CREATE", {"id": None, "author": {"id": "x"}}),
    ("MESSAGE_UPDATE", {"id": "1", "author": {"id": BOT}, "embeds": 7}),
    ("MESSAGE_DELETE", {}),
    ("MESSAGE_DELETE_BULK", {"ids": None}),
    ("INTERACTION_CREATE", {"type": 3}),
    ("USER_UPDATE", {}),
    ("READY", {}),
    ("READY", {"session_id": "x", "resume_gateway_url": "ws://x", "guilds": None}),
    ("RESUMED", None),
    ("SOMETHING_NEW", {"x": 1}),
]


def test_an_unreadable_event_does_not_stop_the_bot(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        for event, data in HOPELESS:
            await tell(server, event, data)
            await still_listens(bot, server)
            held = permissions_in(bot.client, int(TALK))
            assert held is not None, (event, data)
            assert held & SEND_MESSAGES, (event, data)

    live(server, scenario)


UGLY: list[Any] = [
    None, [], {}, "x", 7, {"guild_id": STUDY}, {"guild_id": None}, {"guild_id": "x", "id": "y"},
    {"guild_id": STUDY, "id": TALK}, {"id": STUDY, "guild_id": STUDY, "user": {}, "role": {}},
]  # fmt: skip


def test_no_content_of_a_known_event_stops_the_bot(
    server: FakeDiscordProcess,
) -> None:
    understood = {"GUILD_CREATE", "GUILD_DELETE", "CHANNEL_DELETE"}  # by an id alone

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        for event in sorted(bot.client._connection.parsers.keys() - understood):
            for value in UGLY:
                await tell(server, event, value)
        await still_listens(bot, server)
        held = permissions_in(bot.client, int(TALK))
        assert held is not None
        assert held & SEND_MESSAGES

    live(server, scenario)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"op": 0, "t": "READY", "s": 9, "d": {}}'])
def test_a_malformed_frame_does_not_stop_the_bot(server: FakeDiscordProcess, text: str) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await asyncio.to_thread(server.gateway, "frame", text=text)
        await still_listens(bot, server)

    live(server, scenario)


def test_an_odd_event_is_told_once_with_its_name_and_ids(
    server: FakeDiscordProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        for name in ("하나", "둘", "셋"):
            odd = {"id": TALK, "guild_id": STUDY, "type": 0, "name": name}
            await tell(server, "CHANNEL_UPDATE", odd)
            await bot.in_step(channel_is(TALK, name=name))

    with caplog.at_level(logging.WARNING, logger="notices"):
        live(server, scenario)
    told = [record.getMessage() for record in caplog.records]
    [line] = [line for line in told if "CHANNEL_UPDATE" in line]
    assert TALK in line
    assert STUDY in line
    assert "position" in line


def test_a_guild_with_odd_channels_is_taken_in_at_the_start(server: FakeDiscordProcess) -> None:
    server.change_channel(NEWS, without=["position", "permission_overwrites_of_nobody"])
    server.add_channel(STUDY, "무대", type="stage", id=VOICE["id"])
    server.change_channel(VOICE["id"], without=["bitrate", "user_limit", "position"])

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK, guild_name="알고리즘 스터디"))
        await bot.in_step(channel_is(NEWS, name="공지"))
        await bot.in_step(channel_is(VOICE["id"], name="무대", type=13))
        held = permissions_in(bot.client, int(NEWS))
        assert held is not None
        assert held & SEND_MESSAGES
        await still_listens(bot, server)

    live(server, scenario)


@pytest.mark.parametrize(
    "oddity",
    [
        {"emojis": [{}]},
        {"stickers": None},
        {"voice_states": [{"user_id": "1", "channel_id": None}]},
        {"presences": [{}]},
        {"stage_instances": None},
        {"guild_scheduled_events": [{"id": "1"}]},
        {"soundboard_sounds": [{}]},
        {"threads": [{"id": "5"}, None]},
        {"threads": None},
        {"channels": [None, {"id": "7"}]},
        {"roles": [None, {"id": "7"}]},
        {"members": [{}, None]},
        {"system_channel_id": "x"},
    ],
)
def test_an_odd_part_of_a_guild_hides_none_of_the_others(
    server: FakeDiscordProcess, oddity: Json
) -> None:
    [guild] = [guild for guild in server.state()["guilds"] if guild["id"] == STUDY]
    guild["unavailable"] = False
    for part, value in oddity.items():
        good = guild.get(part)
        guild[part] = [*value, *good] if isinstance(value, list) and good else value
    guild["channels"] = [
        {**channel, "name": f"{channel['name']}!"} if isinstance(channel, dict) else channel
        for channel in guild["channels"]
        if channel is None or "name" in channel
    ]

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await tell(server, "GUILD_CREATE", guild)
        await bot.in_step(channel_is(TALK, name="자유!"))
        await still_listens(bot, server)
        held = permissions_in(bot.client, int(TALK))
        assert held is not None
        assert held & SEND_MESSAGES

    live(server, scenario)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("roles", "position", None),
        ("roles", "name", 7),
        ("channels", "name", ["x"]),
        ("members", "communication_disabled_until", "soon"),
        ("members", "roles", [None, "x"]),
        ("members", "user", "x"),
        ("", "owner_id", "x"),
        ("", "member_count", "x"),
        ("", "name", 7),
    ],
)
def test_an_odd_field_neither_stops_the_bot_nor_hides_a_guild(
    server: FakeDiscordProcess, part: str, field: str, value: Any
) -> None:
    [guild] = [guild for guild in server.state()["guilds"] if guild["id"] == STUDY]
    guild["unavailable"] = False
    for one in guild[part] if part else [guild]:
        one[field] = value

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await tell(server, "GUILD_CREATE", guild)
        await still_listens(bot, server)

    live(server, scenario)


def test_a_guild_without_the_bots_own_member_says_nothing_of_its_channels(
    server: FakeDiscordProcess,
) -> None:
    [guild] = [guild for guild in server.state()["guilds"] if guild["id"] == STUDY]

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await bot.client.wait_until_ready()
        assert word_on(bot.client, int(TALK), int(STUDY)) is Word.REACHABLE
        await tell(server, "GUILD_DELETE", {"id": STUDY})
        await tell(server, "GUILD_CREATE", {**guild, "members": []})
        await asyncio.to_thread(server.change_channel, NEWS, name="뒤에")
        await bot.in_step(lambda: str(bot.client.get_channel(int(NEWS))) == "뒤에")
        assert word_on(bot.client, int(TALK), int(STUDY)) is Word.NONE

    live(server, scenario)


def test_a_guild_that_cannot_be_written_holds_up_no_other(server: FakeDiscordProcess) -> None:
    other = next(guild["id"] for guild in server.state()["guilds"] if guild["id"] != STUDY)

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        count = {"id": STUDY, "member_count": 2**70}
        await tell(server, "GUILD_CREATE", {**count, "unavailable": False})
        await asyncio.to_thread(server.call, "PATCH", f"/_fake/guilds/{other}", {"name": "새"})
        await bot.in_step(Channel.objects.filter(guild_id=other, guild_name="새").exists)

    live(server, scenario)


@pytest.mark.parametrize("channels", [None, [{"id": TALK, "guild_id": STUDY}]])
def test_a_channel_that_could_not_be_read_does_not_count_as_gone(
    server: FakeDiscordProcess, channels: Any
) -> None:
    [guild] = [guild for guild in server.state()["guilds"] if guild["id"] == STUDY]
    news = [one for one in guild["channels"] if one["id"] == NEWS]
    odd = guild | {"channels": channels and channels + news, "name": "새 이름", "threads": None}

    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        # Without this field discord.py knows nothing of the guild: the bot has just joined.
        odd.pop("unavailable", None)
        await tell(server, "GUILD_CREATE", odd)
        await bot.in_step(Role.objects.filter(pk=STUDY, guild_name="새 이름").exists)
        assert await bot.in_database(channel_is(TALK))
        # The next event that can be read whole tells which channels are gone.
        whole = guild | {"channels": news, "unavailable": False}
        await tell(server, "GUILD_CREATE", whole)
        await bot.in_step(channel_is(NEWS, guild_name="알고리즘 스터디"))

    live(server, scenario)


def test_roles_stay_after_an_update_of_their_guild_that_names_none(
    server: FakeDiscordProcess,
) -> None:
    async def scenario(bot: Bot) -> None:
        await bot.in_step(channel_is(TALK))
        await tell(server, "GUILD_UPDATE", {"id": STUDY, "name": "새 이름", "roles": None})
        await bot.in_step(channel_is(TALK, guild_name="새 이름"))
        held = permissions_in(bot.client, int(TALK))
        assert held is not None
        assert held & SEND_MESSAGES

    live(server, scenario)


def test_discord_py_still_reads_events_by_the_table_and_the_class_that_are_replaced() -> None:
    """If an update of discord.py changes these two, odd events stop the bot again."""
    assert discord.shard.DiscordWebSocket is SteadyWebSocket
    parsers = discord.AutoShardedClient(intents=discord.Intents.none())._connection.parsers
    assert {"READY", "GUILD_CREATE", "CHANNEL_UPDATE", "THREAD_LIST_SYNC"} <= parsers.keys()
