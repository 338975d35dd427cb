"""How often a caller may ask: a counter for each, in the cache, for each window of time."""

import logging
import time
from typing import ClassVar, NamedTuple

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from notices.api.authentication import caller_of

log = logging.getLogger(__name__)

# A cache that is away is not waited for again so soon.
REST_SECONDS = 5.0


class Standing(NamedTuple):
    """Where a caller stands: requests left in this window, and seconds until the next."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class CallerRate(BaseThrottle):
    """API_RATE. A cache that is away limits nobody: a notice is worth more than the count."""

    standing: Standing | None = None
    rests_until: ClassVar[float] = 0.0

    def allow_request(self, request: Request, view: object) -> bool:
        if settings.API_RATE is None or time.monotonic() < CallerRate.rests_until:
            return True
        limit, seconds = settings.API_RATE
        window, passed = divmod(int(time.time()), seconds)
        try:
            asked = _count(f"asked {caller_of(request).name} {window}".replace(" ", ":"), seconds)
        except Exception:  # of whichever library the cache is reached by
            CallerRate.rests_until = time.monotonic() + REST_SECONDS
            log.warning("the cache is away: requests are not counted", exc_info=True)
            return True
        self.standing = Standing(limit, max(limit - asked, 0), seconds - passed)
        return asked <= limit

    def wait(self) -> float | None:
        return self.standing and self.standing.reset


def _count(key: str, seconds: int) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # the first of its window
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key)
