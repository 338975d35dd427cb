"""Failures come on order, to the requests that they are ordered for."""

import asyncio
import errno
from typing import Any

import aiohttp
import pytest

from tests.fakediscord.cast import TALK, TASKS
from tests.fakediscord.served import Served, served, until

CREATES = {"method": "POST", "path": r"/messages$"}


@served
async def test_a_status_is_answered_without_doing_the_thing(discord: Served) -> None:
    await discord.fault(**CREATES, kind="status", status=403, code=50013, message="No", times=1)
    answer = await discord.create()
    assert (answer.status, answer.data) == (403, {"message": "No", "code": 50013})
    assert answer.headers["Via"]
    assert await discord.shown() == []
    assert (await discord.create()).status == 200


@served
async def test_a_status_can_come_after_doing_the_thing(discord: Served) -> None:
    await discord.fault(**CREATES, kind="status", status=502, after=True)
    assert (await discord.create()).status == 502
    assert len(await discord.shown()) == 1


@served
async def test_a_429_on_order_has_all_that_discord_sends(discord: Served) -> None:
    await discord.fault(kind="status", status=429, retry_after=0.25, scope="global", times=1)
    answer = await discord.create()
    assert answer.data["retry_after"] == 0.25
    assert answer.data["global"] is True
    assert answer.headers["Retry-After"] == "0.25"
    assert answer.headers["X-RateLimit-Scope"] == "global"


@served
async def test_a_429_can_look_like_one_of_cloudflares(discord: Served) -> None:
    await discord.fault(kind="status", status=429, via=False, json=False)
    answer = await discord.create()
    assert answer.status == 429
    assert "Via" not in answer.headers
    assert answer.headers["Content-Type"].startswith("text/html")


@served
async def test_headers_and_body_can_be_ordered(discord: Served) -> None:
    body = {"anything": [1]}
    await discord.fault(kind="status", status=418, headers={"X-Tea": "green"}, body=body)
    answer = await discord.create()
    assert (answer.status, answer.data, answer.headers["X-Tea"]) == (418, body, "green")


@pytest.mark.parametrize("kind", ["lost_reply", "truncate"])
def test_a_reply_is_lost_after_the_thing_is_done(kind: str, layout: Any) -> None:
    @served
    async def lose(discord: Served) -> None:
        await discord.fault(**CREATES, kind=kind, times=1)
        with pytest.raises(aiohttp.ClientError):
            await discord.create()
        assert len(await discord.shown()) == 1
        assert (await discord.requests())[-1]["status"] == kind

    lose(layout)


@pytest.mark.parametrize("after", [False, True])
def test_a_reset_comes_before_the_thing_or_after(after: bool, layout: Any) -> None:
    @served
    async def reset(discord: Served) -> None:
        await discord.fault(**CREATES, kind="reset", times=1, after=after)
        with pytest.raises(aiohttp.ClientOSError) as lost:
            await discord.create()
        assert lost.value.errno == errno.ECONNRESET
        state = (await discord.order("GET", "/_fake/state")).data
        assert len(state["messages"].get(TALK, [])) == int(after)

    reset(layout)


@served
async def test_a_request_hangs_until_the_fault_is_taken_back(discord: Served) -> None:
    fault_id = await discord.fault(**CREATES, kind="hang", after=True)
    creating = asyncio.create_task(discord.create())
    await until(lambda: discord.fake.backend.journal.creates)
    assert not creating.done()
    await discord.order("DELETE", f"/_fake/faults/{fault_id}")
    with pytest.raises(aiohttp.ClientError):
        await creating


@served
async def test_a_hanging_request_does_not_hold_up_the_stop(discord: Served) -> None:
    await discord.fault(**CREATES, kind="hang")
    creating = asyncio.create_task(discord.create())
    await until(lambda: discord.fake.backend.journal.count)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await discord.fake.stop()
    assert loop.time() - begun < 2
    with pytest.raises(aiohttp.ClientError):
        await creating


