"""A notice with an hour of its own is shown at that moment: not before, nor with the next one."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.e2e.frontend import Frontend
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

NOTICES = 10
# By then all of them are posted; what is asked meanwhile would disturb.
FIRST_IN_SECONDS = 4.0
APART_SECONDS = 0.37
# A change of mind must be known to the bot before the moment: this is ample.
SHORTLY = timedelta(seconds=1)


@pytest.fixture
def frontend(stack: Stack, discord: FakeDiscordProcess) -> Frontend:
    discord.lift_limits()
    frontend = Frontend(stack, stack.text_channels()[:1])
    stack.start("web", "qcluster", "runbot")
    assert frontend.post()
    frontend.wait_until_shown()
    return frontend


def moment_in(seconds: float) -> datetime:
    """In whole milliseconds, as Discord stamps its messages."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def schedule(frontend: Frontend, title: str, moment: datetime) -> int:
    return frontend.create(title=title, publish_at=moment.isoformat())


def shown_at(frontend: Frontend, discord: FakeDiscordProcess, title: str) -> datetime | None:
    (channel,) = frontend.channels
    for message in discord.messages(channel):
        if message["embeds"][0]["title"] == title:
            return datetime.fromisoformat(message["timestamp"])
    return None


def delay(frontend: Frontend, discord: FakeDiscordProcess, title: str, moment: datetime) -> float:
    """Seconds from the moment until it was shown; less than nothing where that was too early."""
    shown = wait_for(lambda: shown_at(frontend, discord, title), f"{title} is shown")
    return float((shown - moment).total_seconds())


def wait_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


@pytest.mark.alone
def test_notices_are_shown_at_their_moments(
    frontend: Frontend, discord: FakeDiscordProcess
) -> None:
    moments = {f"정각 {n}": moment_in(FIRST_IN_SECONDS + n * APART_SECONDS) for n in range(NOTICES)}
    for title, moment in moments.items():
        schedule(frontend, title, moment)
    wait_until(max(moments.values()))
    delays = [delay(frontend, discord, title, moment) for title, moment in moments.items()]
    assert min(delays) >= 0
    # By a poll several would be shown together.
    assert statistics.median(delays) < APART_SECONDS, delays


def test_a_moment_can_be_moved_to_earlier_and_to_later(
    stack: Stack, frontend: Frontend, discord: FakeDiscordProcess
) -> None:
    late, early = moment_in(4), moment_in(3)
    put_off = schedule(frontend, "미룬 공지", moment_in(2.5))
    brought_forward = schedule(frontend, "당긴 공지", moment_in(3600))
    for notice, moment in ((put_off, late), (brought_forward, early)):
        changes = {"publish_at": moment.isoformat()}
        path = f"/api/v1/notices/{notice}/"
        assert stack.ask("PATCH", path, changes, key=frontend.key)[0] == 200
    assert delay(frontend, discord, "당긴 공지", early) >= 0
    assert delay(frontend, discord, "미룬 공지", late) >= 0
    for notice in (put_off, brought_forward):
        wait_for(partial(frontend.is_sent, notice), f"notice {notice} is sent")


def test_a_notice_withdrawn_shortly_before_its_moment_is_never_shown(
    stack: Stack, frontend: Frontend, discord: FakeDiscordProcess
) -> None:
    moment = moment_in(3)
    withdrawn = schedule(frontend, "취소한 공지", moment)
    schedule(frontend, "다음 공지", moment + SHORTLY)
    wait_until(moment - SHORTLY)
    path = f"/api/v1/notices/{withdrawn}/withdraw/"
    assert stack.ask("POST", path, {}, key=frontend.key)[0] == 200
    wait_for(lambda: shown_at(frontend, discord, "다음 공지"), "the next one is shown")
    assert stack.status(withdrawn, frontend.key) == "withdrawn"
    creates = [request for request in discord.requests() if request["method"] == "POST"]
    assert len(creates) == 2  # the fixture's and the next one's
