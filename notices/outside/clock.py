"""What time it is. Everything in notices/ asks here, so that a simulation can turn the clock."""

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
        """Return seconds since some moment, which only differences tell."""
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
