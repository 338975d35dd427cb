"""Storms find what somebody could do wrong: without that, their silence would say nothing."""

import pytest

from tests.simulation.faults import FAULTS, Fault
from tests.simulation.shrinking import failure
from tests.simulation.storm import Storm

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

WITHIN_SEEDS = 200


@pytest.mark.exhaustive
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_storms_find_a_planted_fault(fault: Fault) -> None:
    with fault.planted():
        assert any(failure(Storm(seed)) for seed in seeds_for(fault))


def seeds_for(fault: Fault) -> list[int]:
    """Return all of them, with the one first that has found it before."""
    seeds = range(1, WITHIN_SEEDS + 1)
    return sorted(seeds, key=lambda seed: (seed != fault.found_by, seed))


def test_a_fault_is_in_the_code_only_while_it_is_planted() -> None:
    fault = FAULTS[0]
    right = fault.function.__code__
    with fault.planted():
        assert fault.function.__code__ != right
    assert fault.function.__code__ == right
    assert len(FAULTS) >= 20
