"""Counts limits in three ways: what is left, and when all is available again."""

from collections import deque
from typing import Protocol


class Window(Protocol):
    def wait(self, now: float) -> float:
        """Return the seconds until one more may pass; 0 if it may now."""

    def take(self, now: float) -> None:
        """Count one that passes."""

    def remaining(self, now: float) -> int: ...

    def reset_after(self, now: float) -> float:
        """Return the seconds until everything may pass again."""


class SlidingWindow:
    """Allows `limit` in any stretch of `seconds`: the strictest of the three."""

    __slots__ = ("limit", "seconds", "taken")

    def __init__(self, limit: float, seconds: float) -> None:
        self.limit = int(limit)
        self.seconds = seconds
        self.taken: deque[float] = deque()

    def wait(self, now: float) -> float:
        self._forget(now)
        if len(self.taken) < self.limit:
            return 0.0
        return self.taken[0] + self.seconds - now

    def take(self, now: float) -> None:
        self.taken.append(now)

    def remaining(self, now: float) -> int:
        self._forget(now)
        return self.limit - len(self.taken)

    def reset_after(self, now: float) -> float:
        return self.taken[-1] + self.seconds - now if self.taken else 0.0

    def _forget(self, now: float) -> None:
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()


class FixedWindow:
    """Allows `limit` from the first request on, and all again `seconds` after it."""

    __slots__ = ("begun", "count", "limit", "seconds")

    def __init__(self, limit: float, seconds: float) -> None:
        self.limit = int(limit)
        self.seconds = seconds
        self.begun = float("-inf")
        self.count = 0

    def wait(self, now: float) -> float:
        return self.reset_after(now) if self.remaining(now) < 1 else 0.0

    def take(self, now: float) -> None:
        if self._is_over(now):
            self.begun, self.count = now, 0
        self.count += 1

    def remaining(self, now: float) -> int:
        return self.limit if self._is_over(now) else self.limit - self.count

    def reset_after(self, now: float) -> float:
        return 0.0 if self._is_over(now) else self.begun + self.seconds - now

    def _is_over(self, now: float) -> bool:
        return now >= self.begun + self.seconds


class LeakyWindow:
    """A bucket of `limit` that refills evenly: one more every `seconds / limit`."""

    __slots__ = ("limit", "seconds", "whole_at")

    def __init__(self, limit: float, seconds: float) -> None:
        self.limit = int(limit)
        self.seconds = seconds
        self.whole_at = 0.0

    def wait(self, now: float) -> float:
        return max(0.0, self.reset_after(now) - (self.limit - 1) * self._step())

    def take(self, now: float) -> None:
        self.whole_at = max(now, self.whole_at) + self._step()

    def remaining(self, now: float) -> int:
        return self.limit - round(self.reset_after(now) / self._step() + 0.499)

    def reset_after(self, now: float) -> float:
        return max(0.0, self.whole_at - now)

    def _step(self) -> float:
        return self.seconds / self.limit


KINDS: dict[str, type[SlidingWindow] | type[FixedWindow] | type[LeakyWindow]] = {
    "sliding": SlidingWindow,
    "fixed": FixedWindow,
    "leaky": LeakyWindow,
}
