"""An answer that is not Discord's own word about a message or channel is waited out."""

import time

import pytest

from tests.e2e.stack import Stack, wait_for

PAGE = {"kind": "status", "status": 403, "body": "<!DOCTYPE html><title>blocked</title>"}


class Desk:
    """A study with a channel in each of two guilds, and the frontend's key."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        guilds = stack.discord.state()["guilds"]
        of_guild = {
            guild["id"]: [one["id"] for one in guild["channels"] if one["type"] == 0]
            for guild in guilds
        }
        usable = stack.text_channels()
        self.guild, self.other_guild = list(of_guild)[:2]
        self.channel = next(one for one in of_guild[self.guild] if one in usable)
        self.other = next(one for one in of_guild[self.other_guild] if one in usable)
        self.study = stack.prepare(
            "addstudy", "스터디", "--channel", self.channel, "--channel", self.other
        )
        self.key = stack.prepare("createapikey", "frontend", "--study", self.study)

    def post(self, channel: str, title: str) -> int:
        body = {"channel_id": channel, "title": title, "study_id": int(self.study),
                "content": "…", "author": "민지"}  # fmt: skip
        status, answer = self.stack.ask("POST", "/notice/", body, key=self.key)
        assert status == 202
        return int(answer["notice"])

    def delivery(self, notice: int) -> dict[str, object]:
        found = self.stack.get(f"/api/v1/notices/{notice}/", self.key)["deliveries"][0]
        assert isinstance(found, dict)
        return found

    def wait(self, notice: int, status: str, seconds: float = 30) -> None:
        wait_for(
            lambda: self.stack.status(notice, self.key) == status, f"{notice} is {status}", seconds
        )


@pytest.fixture
def desk(stack: Stack) -> Desk:
    desk = Desk(stack)
    stack.start("web", "qcluster", "runbot")
    wait_for(stack.discord.sessions, "the bot is at the gateway")
    first = desk.post(desk.channel, "먼저")
    desk.wait(first, "sent")
    return desk


@pytest.mark.parametrize(
    "answer", [PAGE, {"kind": "status", "status": 403, "code": 40333}], ids=["page", "40333"]
)
def test_an_answer_of_a_proxy_fails_no_notice(
    stack: Stack, desk: Desk, answer: dict[str, object]
) -> None:
    stack.discord.fault(path="", **answer)
    notices = [desk.post(channel, "막힘") for channel in (desk.channel, desk.other)]
    wait_for(lambda: "sending pauses" in stack.log("runbot"), "the bot pauses")
    assert all(desk.delivery(notice)["state"] != "failed" for notice in notices)
    stack.discord.clear_faults()
    for notice in notices:
        desk.wait(notice, "sent")
    assert stack.shown(desk.channel) == ["먼저", "막힘"]


@pytest.mark.parametrize("answer", [{"body": "<html>404</html>"}, {"code": 10003}])
def test_a_withdrawal_ends_when_the_message_is_gone(
    stack: Stack, desk: Desk, answer: dict[str, object]
) -> None:
    notice = desk.post(desk.other, "지울 것")
    desk.wait(notice, "sent")
    fault = stack.discord.fault(
        kind="status", method="DELETE", path="/messages/", status=404, times=2, **answer
    )
    stack.ask("POST", f"/api/v1/notices/{notice}/withdraw/", {}, key=desk.key)
    wait_for(lambda: stack.discord.faults()[0]["hits"], f"fault {fault} has struck")
    desk.wait(notice, "withdrawn", 60)
    assert stack.shown(desk.other) == []


@pytest.mark.parametrize(("status", "code"), [(404, 10003), (403, 50001)])
def test_one_guild_that_is_away_waits_and_hurts_nobody(
    stack: Stack, desk: Desk, status: int, code: int
) -> None:
    discord = stack.discord
    in_guild = "|".join(
        channel["id"]
        for guild in discord.state()["guilds"]
        if guild["id"] == desk.guild
        for channel in guild["channels"]
    )
    fault = discord.fault(kind="status", path=f"/channels/({in_guild})", status=status, code=code)
    discord.delete(f"/_fake/guilds/{desk.guild}?outage=1")
    waiting = [desk.post(desk.channel, f"기다림 {n}") for n in range(3)]
    others = [desk.post(desk.other, f"다른 곳 {n}") for n in range(3)]
    for notice in others:
        desk.wait(notice, "sent", 5)
    wait_for(lambda: desk.delivery(waiting[0]).get("error"), "it is said why it waits")
    asked = len(discord.requests())
    time.sleep(3)
    assert all(desk.delivery(notice)["state"] == "waiting" for notice in waiting)
    assert len(discord.requests()) - asked < 10
    wait_for(lambda: stack.get("/readyz")["status"] == "ok", "all parts keep up")

    discord.clear_faults(fault)
    discord.post("/_fake/guilds", {"id": desk.guild})
    for notice in waiting:
        desk.wait(notice, "sent", 5)
    assert sorted(stack.shown(desk.channel)) == ["기다림 0", "기다림 1", "기다림 2", "먼저"]


def test_a_channel_that_is_really_deleted_is_told(stack: Stack, desk: Desk) -> None:
    stack.discord.delete_channel(desk.other)
    notice = desk.post(desk.other, "너무 늦게")
    desk.wait(notice, "failed")
    error = desk.delivery(notice)["error"]
    assert isinstance(error, dict)
    assert error["code"] == 10003


def test_a_long_pause_is_kept_over_a_restart_by_all_that_wait(stack: Stack, desk: Desk) -> None:
    discord = stack.discord
    discord.fault(
        kind="status", method="POST", path=f"/channels/{desk.channel}/messages$", status=429,
        retry_after=120, scope="user",
    )  # fmt: skip
    waiting = [desk.post(desk.channel, f"기다림 {n}") for n in range(8)]
    wait_for(lambda: any(map(error_of, map(desk.delivery, waiting))), "the pause is told")
    stack.stop("runbot", 5)
    stack.start("runbot")
    other = desk.post(desk.other, "다른 곳")
    desk.wait(other, "sent")
    path = f"/channels/{desk.channel}/messages"
    refused = [r for r in discord.requests() if r["path"] == path and r["status"] == 429]
    assert len(refused) == 1


def error_of(delivery: dict[str, object]) -> object:
    return delivery.get("error")
