"""Storms in simulated time: a seed decides everything."""

import pytest

from tests.simulation.storm import Storm


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(1, 21))
def test_every_promise_is_kept_in_a_storm(seed: int) -> None:
    Storm(seed).run()
