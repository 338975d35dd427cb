"""The path of one notice: posted, fanned out, shown in Discord, its status back at the frontend."""

import pytest
from django.db import connection

from tests.e2e.stack import Stack, wait_for


@pytest.fixture
def channel(stack: Stack) -> str:
    return stack.text_channels()[0]


@pytest.fixture
def study(stack: Stack, channel: str) -> str:
    return stack.prepare("addstudy", "알고리즘 스터디", "--channel", channel)


@pytest.fixture
def key(stack: Stack, study: str) -> str:
    return stack.prepare("createapikey", "frontend", "--study", study)


def post(stack: Stack, channel: str, study: str, key: str, title: str) -> int:
    status, body = stack.ask(
        "POST",
        "/notice/",
        {
            "channel_id": channel, "title": title, "study_id": int(study),
            "content": "화요일 20시, **강의실**에서", "author": "민지",
        },
        key=key,
    )  # fmt: skip
    assert (status, body["status"], body["channel"]) == (202, "queued", channel)
    return int(body["notice"])


def test_a_posted_notice_is_shown_edited_and_withdrawn(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster", "runbot")
    notice = post(stack, channel, study, key, "7주차 모임")
    wait_for(lambda: stack.status(notice, key) == "sent", "the status is sent")
    assert stack.shown(channel) == ["7주차 모임"]
    (delivery,) = stack.get(f"/api/v1/notices/{notice}/", key)["deliveries"]
    (message,) = stack.discord.messages(channel)
    assert (delivery["state"], delivery["message_id"]) == ("sent", message["id"])

    assert stack.ask("PATCH", f"/api/v1/notices/{notice}/", {"title": "8주차"}, key=key)[0] == 200
    wait_for(lambda: stack.shown(channel) == ["8주차"], "the edit is shown")
    wait_for(lambda: stack.status(notice, key) == "sent", "the status is sent again")

    assert stack.ask("POST", f"/api/v1/notices/{notice}/withdraw/", {}, key=key)[0] == 200
    wait_for(lambda: stack.status(notice, key) == "withdrawn", "the status is withdrawn")
    assert stack.shown(channel) == []


def test_without_qcluster_the_bots_sweep_brings_it_out(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")
    notice = post(stack, channel, study, key, "큐 없이")
    wait_for(lambda: stack.status(notice, key) == "sent", "the status is sent")
    assert stack.shown(channel) == ["큐 없이"]


def test_a_bot_killed_at_any_moment_loses_and_doubles_nothing(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster", "runbot")
    titles = [f"공지 {n}" for n in range(12)]
    notices = [post(stack, channel, study, key, title) for title in titles]
    wait_for(lambda: stack.shown(channel), "the first one is shown")
    stack.kill("runbot")
    stack.start("runbot")
    wait_for(
        lambda: all(stack.status(notice, key) == "sent" for notice in notices),
        "every status is sent",
        90,
    )
    assert sorted(stack.shown(channel)) == sorted(titles)


def test_qcluster_and_web_killed_with_work_in_hand_lose_nothing(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster")
    notices = [post(stack, channel, study, key, f"공지 {n}") for n in range(3)]
    stack.kill("qcluster")
    stack.kill("web")
    stack.start("web", "qcluster", "runbot")
    wait_for(
        lambda: all(stack.status(notice, key) == "sent" for notice in notices), "all are sent", 60
    )
    assert len(stack.shown(channel)) == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL")
def test_a_standby_takes_over_when_the_active_bot_is_killed(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster", "runbot")
    wait_for(lambda: "logged in" in stack.log("runbot"), "the first bot is active")
    stack.start("standby")
    wait_for(lambda: "standing by" in stack.log("standby"), "the second one stands by")
    stack.kill("runbot")
    notice = post(stack, channel, study, key, "넘겨받은 공지")
    wait_for(lambda: stack.status(notice, key) == "sent", "the standby has sent it")
    assert stack.shown(channel) == ["넘겨받은 공지"]


def test_discord_unplugged_and_back_shows_each_notice_once(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster", "runbot")
    first = post(stack, channel, study, key, "먼저")
    wait_for(lambda: stack.status(first, key) == "sent", "the first is sent")
    stack.discord.gateway("drop")
    stack.discord.fault(method="POST", path="/channels/", kind="lost_reply", times=2)
    second = post(stack, channel, study, key, "나중")
    wait_for(lambda: stack.status(second, key) == "sent", "the second is sent", 60)
    assert stack.shown(channel) == ["먼저", "나중"]


def test_a_refused_channel_is_told_with_its_remedy(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "qcluster", "runbot")
    stack.discord.fault(
        method="POST", path="/channels/", kind="status", status=403, code=50013, times=1
    )
    notice = post(stack, channel, study, key, "거절")
    wait_for(lambda: stack.status(notice, key) == "failed", "the status is failed")
    (delivery,) = stack.get(f"/api/v1/notices/{notice}/", key)["deliveries"]
    assert delivery["error"]["code"] == 50013
    assert delivery["error"]["remedy"]
    assert stack.ask("POST", f"/api/v1/notices/{notice}/send-again/", {}, key=key)[0] == 200
    wait_for(lambda: stack.status(notice, key) == "sent", "sent again")


def test_the_bot_keeps_channels_in_step_and_stops_cleanly(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.start("web", "runbot")

    def channel_name() -> str:
        (seen,) = stack.get("/api/v1/studies/", key)["results"][0]["channels"]
        return str(seen["name"])

    wait_for(channel_name, "the bot has written the channel's name")
    stack.discord.change_channel(channel, name="새-이름")
    wait_for(lambda: channel_name() == "새-이름", "the new name is there")
    assert stack.stop("runbot") == 0


def test_sending_needs_no_gateway_and_the_bot_comes_back_to_it(
    stack: Stack, channel: str, study: str, key: str
) -> None:
    stack.discord.gateway("refuse")
    stack.start("web", "qcluster", "runbot")
    notice = post(stack, channel, study, key, "게이트웨이 없이")
    wait_for(lambda: stack.status(notice, key) == "sent", "it is sent without a gateway")
    stack.discord.gateway("accept")
    wait_for(
        lambda: stack.get("/api/v1/studies/", key)["results"][0]["channels"][0]["name"],
        "the gateway has told the channel's name",
    )
