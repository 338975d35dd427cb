"""The gateway's conversation: hello, identify, heartbeats, and how it ends."""

import time
from typing import Any

import pytest

from tests.fakediscord.cast import APPLICATION, BOOK_TALK, BOOKS, BOT, STUDY, TALK
from tests.fakediscord.gateway_client import (
    DEFAULT_INTENTS,
    GUILD_MESSAGES,
    GUILDS,
    MEMBERS,
    MESSAGE_CONTENT,
    GatewayClient,
)
from tests.fakediscord.served import Served, served, until


@served
async def test_it_says_hello_and_answers_heartbeats(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        assert client.hello["d"]["heartbeat_interval"] == 41250
        sent = time.monotonic()
        await client.send(1, None)
        assert (await client.receive())["op"] == 11
        # An earlier one counts for discord.py as the answer to the heartbeat before.
        assert time.monotonic() - sent >= 0.01


@served
async def test_ready_names_the_guilds_which_then_come_in_full(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.send(2, {"token": "token", "intents": DEFAULT_INTENTS})
        ready = await client.event("READY")
        assert ready["user"]["id"] == BOT
        assert ready["application"]["id"] == APPLICATION
        assert ready["resume_gateway_url"] == discord.fake.gateway_url
        assert ready["guilds"] == [{"id": g, "unavailable": True} for g in (STUDY, BOOKS)]
        guild = await client.event("GUILD_CREATE")
        assert guild["id"] == STUDY
        assert guild["unavailable"] is False
        assert guild["member_count"] == 3
        assert [member["user"]["id"] for member in guild["members"]] == [BOT]
        assert {role["id"] for role in guild["roles"]} > {STUDY}
        assert len(guild["channels"]) == 8


@served
async def test_each_shard_has_its_own_guilds(discord: Served) -> None:
    async with GatewayClient(discord) as first, GatewayClient(discord) as second:
        ready = await first.identify(shard=[0, 2])
        assert ready["shard"] == [0, 2]
        assert [guild["id"] for guild in ready["guilds"]] == [BOOKS]
        ready = await second.identify(shard=[1, 2])
        assert [guild["id"] for guild in ready["guilds"]] == [STUDY]
        await discord.create(BOOK_TALK)
        assert (await first.event("MESSAGE_CREATE"))["guild_id"] == BOOKS
        assert await second.is_quiet()


BAD_BEGINNINGS: list[tuple[int, Any, int]] = [
    (2, {"token": "", "intents": 0}, 4004),
    (2, {"intents": 0}, 4004),
    (2, {"token": "t", "intents": -1}, 4013),
    (2, {"token": "t"}, 4013),
    (2, {"token": "t", "intents": DEFAULT_INTENTS | MESSAGE_CONTENT}, 4014),
    (2, {"token": "t", "intents": DEFAULT_INTENTS | MEMBERS}, 4014),
    (2, {"token": "t", "intents": 0, "shard": [2, 2]}, 4010),
    (2, {"token": "t", "intents": 0, "shard": "x"}, 4010),
    (2, [], 4002),
    (6, {"token": "", "session_id": "x", "seq": 1}, 4004),
    (8, {"guild_id": STUDY}, 4003),
    (3, {"status": "online"}, 4003),
    (99, {}, 4001),
    ([], {}, 4002),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("op", "data", "code"), BAD_BEGINNINGS)
def test_a_bad_beginning_is_closed_with_its_code(
    op: int, data: Any, code: int, layout: Any
) -> None:
    @served
    async def begin(discord: Served) -> None:
        async with GatewayClient(discord) as client:
            await client.send(op, data)
            assert await client.close_code() == code

    begin(layout)


@served
async def test_nonsense_and_a_second_identify_are_closed(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.socket.send_str("{")
        assert await client.close_code() == 4002
    async with GatewayClient(discord) as client:
        await client.identify()
        await client.send(2, {"token": "t", "intents": 0})
        assert await client.close_code() == 4005


@served
async def test_more_than_120_frames_a_minute_are_closed(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        for _ in range(120):
            await client.send(3, {"status": "online"})
        assert await client.close_code() == 4008


@served
async def test_without_heartbeats_the_session_is_over(discord: Served) -> None:
    await discord.settings(heartbeat_seconds=0.1)
    async with GatewayClient(discord) as client:
        await client.identify()
        assert await client.close_code() == 4009
        assert discord.fake.backend.gateway.sessions == {}


@served
async def test_the_bots_own_messages_come_back_with_their_nonce(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        sent = (await discord.create(content="공지", nonce="n-1")).data
        event = await client.event("MESSAGE_CREATE")
        assert (event["id"], event["nonce"]) == (sent["id"], "n-1")
        assert (event["content"], event["guild_id"]) == ("공지", STUDY)
        assert event["member"]["roles"] == []


@served
async def test_edits_and_deletions_are_told(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        message = (await discord.create()).data
        path = f"/channels/{TALK}/messages/{message['id']}"
        await discord.api("PATCH", path, {"content": "고침"})
        assert (await client.event("MESSAGE_UPDATE"))["content"] == "고침"
        await discord.api("DELETE", path)
        expected = {"id": message["id"], "channel_id": TALK, "guild_id": STUDY}
        assert await client.event("MESSAGE_DELETE") == expected


@served
async def test_the_text_of_others_needs_the_message_content_intent(discord: Served) -> None:
    await discord.settings(privileged_intents=["message_content"])
    async with GatewayClient(discord) as blind, GatewayClient(discord) as seeing:
        await blind.identify()
        await seeing.identify(intents=DEFAULT_INTENTS | MESSAGE_CONTENT)
        order = {"channel_id": TALK, "content": "비밀"}
        await discord.order("POST", "/_fake/messages", order)
        assert (await blind.event("MESSAGE_CREATE"))["content"] == ""
        assert (await seeing.event("MESSAGE_CREATE"))["content"] == "비밀"


@served
async def test_events_come_for_the_intents_that_were_asked_for(discord: Served) -> None:
    async with GatewayClient(discord) as guilds, GatewayClient(discord) as messages:
        await guilds.identify(intents=GUILDS)
        await messages.send(2, {"token": "t", "intents": GUILD_MESSAGES})
        await messages.event("READY")
        await discord.create()
        await discord.order("PATCH", f"/_fake/channels/{TALK}", {"name": "수다"})
        assert (await guilds.receive())["t"] == "CHANNEL_UPDATE"
        while (frame := await messages.receive())["t"] == "GUILD_CREATE":
            pass
        assert frame["t"] == "MESSAGE_CREATE"
        assert await messages.is_quiet()


@served
async def test_events_of_members_need_the_members_intent(discord: Served) -> None:
    await discord.settings(privileged_intents=["members"])
    async with GatewayClient(discord) as client:
        await client.send(2, {"token": "t", "intents": GUILDS | MEMBERS})
        assert len((await client.event("GUILD_CREATE"))["members"]) == 3


@served
async def test_the_bot_is_told_of_its_own_roles_in_any_case(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        path = f"/_fake/guilds/{STUDY}/members/{BOT}"
        await discord.order("PATCH", path, {"nick": "공지봇"})
        assert (await client.event("GUILD_MEMBER_UPDATE"))["nick"] == "공지봇"


@served
async def test_members_can_be_asked_for_by_id(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        asked = {"guild_id": STUDY, "user_ids": [BOT, "1"], "limit": 0, "nonce": "x"}
        await client.send(8, asked)
        chunk = await client.event("GUILD_MEMBERS_CHUNK")
        assert [member["user"]["id"] for member in chunk["members"]] == [BOT]
        assert (chunk["not_found"], chunk["nonce"]) == (["1"], "x")
        await client.send(8, {"guild_id": STUDY, "query": "", "limit": 0})
        assert await client.close_code() == 4014


@served
async def test_sessions_can_be_looked_at(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        seen = (await discord.order("GET", "/_fake/gateway")).data
        assert seen["identifies"] == 1
        session = seen["sessions"][0]
        assert (session["connected"], session["shard"]) == (True, [0, 1])
    await until(lambda: not any(s.socket for s in discord.fake.backend.gateway.sessions.values()))
