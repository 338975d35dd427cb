"""The leader is told of moderators' deeds in Discord, by the real processes."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.stack import Stack, wait_for
from tests.e2e.test_one_notice import post


@pytest.fixture
def channel(stack: Stack) -> str:
    return stack.text_channels()[0]


@pytest.fixture
def thread(stack: Stack, channel: str) -> str:
    return str(stack.discord.add_thread(channel, "7주차")["id"])


@pytest.fixture
def old_thread(stack: Stack, channel: str) -> str:
    """Archived before the bot came: the gateway never lists it."""
    return str(stack.discord.add_thread(channel, "지난 학기", archived=True)["id"])


@pytest.fixture
def study(stack: Stack, channel: str, thread: str, old_thread: str) -> str:
    return stack.prepare("addstudy", "알고리즘 스터디", "--channel", channel, thread, old_thread)


@pytest.fixture
def key(stack: Stack, study: str) -> str:
    return stack.prepare("createapikey", "frontend", "--study", study)


def delivery(stack: Stack, notice: int, key: str) -> dict[str, object]:
    [found] = stack.get(f"/api/v1/notices/{notice}/", key)["deliveries"]
    return dict(found)


def error_code(stack: Stack, notice: int, key: str) -> int | None:
    """Null, too, until it is fanned out."""
    deliveries = stack.get(f"/api/v1/notices/{notice}/", key)["deliveries"]
    return next((int(one["error"]["code"]) for one in deliveries if one["error"]), None)


def shown(stack: Stack, place: str, study: str, key: str, title: str) -> int:
    notice = post(stack, place, study, key, title)
    wait_for(lambda: stack.status(notice, key) == "sent", f"{title} is sent")
    return notice


def test_deletions_and_archived_threads_come_back_to_the_leader(
    stack: Stack, channel: str, thread: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    wait_for(stack.discord.sessions, "the bot listens")
    one = shown(stack, channel, study, key, "하나")
    two = shown(stack, channel, study, key, "둘")
    ids = [str(delivery(stack, notice, key)["message_id"]) for notice in (one, two)]
    stack.discord.delete_message(channel, ids[0])
    wait_for(lambda: error_code(stack, one, key) == 10008, "the deletion is told")
    stack.discord.delete_messages(channel, ids[1])
    wait_for(lambda: error_code(stack, two, key) == 10008, "the purge is told")
    assert stack.shown(channel) == []
    assert stack.ask("POST", f"/api/v1/notices/{one}/send-again/", {}, key=key)[0] < 300
    wait_for(lambda: stack.shown(channel) == ["하나"], "it is shown again")

    [again] = stack.discord.messages(channel)
    stack.discord.suppress_embeds(channel, again["id"])
    wait_for(lambda: error_code(stack, one, key) == 11, "the removed embed is told")
    assert stack.status(one, key) == "partly_sent"  # the message stands, with nothing in it
    assert stack.shown(channel) == []
    assert stack.ask("PATCH", f"/api/v1/notices/{one}/", {"title": "하나!"}, key=key)[0] == 200
    wait_for(lambda: stack.shown(channel) == ["하나!"], "the edit brings the embed back")
    wait_for(lambda: stack.status(one, key) == "sent", "it is sent again")

    three = shown(stack, thread, study, key, "셋")
    stack.discord.change_channel(thread, archived=True)
    assert stack.ask("PATCH", f"/api/v1/notices/{three}/", {"title": "셋!"}, key=key)[0] == 200
    wait_for(lambda: stack.shown(thread) == ["셋!"], "the edit opens the thread")
    stack.discord.change_channel(thread, archived=True)
    assert stack.ask("POST", f"/api/v1/notices/{three}/withdraw/", {}, key=key)[0] < 300
    wait_for(lambda: stack.status(three, key) == "withdrawn", "the withdrawal opens it, too")


@pytest.fixture(params=["channel", "old_thread"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def time_out(stack: Stack, channel: str, seconds: float | None) -> datetime:
    """Until when; null takes it back."""
    state = stack.discord.state()
    [guild] = [
        guild for guild in state["guilds"] if channel in {one["id"] for one in guild["channels"]}
    ]
    until = datetime.now(UTC) + timedelta(seconds=seconds or 0)
    stack.discord.time_out(guild["id"], state["me"], until.isoformat() if seconds else None)
    return until


def problems(stack: Stack, place: str, key: str) -> list[str]:
    found = stack.get("/api/v1/channels/", key)["results"]
    return [problem for one in found if one["id"] == place for problem in one["problems"]]


def is_timed_out(stack: Stack, place: str, key: str) -> bool:
    return any("타임아웃" in one for one in problems(stack, place, key))


def test_a_notice_is_shown_when_the_bots_timeout_is_over(
    stack: Stack, channel: str, place: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    wait_for(stack.discord.sessions, "the bot listens")
    shown(stack, channel, study, key, "앞서")
    wait_for(lambda: problems(stack, place, key) == [], "the bot knows the place")
    until = time_out(stack, channel, 8)
    wait_for(lambda: is_timed_out(stack, place, key), "the timeout is told")
    notice = post(stack, place, study, key, "그동안")
    wait_for(lambda: error_code(stack, notice, key) == 12, "it waits for the timeout's end")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent by itself")
    assert datetime.now(UTC) >= until
    wait_for(lambda: problems(stack, place, key) == [], "the place is well again")


def test_a_timeout_fails_nothing_that_discord_refuses_before_the_gateway_tells(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    wait_for(stack.discord.sessions, "the bot listens")
    shown(stack, channel, study, key, "앞서")
    stack.discord.fault(
        kind="status", method="POST", path="/messages$", status=403, code=50013, times=1
    )
    notice = post(stack, channel, study, key, "그동안")
    wait_for(lambda: stack.discord.faults()[0]["hits"], "it is refused")
    until = time_out(stack, channel, 5)
    wait_for(lambda: error_code(stack, notice, key) == 12, "it waits for the timeout's end")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent by itself")
    assert datetime.now(UTC) >= until


def test_a_bot_that_starts_during_a_timeout_waits_for_its_end(
    stack: Stack, channel: str, place: str, study: str, key: str
) -> None:
    stack.start("web")
    notice = post(stack, place, study, key, "그동안")
    until = time_out(stack, channel, 20)
    stack.start("runbot")
    wait_for(lambda: error_code(stack, notice, key) == 12, "it waits for the timeout's end")
    wait_for(lambda: is_timed_out(stack, place, key), "the timeout is told")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent by itself", 60)
    assert datetime.now(UTC) >= until
    wait_for(lambda: problems(stack, place, key) == [], "the place is well again")


def test_a_timeout_that_was_taken_back_while_the_bot_was_away_is_over(
    stack: Stack, channel: str, place: str, study: str, key: str
) -> None:
    time_out(stack, channel, 3600)
    stack.start("web", "runbot")
    wait_for(lambda: is_timed_out(stack, place, key), "the timeout is told")
    notice = post(stack, place, study, key, "그동안")
    wait_for(lambda: error_code(stack, notice, key) == 12, "it waits for the timeout's end")
    stack.stop("runbot")
    time_out(stack, channel, None)
    stack.start("runbot")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent by itself")
    wait_for(lambda: problems(stack, place, key) == [], "the place is well again")
