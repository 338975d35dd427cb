"""Moderators purge the bot's messages and remove their embeds."""

from tests.fakediscord.cast import TALK
from tests.fakediscord.served import Served, served

EMBED = {"title": "공지", "description": "화요일 20시"}
MESSAGES = f"/_fake/channels/{TALK}/messages"


@served
async def test_a_purge_deletes_many_at_once_and_is_told_as_one_event(discord: Served) -> None:
    one, two, three = [(await discord.create(content=str(n))).data["id"] for n in range(3)]
    await discord.order("POST", f"{MESSAGES}/bulk-delete", {"messages": [one, three, "5"]})
    assert [message["id"] for message in await discord.shown()] == [two]
    told = (await discord.order("GET", "/_fake/chronicle")).data[-2:]
    assert [(event["event"], event["message_id"]) for event in told] == [
        ("MESSAGE_DELETE", one),
        ("MESSAGE_DELETE", three),
    ]


@served
async def test_a_suppressed_embed_stays_so_through_edits_until_the_flags_say_otherwise(
    discord: Served,
) -> None:
    message = (await discord.create(embeds=[EMBED])).data
    order = f"{MESSAGES}/{message['id']}"
    suppressed = (await discord.order("PATCH", order, {"flags": 4})).data
    assert (suppressed["embeds"], suppressed["flags"]) == ([], 4)
    assert suppressed["edited_timestamp"] is None

    path = f"/channels/{TALK}/messages/{message['id']}"
    changed = {"embeds": [{**EMBED, "title": "고침"}]}
    assert (await discord.api("PATCH", path, changed)).data["embeds"] == []
    shown = (await discord.api("PATCH", path, {**changed, "flags": 0})).data
    assert shown["embeds"][0]["title"] == "고침"
    assert shown["flags"] == 0


@served
async def test_a_moderator_brings_an_embed_back(discord: Served) -> None:
    message = (await discord.create(embeds=[EMBED])).data
    order = f"{MESSAGES}/{message['id']}"
    await discord.order("PATCH", order, {"flags": 4})
    back = (await discord.order("PATCH", order, {"flags": 0})).data
    assert back["embeds"][0]["title"] == "공지"