@served
async def test_an_answer_is_delayed(discord: Served) -> None:
    await discord.fault(**CREATES, kind="delay", seconds=0.1)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert (await discord.create()).status == 200
    assert loop.time() - begun >= 0.1


@served
async def test_a_delayed_request_takes_effect_though_nobody_waits(discord: Served) -> None:
    await discord.fault(**CREATES, kind="delay", seconds=0.3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await discord.create()
    assert await discord.shown() == []
    await until(lambda: discord.fake.backend.messages.count() == 1)


@served
async def test_a_fault_strikes_only_the_requests_that_it_is_ordered_for(discord: Served) -> None:
    await discord.fault(method="POST", path=f"^/channels/{TALK}/", kind="status", status=500)
    assert (await discord.create(TALK)).status == 500
    assert (await discord.create(TASKS)).status == 200
    assert (await discord.api("GET", f"/channels/{TALK}/messages")).status == 200


@served
async def test_a_fault_strikes_by_chance_and_with_a_seed_the_same_each_time(
    discord: Served,
) -> None:
    async def strikes() -> list[int]:
        fault_id = await discord.fault(kind="status", status=500, probability=0.5, seed=7)
        found = [(await discord.create()).status for _ in range(20)]
        await discord.order("DELETE", f"/_fake/faults/{fault_id}")
        return found

    first = await strikes()
    assert set(first) == {200, 500}
    assert await strikes() == first


@served
async def test_hits_are_counted_and_faults_taken_back(discord: Served) -> None:
    await discord.fault(kind="status", status=500, times=2)
    await discord.fault(kind="status", status=503)
    statuses = [(await discord.create()).status for _ in range(3)]
    assert statuses == [500, 500, 503]
    listed = (await discord.order("GET", "/_fake/faults")).data
    assert [fault["hits"] for fault in listed] == [2, 1]
    await discord.order("DELETE", "/_fake/faults")
    assert (await discord.create()).status == 200


@served
async def test_an_order_that_is_wrong_is_refused_by_name(discord: Served) -> None:
    for order, named in (
        ({"kind": "flood"}, "kind"),
        ({"kind": "status"}, "status"),
        ({"kind": "hang", "path": "("}, "path"),
        ({"kind": "hang", "times": "often"}, "times"),
        ({"kind": "hang", "colour": "red"}, "colour"),
        ([], "object"),
    ):
        answer = await discord.order("POST", "/_fake/faults", order)
        assert answer.status == 400
        assert named in answer.data["error"]
    assert (await discord.order("DELETE", "/_fake/faults/99")).status == 400


@served
async def test_requests_are_noted_in_order_with_their_outcome(discord: Served) -> None:
    await discord.create()
    await discord.api("GET", "/users/@me", headers={"Authorization": "Bearer x"})
    first, second = await discord.requests()
    assert (first["n"], first["method"], first["status"]) == (1, "POST", 200)
    assert first["path"] == f"/channels/{TALK}/messages"
    assert first["time"] <= second["time"]
    assert second["status"] == 401
    assert len((await discord.order("GET", "/_fake/requests?since=1")).data) == 1
    stats = (await discord.order("GET", "/_fake/stats")).data
    assert stats["by_status"] == {"200": 1, "401": 1}
    assert (stats["creates"], stats["rate_limited"], stats["peak_per_second"]) == (1, 0, 2)


@served
async def test_a_reset_begins_the_counts_anew_and_keeps_the_messages(discord: Served) -> None:
    await discord.create()
    await discord.fault(kind="hang")
    await discord.order("POST", "/_fake/reset")
    assert (await discord.order("GET", "/_fake/stats")).data["requests"] == 0
    assert (await discord.order("GET", "/_fake/faults")).data == []
    assert len(await discord.shown()) == 1


@served
async def test_an_unknown_address_is_not_found(discord: Served) -> None:
    answer = await discord.api("GET", "/no/such/thing")
    assert (answer.status, answer.data) == (404, {"message": "404: Not Found", "code": 0})
