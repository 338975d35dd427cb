"""Storms in simulated time: a seed decides everything."""

import pytest
from django.db import transaction

from tests.simulation.discord import BrokenPromiseError
from tests.simulation.storm import Storm

SEEDS = range(1, 21)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_is_kept_in_a_storm(seed: int) -> None:
    Storm(seed).run()


@pytest.mark.django_db
def test_a_storm_sees_a_message_that_is_shown_twice() -> None:
    """A Discord that forgets each nonce at once breaks what studybot relies on."""
    assert any("shown twice" in broken_promise(Storm(seed, nonce_seconds=0)) for seed in SEEDS)


def broken_promise(storm: Storm) -> str:
    try:
        with transaction.atomic():
            storm.run()
            transaction.set_rollback(True)
    except BrokenPromiseError as error:
        return str(error)
    return ""
