"""A limit's three ways of counting: pure arithmetic over the time that is handed in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakediscord.windows import KINDS, FixedWindow, LeakyWindow, SlidingWindow, Window

LIMIT, SECONDS = 5, 5.0


def taken(window: Window, now: float) -> bool:
    if window.wait(now) > 0:
        return False
    window.take(now)
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_each_window_lets_exactly_its_limit_pass_at_once(kind: str) -> None:
    window = KINDS[kind](LIMIT, SECONDS)
    assert [taken(window, 100.0) for _ in range(6)] == [True] * 5 + [False]
    assert window.remaining(100.0) == 0
    assert window.reset_after(100.0) == pytest.approx(SECONDS)
    assert window.remaining(105.001) == LIMIT
    assert window.reset_after(105.001) <= 0


def test_a_sliding_window_lets_one_more_pass_when_the_oldest_is_past() -> None:
    window = SlidingWindow(LIMIT, SECONDS)
    for now in (0.0, 1.0, 2.0, 3.0, 4.0):
        assert taken(window, now)
    assert window.wait(4.5) == pytest.approx(0.5)
    assert window.reset_after(4.5) == pytest.approx(4.5)
    assert taken(window, 5.0)
    assert window.wait(5.0) == pytest.approx(1.0)


def test_a_fixed_window_gives_all_back_at_its_end() -> None:
    window = FixedWindow(LIMIT, SECONDS)
    for now in (0.0, 1.0, 2.0, 3.0, 4.0):
        assert taken(window, now)
    assert window.wait(4.9) == pytest.approx(0.1)
    assert window.remaining(5.0) == LIMIT


def test_a_leaky_window_gives_one_back_at_a_time() -> None:
    window = LeakyWindow(LIMIT, SECONDS)
    for _ in range(LIMIT):
        assert taken(window, 0.0)
    assert window.wait(0.25) == pytest.approx(0.75)
    assert window.remaining(1.0) == 1
    assert taken(window, 1.0)
    assert not taken(window, 1.0)


@given(gaps=st.lists(st.floats(min_value=0, max_value=3), max_size=60))
@settings(max_examples=100, deadline=None)
def test_a_sliding_window_never_holds_more_than_its_limit(gaps: list[float]) -> None:
    window, now, passed = SlidingWindow(LIMIT, SECONDS), 0.0, list[float]()
    for gap in gaps:
        now += gap
        if taken(window, now):
            passed.append(now)
    for first, sixth in zip(passed, passed[LIMIT:], strict=False):
        assert sixth - first >= SECONDS - 1e-9


@pytest.mark.parametrize("kind", KINDS)
@given(gaps=st.lists(st.floats(min_value=0, max_value=3), max_size=40))
@settings(max_examples=50, deadline=None)
def test_one_more_always_passes_after_the_wait_that_a_window_names(
    kind: str, gaps: list[float]
) -> None:
    window, now = KINDS[kind](LIMIT, SECONDS), 0.0
    for gap in gaps:
        now += gap
        if not taken(window, now):
            assert taken(window, now + window.wait(now) + 1e-6)
            return
