"""An archived or locked thread takes what Discord's takes, and the gateway tells of threads."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakediscord.cast import BOT, STAFF, STUDY, TALK
from tests.fakediscord.real_client import connected
from tests.fakediscord.served import Served, served, until

MANAGE = ["VIEW_CHANNEL", "SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS", "MANAGE_THREADS"]
MANAGE += ["EMBED_LINKS", "READ_MESSAGE_HISTORY"]


async def thread(discord: Served, **facts: Any) -> str:
    order = {"parent_id": TALK, "name": "7주차", **facts}
    made: str = (await discord.order("POST", "/_fake/threads", order)).data["id"]
    return made


async def change(discord: Served, thread_id: str, **changes: Any) -> None:
    await discord.order("PATCH", f"/_fake/channels/{thread_id}", changes)


async def is_archived(discord: Served, thread_id: str) -> bool:
    told = (await discord.api("GET", f"/channels/{thread_id}")).data
    return bool(told["thread_metadata"]["archived"])


@served
async def test_a_message_opens_an_archived_thread(discord: Served) -> None:
    there = await thread(discord, archived=True)
    assert (await discord.create(there)).status == 200
    assert not await is_archived(discord, there)


@served
async def test_a_message_in_an_archived_thread_stays_until_it_is_opened(
    discord: Served,
) -> None:
    there = await thread(discord)
    path = f"/channels/{there}/messages/{(await discord.create(there)).data['id']}"
    await change(discord, there, archived=True)
    assert (await discord.api("PATCH", path, {"content": "고침"})).code == 50083
    assert (await discord.api("DELETE", path)).code == 50083
    opened = await discord.api("PATCH", f"/channels/{there}", {"archived": False})
    assert opened.status == 200
    assert (await discord.api("PATCH", path, {"content": "고침"})).status == 200
    assert (await discord.api("DELETE", path)).status == 204


@served
async def test_a_locked_thread_is_the_moderators(discord: Served) -> None:
    there = await thread(discord, locked=True)
    assert (await discord.create(there)).code == 160005
    await change(discord, there, archived=True)
    assert (await discord.create(there)).code == 50083
    opening = ("PATCH", f"/channels/{there}", {"archived": False})
    assert (await discord.api(*opening)).code == 50013
    role = f"/_fake/guilds/{STUDY}/roles/{STUDY}"
    await discord.order("PATCH", role, {"permissions": MANAGE})
    assert (await discord.api(*opening)).status == 200
    assert (await discord.create(there)).status == 200


@served
async def test_writing_in_threads_has_a_permission_of_its_own(discord: Served) -> None:
    there = await thread(discord)
    overwrites = [{"id": BOT, "deny": ["SEND_MESSAGES_IN_THREADS"]}]
    await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})
    assert (await discord.create(there)).code == 50013
    overwrites = [{"id": BOT, "deny": ["SEND_MESSAGES"]}]
    await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})
    assert (await discord.create(there)).status == 200


@served
async def test_discord_py_is_told_of_threads(discord: Served) -> None:
    archived = await thread(discord, archived=True)
    before = await thread(discord)
    async with connected(discord.fake) as client:
        guild = client.text_channel(TALK).guild
        assert [one.id for one in guild.threads] == [int(before)]
        made = await thread(discord)
        assert (await client.events.next("thread_create")).id == int(made)
        await change(discord, made, archived=True)
        await client.events.next("thread_update")
        assert guild.get_thread(int(made)) is None
        await change(discord, archived, archived=False)
        assert (await client.events.next("thread_join")).id == int(archived)
        await discord.order("DELETE", f"/_fake/channels/{archived}")
        assert (await client.events.next("thread_delete")).id == int(archived)
        hidden = await thread(discord, parent_id=STAFF)
        await discord.order("PATCH", f"/_fake/channels/{STAFF}", {"overwrites": []})
        assert (await client.events.next("thread_join")).id == int(hidden)


@served
async def test_threads_go_with_their_channel(discord: Served) -> None:
    there = await thread(discord)
    await discord.order("DELETE", f"/_fake/channels/{TALK}")
    assert (await discord.create(there)).code == 10003


@served
async def test_a_member_that_is_timed_out_sees_and_reads_until_it_ends(discord: Served) -> None:
    member = f"/_fake/guilds/{STUDY}/members/{BOT}"
    soon = datetime.now(UTC) + timedelta(seconds=0.5)
    await discord.order("PATCH", member, {"communication_disabled_until": soon.isoformat()})
    assert (await discord.create()).code == 50013
    assert (await discord.api("GET", f"/channels/{TALK}/messages")).status == 200
    await until(lambda: datetime.now(UTC) > soon)
    assert (await discord.create()).status == 200


@served
async def test_an_administrator_is_never_timed_out(discord: Served) -> None:
    role = f"/_fake/guilds/{STUDY}/roles/{STUDY}"
    await discord.order("PATCH", role, {"permissions": ["ADMINISTRATOR"]})
    member = f"/_fake/guilds/{STUDY}/members/{BOT}"
    late = {"communication_disabled_until": "2099-01-01T00:00:00+00:00"}
    await discord.order("PATCH", member, late)
    assert (await discord.create()).status == 200


@served
async def test_a_voice_channel_takes_who_may_connect(discord: Served) -> None:
    order = {"guild_id": STUDY, "name": "음성", "type": "voice"}
    voice = (await discord.order("POST", "/_fake/channels", order)).data["id"]
    assert (await discord.create(voice)).status == 200
    overwrites = [{"id": STUDY, "deny": ["CONNECT"]}]
    await discord.order("PATCH", f"/_fake/channels/{voice}", {"overwrites": overwrites})
    assert (await discord.create(voice)).code == 50001
