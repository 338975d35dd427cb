"""Holds what all of a storm shares: its time, its chance, and the story of what happened."""

import asyncio
from collections.abc import Callable
from random import Random

from tests.simulation.loop import Loop


class BrokenPromiseError(AssertionError):
    """studybot did what it promises not to do."""


class World:
    """`left_out` names what is not to happen this time, of all that `happened` another time."""

    def __init__(self, seed: int, loop: Loop, left_out: frozenset[str] = frozenset()) -> None:
        self.seed = seed
        self.loop = loop
        self.story: list[str] = []
        self.happened: list[str] = []
        self.is_calm = False
        """Nothing goes wrong any more."""
        self.broken = asyncio.Event()
        self.error: BaseException | None = None
        self._left_out = left_out

    def stream(self, *names: object) -> Random:
        """Each source has its own, so that leaving one out changes nothing of the others."""
        return Random(" ".join(map(str, (self.seed, *names))))

    def happens(self, name: str) -> bool:
        """Return whether this goes wrong, or is done, in this run. Each name is asked once."""
        if self.is_calm or name in self._left_out:
            return False
        self.happened.append(name)
        return True

    def tell(self, what: str) -> None:
        self.story.append(f"{self.loop.time():.3f} s: {what}")

    def promise(self, is_kept: bool, broken: str) -> None:
        if not is_kept:
            self.fail(BrokenPromiseError(broken))

    def fail(self, error: BaseException) -> None:
        """Keep the first; the storm ends with it."""
        if self.error is None:
            self.tell(f"broken: {error}")
            self.error = error
            self.broken.set()

    def hear(self, _loop: object, context: dict[str, object]) -> None:
        """An error that nobody has caught."""
        if isinstance(error := context.get("exception"), BaseException):
            self.fail(error)

    def at(self, seconds: float, what: Callable[..., object], *args: object) -> None:
        self.loop.in_world(max(0.0, seconds - self.loop.time()), what, *args)
