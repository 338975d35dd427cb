"""The page's feed shows each event at once, and an action on the page takes effect in Discord."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fakediscord.cast import BOT, MEMBER, NEWS, STUDY, TALK
from tests.fakediscord.gateway_client import GatewayClient
from tests.fakediscord.served import Served, served

BUTTON = {"type": 2, "style": 1, "label": "읽었어요", "custom_id": "read:1"}


class Feed:
    def __init__(self, lines: Any) -> None:
        self._lines = lines

    async def next(self, name: str) -> dict[str, Any]:
        """The data of the next event of that name."""
        async with asyncio.timeout(10):
            while await self._line() != f"event: {name}":
                pass
            data: dict[str, Any] = json.loads((await self._line()).removeprefix("data: "))
            return data

    async def _line(self) -> str:
        line: bytes = await self._lines.readline()
        assert line, "the feed has ended"
        return line.decode().rstrip("\n")


@asynccontextmanager
async def looking_on(discord: Served) -> AsyncIterator[Feed]:
    async with discord.session.get(discord.fake.url + "/_page/events") as response:
        assert response.content_type == "text/event-stream"
        yield Feed(response.content)


@served
async def test_it_begins_with_all_there_is(discord: Served) -> None:
    made = [(await discord.create(content=str(n))).data["id"] for n in range(101)]
    async with looking_on(discord) as feed:
        snapshot = await feed.next("snapshot")
    assert snapshot["me"] == MEMBER
    guild = next(guild for guild in snapshot["guilds"] if guild["id"] == STUDY)
    assert (guild["name"], guild["icon_text"]) == ("알고리즘 스터디", "알고")
    assert guild["channels"][0]["id"] == NEWS
    assert int(guild["channels"][0]["bot_permissions"]) & 1 << 11
    member = next(one for one in guild["members"] if one["id"] == MEMBER)
    expected = {"id": MEMBER, "name": "하늘이", "avatar_color": "#a83f86", "bot": False}
    assert member == expected
    assert [message["id"] for message in snapshot["messages"][TALK]] == made[1:]


@served
async def test_it_tells_of_new_changed_and_deleted_messages(discord: Served) -> None:
    async with looking_on(discord) as feed:
        message = (await discord.create(content="글")).data
        told = await feed.next("MESSAGE_CREATE")
        assert (told["id"], told["content"], told["guild_id"]) == (message["id"], "글", STUDY)
        path = f"/channels/{TALK}/messages/{message['id']}"
        await discord.api("PATCH", path, {"content": "고침"})
        assert (await feed.next("MESSAGE_UPDATE"))["content"] == "고침"
        answer = await discord.order("DELETE", "/_page" + path)
        assert answer.status == 200
        assert (await feed.next("MESSAGE_DELETE"))["id"] == message["id"]


@served
async def test_it_shows_texts_that_the_bot_may_not_read_too(discord: Served) -> None:
    async with looking_on(discord) as feed:
        order = {"channel_id": TALK, "content": "사람의 말"}
        await discord.order("POST", "/_fake/messages", order)
        assert (await feed.next("MESSAGE_CREATE"))["content"] == "사람의 말"


@served
async def test_a_change_of_the_bots_permissions_is_told(discord: Served) -> None:
    async with looking_on(discord) as feed:
        overwrites = [{"id": BOT, "deny": ["SEND_MESSAGES"]}]
        await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})
        told = await feed.next("CHANNEL_UPDATE")
        assert not int(told["bot_permissions"]) & 1 << 11
        everyone: dict[str, Any] = {"permissions": []}
        await discord.order("PATCH", f"/_fake/guilds/{STUDY}/roles/{STUDY}", everyone)
        await feed.next("GUILD_ROLE_UPDATE")
        assert (await feed.next("CHANNEL_UPDATE"))["bot_permissions"] == "0"


@served
async def test_guilds_come_and_go(discord: Served) -> None:
    async with looking_on(discord) as feed:
        described = {"name": "새 모임", "channels": [{"name": "공지"}]}
        guild = (await discord.order("POST", "/_fake/guilds", described)).data
        told = await feed.next("GUILD_CREATE")
        assert told["channels"][0]["bot_permissions"]
        assert told["members"][0]["name"] == "스터디봇"
        await discord.order("DELETE", f"/_fake/guilds/{guild['id']}")
        assert (await feed.next("GUILD_DELETE"))["id"] == guild["id"]


@served
async def test_a_press_on_the_page_reaches_the_bot_and_its_answer_the_page(
    discord: Served,
) -> None:
    rows = [{"type": 1, "components": [BUTTON]}]
    message = (await discord.create(content="공지", components=rows)).data
    async with looking_on(discord) as feed, GatewayClient(discord) as client:
        await client.identify()
        order = {
            "channel_id": TALK,
            "message_id": message["id"],
            "custom_id": "read:1",
            "user_id": MEMBER,
        }
        press = asyncio.create_task(discord.order("POST", "/_page/interactions", order))
        event = await client.event("INTERACTION_CREATE")
        callback = f"/interactions/{event['id']}/{event['token']}/callback"
        data = {"content": "고마워요", "flags": 64}
        assert (await discord.api("POST", callback, {"type": 4, "data": data})).status == 204
        answer = (await press).data
        assert (answer["type"], answer["message"]["content"]) == (4, "고마워요")
        told = await feed.next("EPHEMERAL")
        assert (told["channel_id"], told["user_id"]) == (TALK, MEMBER)
        assert told["message"]["content"] == "고마워요"


@served
async def test_a_feed_ends_when_the_server_stops(discord: Served) -> None:
    async with looking_on(discord) as feed:
        await feed.next("snapshot")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await discord.fake.stop()
        assert loop.time() - begun < 2
        with pytest.raises(AssertionError, match="ended"):
            await feed.next("MESSAGE_CREATE")


@served
async def test_the_page_is_served_with_a_strict_policy(discord: Served) -> None:
    for path, kind in (("/", "html"), ("/static/page.js", "javascript")):
        async with discord.session.get(discord.fake.url + path) as response:
            assert response.status == 200
            assert kind in response.content_type
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy


@served
async def test_only_the_pages_own_files_are_served(discord: Served) -> None:
    for path in ("/static/../server.py", "/static/%2e%2e%2fserver.py", "/static/nothing.js"):
        async with discord.session.get(discord.fake.url + path) as response:
            assert response.status == 404


@served
async def test_a_link_to_a_message_leads_to_its_channel(discord: Served) -> None:
    url = f"{discord.fake.url}/channels/{STUDY}/{TALK}/1"
    async with discord.session.get(url, allow_redirects=False) as response:
        assert response.status == 302
        assert response.headers["Location"] == f"/#/{STUDY}/{TALK}"


@served
async def test_other_websites_can_neither_order_nor_look_in(discord: Served) -> None:
    message = (await discord.create()).data
    deletion = f"/_page/channels/{TALK}/messages/{message['id']}"
    for method, path in (
        ("DELETE", deletion),
        ("POST", "/_page/interactions"),
        ("POST", "/_fake/faults"),
        ("PATCH", "/_fake/settings"),
    ):
        elsewhere = {"Origin": "https://evil.example"}
        assert (await discord.order(method, path, {}, headers=elsewhere)).status == 403
    for path in ("/", "/_page/events", "/_fake/state"):
        rebound = {"Host": "evil.example:8001"}
        assert (await discord.order("GET", path, headers=rebound)).status == 403
    own = {"Origin": discord.fake.url}
    assert (await discord.order("DELETE", deletion, headers=own)).status == 200
