"""The CPU time that a piece of work may take, on this machine as it is now."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# On a machine that counts this far in 0.15 s, one unit is about a second.
_COUNTED, _TIMES = 2_000_000, 7


@contextmanager
def at_most(units: float) -> Iterator[None]:
    """Fail if what is done takes more, where linear work takes far less and quadratic far more."""
    begun = time.process_time()
    yield
    taken = time.process_time() - begun
    begun = time.process_time()
    sum(number * number for number in range(_COUNTED))
    allowed = units * _TIMES * (time.process_time() - begun)
    assert taken < allowed, f"it took {taken:.2f} s of CPU, of {allowed:.2f} allowed"
