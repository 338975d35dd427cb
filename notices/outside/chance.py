"""The chance that everything in notices/ draws from, so that a simulation can repeat it.

Secrets are not drawn here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random, SystemRandom

_chance: Random = SystemRandom()


def share() -> float:
    """Return a number of at least 0 and less than 1."""
    return _chance.random()


def bits(count: int) -> int:
    return _chance.getrandbits(count)


def pick(letters: Sequence[str]) -> str:
    return _chance.choice(letters)


@contextmanager
def drawn_from(chance: Random) -> Iterator[None]:
    """Draw from another source in this block, in all threads."""
    global _chance
    before, _chance = _chance, chance
    try:
        yield
    finally:
        _chance = before
