"""A channel's history is read in pages, as far as the bot may read it."""

import pytest

from tests.fakediscord.cast import BOT, MUTE, STAFF, TALK
from tests.fakediscord.served import Served, served


async def ids_of(discord: Served, query: str) -> list[str]:
    answer = await discord.api("GET", f"/channels/{TALK}/messages?{query}")
    return [message["id"] for message in answer.data]


@served
async def test_pages_are_newest_first(discord: Served) -> None:
    made = [(await discord.create()).data["id"] for _ in range(7)]

    assert await ids_of(discord, "limit=3") == [made[6], made[5], made[4]]
    assert await ids_of(discord, f"limit=2&before={made[3]}") == [made[2], made[1]]
    assert await ids_of(discord, f"limit=2&after={made[3]}") == [made[5], made[4]]
    assert await ids_of(discord, f"limit=3&around={made[3]}") == [made[4], made[3], made[2]]
    assert await ids_of(discord, "") == made[::-1]
    assert await ids_of(discord, "after=0&limit=100") == made[::-1]
    assert await ids_of(discord, f"after={made[6]}") == []


@served
async def test_a_page_has_1_to_100_messages(discord: Served) -> None:
    for query in ("limit=0", "limit=101", "limit=x", "before=x"):
        answer = await discord.api("GET", f"/channels/{TALK}/messages?{query}")
        assert (answer.status, answer.code) == (400, 50035)


@served
async def test_without_read_message_history_it_is_empty_and_no_error(discord: Served) -> None:
    message = (await discord.create(MUTE)).data
    answer = await discord.api("GET", f"/channels/{MUTE}/messages")
    assert (answer.status, answer.data) == (200, [])
    answer = await discord.api("GET", f"/channels/{MUTE}/messages/{message['id']}")
    assert (answer.status, answer.code) == (403, 50001)
    pins = await discord.api("GET", f"/channels/{MUTE}/messages/pins")
    assert pins.data == {"items": [], "has_more": False}


@served
async def test_an_unseen_channel_is_not_read(discord: Served) -> None:
    assert (await discord.api("GET", f"/channels/{STAFF}/messages")).code == 50001


@served
async def test_an_unknown_message_is_not_found(discord: Served) -> None:
    answer = await discord.api("GET", f"/channels/{TALK}/messages/1")
    assert (answer.status, answer.code) == (404, 10008)


@pytest.mark.parametrize("mentions_bot", [False, True])
def test_others_words_need_the_message_content_intent(mentions_bot: bool, layout: object) -> None:
    words = f"<@{BOT}> 안녕" if mentions_bot else "안녕"

    @served
    async def read(discord: Served) -> None:
        order = {"channel_id": TALK, "content": words}
        message = (await discord.order("POST", "/_fake/messages", order)).data
        path = f"/channels/{TALK}/messages/{message['id']}"
        expected = words if mentions_bot else ""
        assert (await discord.api("GET", path)).data["content"] == expected
        await discord.settings(privileged_intents=["message_content"])
        assert (await discord.api("GET", path)).data["content"] == words

    read(layout)  # type: ignore[arg-type]
