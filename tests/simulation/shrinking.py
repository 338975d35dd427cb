"""Leaves out of a storm whatever its failure does not need, so that a person can read the rest."""

import re
import time

from tests.simulation.discord import NONCE_SECONDS
from tests.simulation.storm import Size, Storm
from tests.simulation.world import BrokenPromiseError

LONGEST_SECONDS = 180.0


def failure(storm: Storm) -> str:
    """Run it, and return what it broke, without the numbers; "" if it broke nothing."""
    try:
        storm.run()
    except BrokenPromiseError as error:
        return re.sub(r"\[.*|\d+", "", str(error))
    return ""


def shrunk(seed: int, size: Size, nonce_seconds: float = NONCE_SECONDS) -> Storm:
    """Return the storm of this seed, which fails, with as little as makes a promise break."""
    smallest = Storm(seed, size, nonce_seconds=nonce_seconds)
    broken = failure(smallest)
    if not broken:
        raise ValueError(f"seed {seed} keeps every promise")
    left_out: frozenset[str] = frozenset()
    part, ends = 2, time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < ends:
        happened = [name for name in smallest.world.happened if name not in left_out]
        length = max(1, -(-len(happened) // part))
        for begin in range(0, len(happened), length):
            without = left_out | set(happened[begin : begin + length])
            candidate = Storm(seed, size, without, nonce_seconds)
            if failure(candidate) == broken:
                smallest, left_out, part = candidate, without, max(2, part - 1)
                break
        else:
            if length == 1:
                break
            part *= 2
    return smallest
