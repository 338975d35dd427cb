"""The pacer counts what was really sent: no window holds more than the rate."""

import asyncio
import time

import pytest

from notices.bot.pace import CATCH_UP, WINDOW_SECONDS, Brake, Pacer
from notices.retry import LONGEST_PAUSE_SECONDS, pause_seconds


def test_a_new_pacer_lets_the_first_request_go_at_once() -> None:
    assert Pacer(48).wait_seconds(now=0.0) == 0.0


def test_requests_keep_a_smallest_gap() -> None:
    pacer = Pacer(10)
    pacer.remember([100.0])
    assert pacer.wait_seconds(100.0) == pytest.approx(1 / (CATCH_UP * 10))


def test_a_full_window_is_waited_out() -> None:
    pacer = Pacer(10)
    pacer.remember([100 + n / 100 for n in range(10)])
    assert pacer.wait_seconds(100.5) == pytest.approx(100 + WINDOW_SECONDS - 100.5)


def test_requests_before_the_restart_count() -> None:
    pacer = Pacer(2)
    pacer.remember([99.9, 99.5])
    assert pacer.wait_seconds(100.0) > 0


def test_no_window_holds_more_than_the_rate() -> None:
    async def send_all() -> list[float]:
        pacer = Pacer(50)
        moments: list[float] = []

        async def send() -> None:
            await pacer.turn()
            moments.append(time.monotonic())

        await asyncio.gather(*(send() for _n in range(120)))
        return moments

    moments = asyncio.run(send_all())
    busiest = max(sum(start <= m < start + 1.0 for m in moments) for start in moments)
    assert len(moments) == 120
    assert busiest <= 50


def test_waiting_creates_go_before_requests_that_yield() -> None:
    async def send_all() -> list[str]:
        pacer = Pacer(100)
        gone: list[str] = []

        async def send(name: str, *, yields: bool) -> None:
            await pacer.turn(yields=yields)
            gone.append(name)

        first = [send("edit 1", yields=True), send("edit 2", yields=True)]
        later = [send("create 1", yields=False), send("create 2", yields=False)]
        await asyncio.gather(*first, *later)
        return gone

    # The first to come found nobody waiting.
    assert asyncio.run(send_all()) == ["edit 1", "create 1", "create 2", "edit 2"]


def test_a_caller_that_gives_up_waiting_takes_no_turn() -> None:
    async def scenario() -> float:
        pacer = Pacer(1)
        await pacer.turn()
        tired = asyncio.create_task(pacer.turn())
        await asyncio.sleep(0)
        tired.cancel()
        await pacer.turn()
        return pacer.wait_seconds(time.monotonic())

    assert asyncio.run(scenario()) <= WINDOW_SECONDS


def test_the_brake_holds_until_a_refusal_is_forgotten() -> None:
    async def scenario() -> tuple[float, float]:
        brake = Brake(most=2, window=0.2)
        begun = time.monotonic()
        brake.count()
        await brake.hold()
        free = time.monotonic() - begun
        brake.count()
        await brake.hold()
        return free, time.monotonic() - begun

    free, held = asyncio.run(scenario())
    assert free < 0.2 <= held + 0.001


def test_pauses_grow_and_are_capped_and_spread() -> None:
    assert [pause_seconds(n, jitter=0.5) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_seconds(10_000, jitter=0.5) == LONGEST_PAUSE_SECONDS
    assert pause_seconds(1, jitter=0) < pause_seconds(1, jitter=0.99)
