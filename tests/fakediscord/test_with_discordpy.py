"""Real discord.py cannot tell it from Discord: it logs in, sees, sends, and comes back."""

import asyncio

import discord
import pytest

from tests.fakediscord.cast import (
    APPLICATION,
    BOOK_TALK,
    BOOKS,
    BOT,
    LEADER,
    LEADERS_ROLE,
    MEMBER,
    MEMBERS_ROLE,
    NEWS,
    QUIET,
    STAFF,
    STUDY,
    TALK,
)
from tests.fakediscord.real_client import RecordingClient, connected, point_at
from tests.fakediscord.served import Served, limited, served, until

NOBODY = discord.AllowedMentions.none()


async def break_gateway(fake: Served, action: str, **more: object) -> None:
    answer = await fake.order("POST", "/_fake/gateway", {"action": action, **more})
    assert answer.status == 200


@served
async def test_it_logs_in_and_sees_guilds_channels_and_its_rights(fake: Served) -> None:
    async with connected(fake.fake) as client:
        assert client.user
        assert client.user.id == int(BOT)
        assert client.application_id == int(APPLICATION)
        assert (await client.application_info()).owner.name == "haneul"
        guild = client.get_guild(int(STUDY))
        assert guild
        assert (guild.name, guild.member_count, guild.owner_id) == (
            "알고리즘 스터디",
            3,
            int(LEADER),
        )
        role = guild.get_role(int(MEMBERS_ROLE))
        assert role
        assert role.mentionable
        assert client.text_channel(NEWS).is_news()
        assert client.text_channel(TALK).permissions_for(guild.me).send_messages
        assert not client.text_channel(QUIET).permissions_for(guild.me).send_messages
        assert not client.text_channel(STAFF).permissions_for(guild.me).view_channel


@served
async def test_it_starts_the_shards_that_are_recommended_and_they_share_the_guilds(
    fake: Served,
) -> None:
    await fake.settings(shards=2)
    async with connected(fake.fake) as client:
        shards = {str(guild.id): guild.shard_id for guild in client.guilds}
        assert shards == {STUDY: 1, BOOKS: 0}


@served
async def test_a_plain_client_connects_too(fake: Served) -> None:
    point_at(fake.fake)
    async with discord.Client(intents=discord.Intents.default()) as client:
        running = asyncio.create_task(client.start("token"))
        await until(lambda: client.guilds and client.guilds[0].channels)
        await client.close()
        await running


@served
async def test_a_message_is_sent_echoed_edited_read_and_deleted(fake: Served) -> None:
    async with connected(fake.fake) as client:
        place = client.get_partial_messageable(int(TALK))
        embed = discord.Embed(title="7주차 모임", url="https://example.com/7", colour=0x5865F2)
        embed.add_field(name="언제", value="화요일 20시").set_footer(text="지우")
        sent = await place.send("안내", embed=embed, nonce="n-1", allowed_mentions=NOBODY)
        echo = await client.events.next("message")
        assert (echo.id, echo.nonce, echo.author) == (sent.id, "n-1", client.user)
        assert echo.embeds == sent.embeds == [embed]

        await sent.edit(content="고침", allowed_mentions=NOBODY)
        edited = await client.events.next("raw_message_edit")
        assert edited.message.content == "고침"
        assert edited.message.edited_at

        assert [message.content async for message in place.history()] == ["고침"]
        await place.get_partial_message(sent.id).delete()
        assert (await client.events.next("raw_message_delete")).message_id == sent.id


@served
async def test_errors_are_the_librarys_own(fake: Served) -> None:
    async with connected(fake.fake) as client:
        with pytest.raises(discord.Forbidden) as forbidden:
            await client.get_partial_messageable(int(QUIET)).send("글")
        assert forbidden.value.code == 50013
        with pytest.raises(discord.NotFound) as missing:
            await client.get_partial_messageable(1).send("글")
        assert missing.value.code == 10003
        with pytest.raises(discord.HTTPException) as refused:
            await client.get_partial_messageable(int(TALK)).send("가" * 2001)
        assert (refused.value.status, refused.value.code) == (400, 50035)
        assert "In content: Must be 2000 or fewer in length." in refused.value.text


