"""A lost connection is resumed, as long as its session lives; and connections are lost on order."""

import aiohttp
import pytest

from tests.fakediscord.cast import STUDY, TALK
from tests.fakediscord.gateway_client import GatewayClient
from tests.fakediscord.served import Served, served, until


async def order(discord: Served, action: str, **more: object) -> None:
    answer = await discord.order("POST", "/_fake/gateway", {"action": action, **more})
    assert answer.status == 200, answer.data


async def lost_session(discord: Served) -> GatewayClient:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "drop")
        await client.close_code()
    sessions = discord.fake.backend.gateway.sessions
    await until(lambda: all(session.socket is None for session in sessions.values()))
    return client


@served
async def test_missed_events_are_replayed_in_order(discord: Served) -> None:
    lost = await lost_session(discord)
    made = [(await discord.create(nonce=str(n), content="글")).data["id"] for n in range(3)]
    async with GatewayClient(discord) as client:
        await client.resume(lost.session_id, lost.seq)
        assert [(await client.event("MESSAGE_CREATE"))["id"] for _ in range(3)] == made
        await client.event("RESUMED")
        await discord.create()
        await client.event("MESSAGE_CREATE")
        assert client.seq == lost.seq + 5


@served
async def test_an_unknown_session_is_invalid(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.resume("nothing", 1)
        assert (await client.frame(9))["d"] is False
        await client.identify()


@served
async def test_a_session_lives_only_so_long(discord: Served) -> None:
    await discord.settings(resume_seconds=0)
    lost = await lost_session(discord)
    async with GatewayClient(discord) as client:
        await client.resume(lost.session_id, lost.seq)
        assert (await client.frame(9))["d"] is False


@served
async def test_a_session_that_missed_too_much_is_invalid(discord: Served) -> None:
    await discord.settings(replayed_events=2)
    lost = await lost_session(discord)
    for _ in range(3):
        await discord.create()
    async with GatewayClient(discord) as client:
        await client.resume(lost.session_id, lost.seq)
        assert (await client.frame(9))["d"] is False


@served
async def test_a_seq_from_the_future_is_closed(discord: Served) -> None:
    lost = await lost_session(discord)
    async with GatewayClient(discord) as client:
        await client.resume(lost.session_id, lost.seq + 100)
        assert await client.close_code() == 4007


@served
async def test_closing_with_1000_ends_the_session(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await client.socket.close(code=1000)
    await until(lambda: not discord.fake.backend.gateway.sessions)


@served
async def test_a_drop_can_take_the_session_with_it(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "drop", resumable=False)
        await client.close_code()
        assert discord.fake.backend.gateway.sessions == {}


@served
async def test_it_closes_with_a_code_on_order(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "close", code=4001)
        assert await client.close_code() == 4001


@served
async def test_it_asks_to_reconnect_on_order(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "reconnect")
        assert (await client.receive())["op"] == 7


@pytest.mark.parametrize("resumable", [False, True])
def test_it_invalidates_the_session_on_order(resumable: bool, layout: object) -> None:
    @served
    async def invalidate(discord: Served) -> None:
        async with GatewayClient(discord) as client:
            await client.identify()
            await order(discord, "invalid_session", resumable=resumable)
            assert (await client.frame(9))["d"] is resumable
            assert bool(discord.fake.backend.gateway.sessions) is resumable

    invalidate(layout)  # type: ignore[arg-type]


@served
async def test_it_refuses_and_accepts_connections_on_order(discord: Served) -> None:
    await order(discord, "refuse")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        async with GatewayClient(discord):
            pass
    assert refused.value.status == 503
    await order(discord, "accept")
    async with GatewayClient(discord) as client:
        await client.identify()


@served
async def test_the_echo_of_own_messages_can_be_muted(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "mute_echo")
        await discord.create()
        assert await client.is_quiet()
        await order(discord, "unmute_echo")
        await discord.create()
        await client.event("MESSAGE_CREATE")


@served
async def test_it_falls_silent_on_order(discord: Served) -> None:
    async with GatewayClient(discord) as client:
        await client.identify()
        await order(discord, "silence")
        await client.send(1, None)
        await discord.create()
        await order(discord, "unsilence")
        await discord.order("PATCH", f"/_fake/channels/{TALK}", {"name": "수다"})
        assert (await client.receive())["t"] == "CHANNEL_UPDATE"


@served
async def test_orders_can_be_for_one_shard(discord: Served) -> None:
    async with GatewayClient(discord) as first, GatewayClient(discord) as second:
        await first.identify(shard=[0, 2])
        await second.identify(shard=[1, 2])
        await order(discord, "close", code=4000, shard=0)
        assert await first.close_code() == 4000
        await discord.create()
        assert (await second.event("MESSAGE_CREATE"))["guild_id"] == STUDY


@served
async def test_an_unknown_order_is_refused(discord: Served) -> None:
    answer = await discord.order("POST", "/_fake/gateway", {"action": "explode"})
    assert answer.status == 400
    assert "explode" in answer.data["error"]
