"""The chronicle tells of every message, also of those that are gone."""

from tests.fakediscord.cast import TALK
from tests.fakediscord.served import Served, served


@served
async def test_it_tells_of_messages_made_and_deleted(discord: Served) -> None:
    message = (await discord.create(content="하나", nonce="n-1")).data
    await discord.api("DELETE", f"/channels/{TALK}/messages/{message['id']}")
    events = (await discord.order("GET", "/_fake/chronicle")).data
    assert [(event["event"], event["message_id"], event["nonce"]) for event in events] == [
        ("MESSAGE_CREATE", message["id"], "n-1"),
        ("MESSAGE_DELETE", message["id"], None),
    ]
    assert (await discord.order("GET", "/_fake/chronicle?since=1")).data == events[1:]


@served
async def test_a_nonce_that_is_used_again_makes_no_second_message(discord: Served) -> None:
    for _ in range(2):
        await discord.create(content="하나", nonce="n-1", enforce_nonce=True)
    assert len((await discord.order("GET", "/_fake/chronicle")).data) == 1
