"""qcluster is gone, stuck or late: the bot's sweep brings the notices out all the same."""

import os
import signal

import pytest

from tests.e2e.frontend import Frontend
from tests.e2e.own_services import children_of
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

SWEPT_WITHIN_SECONDS = 10.0


@pytest.fixture
def frontend(stack: Stack, discord: FakeDiscordProcess) -> Frontend:
    discord.lift_limits()
    return Frontend(stack, stack.text_channels()[:2])


def worker_of_qcluster(stack: Stack) -> int:
    """The first process that qcluster's sentinel starts."""

    def worker() -> int | None:
        sentinels = children_of(stack.pid("qcluster"))
        # A worker, a monitor and a pusher.
        started = children_of(sentinels[0]) if sentinels else []
        return started[0] if len(started) == 3 else None

    return int(wait_for(worker, "qcluster has started its processes"))


def post_a_few(frontend: Frontend) -> None:
    for _notice in range(3):
        assert frontend.post()
        frontend.wait_until_shown(SWEPT_WITHIN_SECONDS)


def is_fanned_out(stack: Stack, frontend: Frontend) -> bool:
    """The last notice."""
    notice = [*frontend.accepted.values()][-1]
    return bool(stack.get(f"/api/v1/notices/{notice}/", frontend.key)["deliveries"])


def test_without_qcluster_notices_go_out_in_seconds(stack: Stack, frontend: Frontend) -> None:
    stack.start("web", "runbot")
    post_a_few(frontend)
    frontend.assert_shown_once()


def test_a_qcluster_stuck_for_good_holds_up_no_notice(stack: Stack, frontend: Frontend) -> None:
    stack.start("web", "qcluster")
    assert frontend.post()
    wait_for(lambda: is_fanned_out(stack, frontend), "qcluster works")
    # Idle, it waits for the next task with the lock in hand that every other worker needs.
    os.kill(worker_of_qcluster(stack), signal.SIGKILL)
    wait_for(lambda: "reincarnated worker" in stack.log("qcluster"), "there is a new worker")
    assert frontend.post()
    stack.start("runbot")
    post_a_few(frontend)
    frontend.assert_shown_once()
    assert stack.is_running("qcluster")
    stack.kill("qcluster")
    stack.start("qcluster")
    stack.stop("runbot")
    assert frontend.post()
    wait_for(lambda: is_fanned_out(stack, frontend), "the new qcluster works")


def test_a_late_task_changes_nothing(
    stack: Stack, frontend: Frontend, discord: FakeDiscordProcess
) -> None:
    stack.start("web", "qcluster", "runbot")
    worker = worker_of_qcluster(stack)
    os.kill(worker, signal.SIGSTOP)
    post_a_few(frontend)
    edited, withdrawn, _third = frontend.accepted.values()
    stack.ask("PATCH", f"/api/v1/notices/{edited}/", {"title": "바뀐"}, key=frontend.key)
    stack.ask("POST", f"/api/v1/notices/{withdrawn}/withdraw/", {}, key=frontend.key)
    wait_for(lambda: "바뀐" in frontend.shown(), "the edit is shown", SWEPT_WITHIN_SECONDS)
    wait_for(
        lambda: stack.status(withdrawn, frontend.key) == "withdrawn", "it is withdrawn",
        SWEPT_WITHIN_SECONDS,
    )  # fmt: skip
    before = [discord.messages(channel) for channel in frontend.channels]
    requests = len(discord.requests())

    os.kill(worker, signal.SIGCONT)
    stack.stop("runbot")
    assert frontend.post()
    wait_for(lambda: is_fanned_out(stack, frontend), "qcluster has worked off what was late", 60)
    stack.start("runbot")
    title = [*frontend.accepted][-1]
    wait_for(lambda: frontend.shown()[title], "the last notice is shown")
    after = [discord.messages(channel) for channel in frontend.channels]
    for was, now in zip(before, after, strict=True):
        assert now[: len(was)] == was
    sent = [request for request in discord.requests(requests) if request["method"] != "GET"]
    assert [request["method"] for request in sent] == ["POST"]
