"""The pacer looks back at real sending: never more than the rate in a window, never a pile."""

import asyncio

import pytest

from notices.pace import CATCH_UP, WINDOW_SECONDS, Pacer
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


def test_what_went_out_before_the_restart_counts() -> None:
    pacer = Pacer(2)
    pacer.remember([99.9, 99.5])
    assert pacer.wait_seconds(100.0) > 0


def test_no_window_holds_more_than_the_rate() -> None:
    async def send_all() -> list[float]:
        pacer = Pacer(50)
        moments: list[float] = []

        async def send() -> None:
            await pacer.turn()
            moments.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(send() for _n in range(120)))
        return moments

    moments = asyncio.run(send_all())
    busiest = max(sum(start <= m < start + 1.0 for m in moments) for start in moments)
    assert len(moments) == 120
    assert busiest <= 50


def test_pauses_grow_and_are_capped_and_spread() -> None:
    assert [pause_seconds(n, jitter=0.5) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_seconds(10_000, jitter=0.5) == LONGEST_PAUSE_SECONDS
    assert pause_seconds(1, jitter=0) < pause_seconds(1, jitter=0.99)