@served
async def test_files_replies_pins_and_publishing_work(fake: Served) -> None:
    names = ["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "PIN_MESSAGES"]
    names += ["ATTACH_FILES"]
    role = f"/_fake/guilds/{STUDY}/roles/{STUDY}"
    await fake.order("PATCH", role, {"permissions": names})
    async with connected(fake.fake) as client:
        channel = client.text_channel(NEWS)
        file = discord.File(fp=__file__, filename="코드.py", description="이 파일")
        sent = await channel.send("파일", file=file, nonce="f")
        assert sent.attachments[0].description == "이 파일"
        assert (await sent.reply("답글")).reference
        await sent.pin()
        assert [pin.id async for pin in channel.pins()] == [sent.id]
        await sent.unpin()
        await sent.publish()
        assert (await channel.fetch_message(sent.id)).flags.crossposted


@limited
async def test_the_fifth_send_in_a_channel_returns_after_the_bucket_is_whole(
    fake: Served,
) -> None:
    await fake.settings(bucket_seconds=0.5)
    async with connected(fake.fake) as client:
        place = client.get_partial_messageable(int(TALK))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(5):
            await place.send(str(number))
        assert loop.time() - begun >= 0.5
        await place.send("여섯")
        stats = (await fake.order("GET", "/_fake/stats")).data
        assert stats["rate_limited"] == 0


@served
async def test_it_waits_out_a_429_and_tries_again(fake: Served) -> None:
    await fake.fault(method="POST", kind="status", status=429, retry_after=0.05, times=1)
    async with connected(fake.fake) as client:
        await client.get_partial_messageable(int(TALK)).send("글")
        assert [r["status"] for r in await fake.requests()][-2:] == [429, 200]


@served
async def test_a_wrong_token_is_a_login_failure(fake: Served) -> None:
    point_at(fake.fake)
    await fake.fault(kind="status", status=401, path="/users/@me")
    async with RecordingClient() as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


@served
async def test_privileged_intents_that_are_not_enabled_are_told(fake: Served) -> None:
    intents = discord.Intents(guilds=True, message_content=True)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with connected(fake.fake, intents=intents):
            pass


@pytest.mark.parametrize("action", ["drop", "reconnect"])
def test_it_resumes_and_misses_nothing(action: str, layout: object) -> None:
    @served
    async def resume(fake: Served) -> None:
        async with connected(fake.fake) as client:
            await break_gateway(fake, action)
            await fake.create(TALK, content="그동안", nonce="missed")
            message = await client.events.next("message")
            assert message.nonce == "missed"
            await client.events.next("shard_resumed")
            await fake.create(BOOK_TALK)
            await client.events.next("message")

    resume(layout)  # type: ignore[arg-type]


@served
async def test_guilds_and_channels_come_change_and_go(fake: Served) -> None:
    async with connected(fake.fake) as client:
        described = {"name": "새 모임", "channels": [{"name": "공지"}]}
        made = (await fake.order("POST", "/_fake/guilds", described)).data
        guild = await client.events.next("guild_join")
        assert guild.text_channels[0].permissions_for(guild.me).send_messages

        order = {"guild_id": made["id"], "name": "질문"}
        channel = (await fake.order("POST", "/_fake/channels", order)).data
        assert (await client.events.next("guild_channel_create")).name == "질문"
        path = f"/_fake/channels/{channel['id']}"
        overwrites = [{"id": BOT, "deny": ["SEND_MESSAGES"]}]
        await fake.order("PATCH", path, {"name": "답변", "overwrites": overwrites})
        await client.events.next("guild_channel_update")
        renamed = client.text_channel(channel["id"])
        assert renamed.name == "답변"
        assert not renamed.permissions_for(guild.me).send_messages
        await fake.order("DELETE", path)
        await client.events.next("guild_channel_delete")

        await fake.order("DELETE", f"/_fake/guilds/{made['id']}?outage=1")
        await client.events.next("guild_unavailable")
        await fake.order("POST", "/_fake/guilds", {"id": made["id"]})
        await client.events.next("guild_available")
        await fake.order("DELETE", f"/_fake/guilds/{made['id']}")
        await client.events.next("guild_remove")


@served
async def test_roles_come_change_and_go(fake: Served) -> None:
    async with connected(fake.fake) as client:
        path = f"/_fake/guilds/{STUDY}/roles"
        role = (await fake.order("POST", path, {"name": "새 역할"})).data
        assert (await client.events.next("guild_role_create")).name == "새 역할"
        await fake.order("PATCH", f"{path}/{role['id']}", {"mentionable": True})
        await client.events.next("guild_role_update")
        everyone = {"permissions": ["VIEW_CHANNEL"]}
        await fake.order("PATCH", f"{path}/{STUDY}", everyone)
        await client.events.next("guild_role_update")
        guild = client.text_channel(TALK).guild
        assert not client.text_channel(TALK).permissions_for(guild.me).send_messages
        await fake.order("DELETE", f"{path}/{role['id']}")
        await client.events.next("guild_role_delete")


@served
async def test_discordpy_fetches_the_state_of_the_fake(fake: Served) -> None:
    async with connected(fake.fake) as client:
        guild = await client.fetch_guild(int(STUDY))
        assert guild.approximate_member_count == 3
        assert len(await guild.fetch_channels()) == 8
        assert len(await guild.fetch_roles()) == 3
        counts = await guild.role_member_counts()
        told = {str(role.id): count for role, count in counts.items()}
        assert told == {LEADERS_ROLE: 1, MEMBERS_ROLE: 0}
        assert (await guild.fetch_member(int(LEADER))).name == "jiwoo"
        assert [found.name async for found in client.fetch_guilds()] == [
            "알고리즘 스터디",
            "독서 모임",
        ]
        assert (await client.fetch_user(int(LEADER))).display_name == "지우"
        assert (await client.fetch_channel(int(TALK))).id == int(TALK)
        with pytest.raises(discord.Forbidden):
            await client.fetch_channel(int(STAFF))
        with pytest.raises(discord.NotFound):
            await client.fetch_guild(1)
        with pytest.raises(discord.NotFound):
            await guild.fetch_member(1)


@served
async def test_members_are_listed_with_the_members_intent_alone(fake: Served) -> None:
    path = f"/guilds/{STUDY}/members"
    assert (await fake.api("GET", path)).code == 50001
    await fake.settings(privileged_intents=["members"])
    assert (await fake.api("GET", f"{path}?after=x")).code == 50035
    members = (await fake.api("GET", f"{path}?limit=2")).data
    assert [member["user"]["id"] for member in members] == [LEADER, MEMBER]
