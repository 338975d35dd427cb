"""Limits requests: of the bot as a whole, of a channel's buckets, and invalid ones."""

import hashlib
import time
from dataclasses import dataclass

from fakediscord.settings import Settings
from fakediscord.windows import KINDS, SlidingWindow, Window
from fakediscord.wire import Json

GLOBAL_WINDOW_SECONDS = 1.0


@dataclass(slots=True, frozen=True)
class Bucket:
    """Requests that are counted together: a route (`name`) and its channel or guild (`major`)."""

    name: str
    major: str
    limit: float
    seconds: float

    @property
    def hash(self) -> str:
        return bucket_hash(self.name)


_hashes: dict[str, str] = {}


def bucket_hash(name: str) -> str:
    made = _hashes.get(name)
    if made is None:
        made = _hashes[name] = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    return made


@dataclass(slots=True)
class Refusal:
    """A 429, to be answered before anything is done."""

    retry_after: float
    is_global: bool

    def body(self) -> Json:
        return {
            "message": "You are being rate limited.",
            "retry_after": round(self.retry_after, 3),
            "global": self.is_global,
        }

    def headers(self) -> dict[str, str]:
        headers = {
            "Retry-After": f"{self.retry_after:.3f}",
            "X-RateLimit-Scope": "global" if self.is_global else "user",
        }
        if self.is_global:
            headers["X-RateLimit-Global"] = "true"
        return headers


class Limits:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.forget()

    def forget(self) -> None:
        """Begin anew, with the settings as they are now."""
        self._global: Window | None = None
        self._buckets: dict[tuple[str, str], Window] = {}
        self._invalid: Window | None = None

    def take(self, bucket: Bucket | None, *, is_global: bool) -> Refusal | None:
        """Count a request, or return why it may not pass."""
        now = time.monotonic()
        if is_global and (refusal := self._take_global(now)):
            return refusal
        if bucket is None:
            return None
        window = self._window(bucket)
        if (wait := window.wait(now)) > 0:
            return Refusal(wait, is_global=False)
        window.take(now)
        return None

    def headers(self, bucket: Bucket) -> dict[str, str]:
        window = self._window(bucket)
        now = time.monotonic()
        reset_after = window.reset_after(now)
        return {
            "X-RateLimit-Limit": str(int(bucket.limit)),
            "X-RateLimit-Remaining": str(window.remaining(now)),
            "X-RateLimit-Reset": f"{time.time() + reset_after:.3f}",
            "X-RateLimit-Reset-After": f"{reset_after:.3f}",
            "X-RateLimit-Bucket": bucket.hash,
        }

    def count_invalid(self) -> None:
        if self.settings.invalid_limit is None:
            return
        if self._invalid is None:
            self._invalid = SlidingWindow(
                self.settings.invalid_limit, self.settings.invalid_seconds
            )
        self._invalid.take(time.monotonic())

    def ban_seconds(self) -> float:
        """Return how long the address is still banned for invalid requests; 0 if it is not."""
        return self._invalid.wait(time.monotonic()) if self._invalid else 0.0

    def _take_global(self, now: float) -> Refusal | None:
        rate = self.settings.global_rate
        if rate is None:
            return None
        if self._global is None:
            self._global = KINDS[self.settings.global_window](rate, GLOBAL_WINDOW_SECONDS)
        if (wait := self._global.wait(now)) > 0:
            return Refusal(wait, is_global=True)
        self._global.take(now)
        return None

    def _window(self, bucket: Bucket) -> Window:
        key = (bucket.name, bucket.major)
        window = self._buckets.get(key)
        if window is None:
            make = KINDS[self.settings.bucket_window]
            window = self._buckets[key] = make(bucket.limit, bucket.seconds)
        return window
