"""Limits how often a caller may ask, by a counter for each caller and each window of the clock.

The library `limits` keeps the counters. Its strategies are not used: their windows begin with a
caller's first request, and they ask Redis twice more for what is left.
"""

import logging
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from notices.api.authentication import caller_of
from notices.outside import clock

log = logging.getLogger(__name__)

# After a failure the counters are not asked for so long, since each request would wait for them.
REST_SECONDS = 5.0


class Standing(NamedTuple):
    """A caller's limit, the requests left in this window, and the seconds until the next one."""

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
    """Apply API_RATE. Nobody is limited while the counters are away, as a notice is worth more."""

    standing: Standing | None = None
    rests_until: ClassVar[float] = 0.0

    def allow_request(self, request: Request, view: object) -> bool:
        if settings.API_RATE is None or clock.monotonic() < CallerRate.rests_until:
            return True
        limit, seconds = settings.API_RATE
        window, passed = divmod(int(clock.now().timestamp()), seconds)
        key = f"asked {caller_of(request).name} {window}".replace(" ", ":")
        try:
            asked = storage(settings.COUNTER_URL).incr(key, seconds)
        except StorageError:
            CallerRate.rests_until = clock.monotonic() + REST_SECONDS
            log.warning("the cache is away: requests are not counted", exc_info=True)
            return True
        self.standing = Standing(limit, max(limit - asked, 0), seconds - passed)
        return asked <= limit

    def wait(self) -> float | None:
        return self.standing and self.standing.reset


@lru_cache(maxsize=1)
def storage(url: str) -> Storage:
    """Return the Redis in which all web processes count, or without one a count of this process."""
    if not url:
        return MemoryStorage()
    once: Any = Retry(NoBackoff(), 0)  # redis-py's, to which it is passed on
    prefix = settings.Q_CLUSTER["name"]
    return RedisStorage(url, key_prefix=prefix, retry=once, wrap_exceptions=True)
