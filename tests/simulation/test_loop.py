"""The engine runs in simulated time."""

import asyncio
import time
from datetime import timedelta

import pytest

from notices.bot.engine import Engine
from notices.delivery.fan_out import fan_out
from notices.models import Notice
from notices.outside import clock
from tests.fake_transport import FakeTransport
from tests.simulation.loop import BEGINS, Inline, NothingToComeError, simulated

EVENING = timedelta(hours=8)


def test_a_wait_takes_no_time() -> None:
    begun = time.process_time()
    with simulated() as runner:
        runner.run(asyncio.sleep(EVENING.total_seconds()))
        assert clock.now() == BEGINS + EVENING
    assert time.process_time() - begun < 5


def test_a_wait_without_an_end_is_told() -> None:
    with simulated() as runner, pytest.raises(NothingToComeError):
        runner.run(asyncio.Event().wait())


@pytest.mark.django_db
def test_a_notice_of_this_evening_is_shown_at_its_moment(notice: Notice) -> None:
    discord, shown_at = FakeTransport(), []
    discord.on_request = lambda _request: shown_at.append(clock.now())

    async def until_a_minute_later() -> None:
        engine = Engine(discord, rate=50, window=timedelta(seconds=60), database=Inline())
        run = asyncio.create_task(engine.run())
        await asyncio.sleep((EVENING + timedelta(minutes=1)).total_seconds())
        engine.stop()
        await run

    with simulated() as runner:
        notice.publish_at = BEGINS + EVENING
        notice.save()
        fan_out(notice.pk)
        runner.run(until_a_minute_later())
        notice.refresh_from_db()
    assert notice.status == "sent"
    (moment,) = shown_at
    assert timedelta(0) <= moment - (BEGINS + EVENING) < timedelta(seconds=0.1)
