"""Storms in simulated time: a seed decides everything."""

import pytest

from tests.simulation.database import database
from tests.simulation.shrinking import failure, shrunk
from tests.simulation.storm import DENSE, FULL, Storm

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

SEEDS = 100
# Each test takes so many, so that several processes share them.
AT_ONCE = 10


@pytest.mark.parametrize("begin", range(1, SEEDS + 1, AT_ONCE))
def test_every_promise_is_kept_in_a_storm(begin: int) -> None:
    for seed in range(begin, begin + AT_ONCE):
        Storm(seed).run()


def test_every_promise_is_kept_in_a_full_storm() -> None:
    Storm(1, FULL).run()


def test_a_seed_runs_the_same_again() -> None:
    first, second = Storm(7).run(), Storm(7).run()
    assert len(first.story) > 50
    assert first.story == second.story
    assert Storm(8).run().story != first.story


def test_a_storm_sees_a_message_that_is_shown_twice() -> None:
    """A Discord that forgets each nonce at once breaks what studybot relies on."""
    broken = (failure(Storm(seed, nonce_seconds=0)) for seed in range(1, SEEDS + 1))
    assert any("shown twice" in told for told in broken)


def test_what_fails_is_shrunk_to_what_it_needs() -> None:
    seed = next(n for n in range(1, SEEDS + 1) if failure(Storm(n, nonce_seconds=0)))
    whole = Storm(seed, nonce_seconds=0)
    told = failure(whole)
    smallest = shrunk(seed, DENSE, nonce_seconds=0)
    assert failure(smallest) == told
    assert len(smallest.world.happened) < len(whole.world.happened) / 4


def test_nothing_of_a_storm_is_left_in_the_database() -> None:
    with database() as first:
        first.rows("INSERT INTO notices_channel (id, name, guild_name, type) VALUES (1, '', '', 0)")
        assert first.rows("SELECT id FROM notices_channel") == [(1,)]
    with database() as second:
        assert second.rows("SELECT id FROM notices_channel") == []
