"""A thread that was archived before the bot came: the gateway never lists it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, wait_for
from tests.e2e.test_moderators import error_code, problems
from tests.e2e.test_one_notice import post
from tests.fakediscord_driver import FakeDiscordProcess


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    """Its tries, and the window of a nonce, are soon over."""
    stack = Stack(tmp_path, discord, MAX_SEND_RETRIES="0", NONCE_WINDOW="3")
    yield stack
    stack.close()


@pytest.fixture
def channel(stack: Stack) -> str:
    return stack.text_channels()[0]


@pytest.fixture
def thread(stack: Stack, channel: str) -> str:
    return str(stack.discord.add_thread(channel, "지난 학기", archived=True)["id"])


@pytest.fixture
def study(stack: Stack, channel: str, thread: str) -> str:
    return stack.prepare("addstudy", "알고리즘 스터디", "--channel", channel, thread)


@pytest.fixture
def key(stack: Stack, study: str) -> str:
    return stack.prepare("createapikey", "frontend", "--study", study)


@pytest.fixture(params=["thread", "channel"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


def act(stack: Stack, notice: int, key: str, what: str) -> None:
    assert stack.ask("POST", f"/api/v1/notices/{notice}/{what}/", {}, key=key)[0] < 300


def test_a_notice_is_posted_corrected_and_withdrawn_in_an_unlisted_thread(
    stack: Stack, thread: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    wait_for(lambda: problems(stack, thread, key) == [], "the thread is well")
    notice = post(stack, thread, study, key, "하나")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent")
    stack.discord.change_channel(thread, archived=True)
    assert stack.ask("PATCH", f"/api/v1/notices/{notice}/", {"title": "둘"}, key=key)[0] == 200
    wait_for(lambda: stack.shown(thread) == ["둘"], "the edit opens the thread")
    stack.discord.change_channel(thread, archived=True)
    act(stack, notice, key, "withdraw")
    wait_for(lambda: stack.status(notice, key) == "withdrawn", "the withdrawal opens it, too")
    assert stack.discord.messages(thread) == []


def test_a_failed_create_is_found_to_have_made_no_message(
    stack: Stack, place: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    wait_for(stack.discord.sessions, "the bot listens")
    path = f"/channels/{place}/messages$"
    fault = stack.discord.fault(kind="status", status=502, method="POST", path=path)
    notice = post(stack, place, study, key, "하나")
    wait_for(lambda: stack.status(notice, key) == "failed", "it is not there, and has failed", 60)
    assert error_code(stack, notice, key) == 502
    stack.discord.clear_faults(fault)
    act(stack, notice, key, "send-again")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent")
    assert stack.shown(place) == ["하나"]


@pytest.mark.parametrize("is_killed", [False, True])
def test_a_message_whose_answer_was_lost_is_found(
    stack: Stack, place: str, study: str, key: str, *, is_killed: bool
) -> None:
    stack.start("web", "runbot")
    wait_for(stack.discord.sessions, "the bot listens")
    stack.discord.gateway("mute_echo")
    path = f"/channels/{place}/messages$"
    stack.discord.fault(kind="lost_reply", method="POST", path=path)
    notice = post(stack, place, study, key, "하나")
    wait_for(lambda: stack.shown(place) == ["하나"], "it is shown")
    if is_killed:
        stack.kill("runbot")
        stack.start("runbot")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is found", 60)
    assert stack.shown(place) == ["하나"]
