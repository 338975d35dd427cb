"""The clock that everything in notices/ asks, so that a simulation can turn it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.utils import timezone


class Clock:
    """The machine's own."""

    def now(self) -> datetime:
        """Return the moment, with its time zone."""
        return timezone.now()

    def monotonic(self) -> float:
        """Return seconds, of which only the difference of two has a meaning."""
        return time.monotonic()


_clock = Clock()


def now() -> datetime:
    return _clock.now()


def monotonic() -> float:
    return _clock.monotonic()


@contextmanager
def turned_by(clock: Clock) -> Iterator[None]:
    """Go by another clock in this block, in all threads."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before
