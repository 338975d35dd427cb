"""Too many requests are answered with 429 and the headers that say when to come again."""

import asyncio
import json

import pytest

from tests.fakediscord.cast import TALK, TASKS
from tests.fakediscord.served import Served, limited, served


@limited
async def test_the_headers_tell_how_many_requests_are_left(discord: Served) -> None:
    first = await discord.create()
    assert first.headers["X-RateLimit-Limit"] == "5"
    assert first.headers["X-RateLimit-Remaining"] == "4"
    assert float(first.headers["X-RateLimit-Reset-After"]) == pytest.approx(5, abs=0.5)
    second = await discord.create()
    assert second.headers["X-RateLimit-Remaining"] == "3"
    assert second.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]


@limited
async def test_the_sixth_create_in_a_channel_is_refused(discord: Served) -> None:
    for _ in range(5):
        assert (await discord.create()).status == 200
    answer = await discord.create()
    assert answer.status == 429
    assert answer.headers["Via"] == "1.1 fakediscord"
    assert answer.headers["X-RateLimit-Scope"] == "user"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert 0 < answer.data["retry_after"] <= 5
    assert answer.data["global"] is False
    assert float(answer.headers["Retry-After"]) == pytest.approx(answer.data["retry_after"])
    assert len(await discord.shown()) == 5


@limited
async def test_channels_and_methods_are_counted_apart(discord: Served) -> None:
    for _ in range(5):
        message = (await discord.create()).data
    assert (await discord.create(TASKS)).status == 200
    path = f"/channels/{TALK}/messages/{message['id']}"
    patched = await discord.api("PATCH", path, {"content": "고침"})
    assert patched.headers["X-RateLimit-Remaining"] == "4"
    assert (await discord.api("DELETE", path)).headers["X-RateLimit-Remaining"] == "4"


@limited
async def test_a_refused_request_does_not_put_off_the_next(discord: Served) -> None:
    await discord.settings(bucket_limit=1, bucket_seconds=0.2)
    await discord.create()
    waits = [(await discord.create()).data["retry_after"] for _ in range(3)]
    await asyncio.sleep(waits[0] + 0.01)
    assert (await discord.create()).status == 200


@limited
async def test_the_whole_bot_has_50_requests_a_second(discord: Served) -> None:
    answers = await asyncio.gather(*(discord.api("GET", "/users/@me") for _ in range(60)))
    assert sum(answer.status == 200 for answer in answers) == 50
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.data["global"] is True
    assert refused.headers["X-RateLimit-Global"] == "true"
    assert refused.headers["X-RateLimit-Scope"] == "global"
    assert 0 < refused.data["retry_after"] <= 1


@limited
async def test_interactions_and_their_webhooks_are_not_held_by_it(discord: Served) -> None:
    await discord.settings(global_rate=1)
    assert (await discord.api("GET", "/users/@me")).status == 200
    for _ in range(5):
        answer = await discord.api("POST", "/interactions/1/token/callback", {"type": 6})
        assert answer.code == 10062


@limited
async def test_the_kind_of_window_can_be_chosen(discord: Served) -> None:
    await discord.settings(bucket_window="fixed")
    for _ in range(3):
        answer = await discord.create()
        await asyncio.sleep(0.01)
    assert float(answer.headers["X-RateLimit-Reset-After"]) < 5

    await discord.settings(bucket_window="leaky")
    answer = await discord.create()
    assert float(answer.headers["X-RateLimit-Reset-After"]) == pytest.approx(1, abs=0.2)


@served
async def test_lifted_limits_hold_nobody_and_send_no_headers(discord: Served) -> None:
    answers = await asyncio.gather(*(discord.create() for _ in range(60)))
    assert {answer.status for answer in answers} == {200}
    assert "X-RateLimit-Limit" not in answers[0].headers


@served
async def test_too_many_invalid_requests_ban_the_address(discord: Served) -> None:
    await discord.settings(invalid_limit=3)
    for _ in range(3):
        assert (await discord.api("GET", "/users/@me", headers={"Authorization": ""})).status == 401
    banned = await discord.api("GET", "/users/@me")
    assert banned.status == 429
    assert "Via" not in banned.headers
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(banned.data)


@served
async def test_shared_429s_are_not_counted_as_invalid(discord: Served) -> None:
    await discord.settings(invalid_limit=3)
    await discord.fault(kind="status", status=429, scope="shared", times=5)
    for _ in range(5):
        assert (await discord.api("GET", "/users/@me")).status == 429
    assert (await discord.api("GET", "/users/@me")).status == 200


@served
async def test_latency_can_be_set(discord: Served) -> None:
    await discord.settings(latency=0.15)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await discord.create()
    assert loop.time() - begun >= 0.15


@served
async def test_a_setting_that_is_wrong_is_refused_by_name(discord: Served) -> None:
    for changes in (
        {"latency": -1},
        {"latency": True},
        {"global_rate": "many"},
        {"bucket_window": "round"},
        {"privileged_intents": ["telepathy"]},
        {"nonce_in_get": 1},
        {"shards": 0},
        {"colour": 1},
    ):
        answer = await discord.order("PATCH", "/_fake/settings", {"jitter": 9, **changes})
        assert answer.status == 400
        assert next(iter(changes)) in answer.data["error"]
    assert (await discord.order("GET", "/_fake/settings")).data["jitter"] == 0
