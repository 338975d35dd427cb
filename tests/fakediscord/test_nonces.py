"""A message sent twice with one nonce is shown once."""

from fakediscord.settings import Settings
from tests.fakediscord.cast import TALK, TASKS
from tests.fakediscord.served import Served, served


@served
async def test_a_second_create_returns_the_first_message(discord: Served) -> None:
    first = await discord.create(content="하나", nonce="n-1", enforce_nonce=True)
    second = await discord.create(content="둘", nonce="n-1", enforce_nonce=True)
    assert second.status == 200
    assert second.data == first.data
    assert len(await discord.shown()) == 1


@served
async def test_the_nonce_counts_in_every_channel(discord: Served) -> None:
    first = await discord.create(TALK, content="하나", nonce=7, enforce_nonce=True)
    second = await discord.create(TASKS, content="하나", nonce="7", enforce_nonce=True)
    assert second.data["id"] == first.data["id"]
    assert second.data["channel_id"] == TALK


@served
async def test_the_message_that_comes_back_is_as_it_now_is(discord: Served) -> None:
    first = await discord.create(content="하나", nonce="n", enforce_nonce=True)
    path = f"/channels/{TALK}/messages/{first.data['id']}"
    await discord.api("PATCH", path, {"content": "고침"})
    second = await discord.create(content="하나", nonce="n", enforce_nonce=True)
    assert second.data["content"] == "고침"


@served
async def test_a_deleted_message_is_not_created_again(discord: Served) -> None:
    first = await discord.create(content="하나", nonce="n", enforce_nonce=True)
    await discord.order("DELETE", f"/_fake/channels/{TALK}/messages/{first.data['id']}")
    second = await discord.create(content="하나", nonce="n", enforce_nonce=True)
    assert (second.status, second.code) == (404, 10008)


@served
async def test_without_enforcing_a_nonce_is_only_noted(discord: Served) -> None:
    await discord.create(content="하나", nonce="n")
    await discord.create(content="둘", nonce="n")
    assert [message["nonce"] for message in await discord.shown()] == ["n", "n"]


@served
async def test_past_the_window_a_nonce_is_forgotten(discord: Served) -> None:
    assert Settings().nonce_window == 180
    await discord.settings(nonce_window=0)
    await discord.create(content="하나", nonce="n", enforce_nonce=True)
    await discord.create(content="하나", nonce="n", enforce_nonce=True)
    assert len(await discord.shown()) == 2


@served
async def test_reading_tells_the_nonce_only_if_it_is_set_so(discord: Served) -> None:
    message = (await discord.create(content="하나", nonce="n")).data
    path = f"/channels/{TALK}/messages/{message['id']}"
    assert "nonce" not in (await discord.api("GET", path)).data
    await discord.settings(nonce_in_get=True)
    assert (await discord.api("GET", path)).data["nonce"] == "n"
