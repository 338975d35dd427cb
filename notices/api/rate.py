"""How often a caller may ask: a counter for each, in the cache, for each window of time."""

import logging
import time
from functools import lru_cache
from threading import Lock
from typing import ClassVar, NamedTuple

from django.conf import settings
from django.core.cache import cache
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from notices.api.authentication import caller_of

log = logging.getLogger(__name__)

# A cache that is away is not waited for again so soon.
REST_SECONDS = 5.0
# Of what is left a process takes so small a part at once that nobody misses it.
SHARES = 1000
# Callers and windows; more are forgotten.
MOST_SHARES = 10_000


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
        key = f"asked {caller_of(request).name} {window}".replace(" ", ":")
        try:
            asked = _count(key, seconds, limit)
        except Exception:  # of whichever library the cache is reached by
            CallerRate.rests_until = time.monotonic() + REST_SECONDS
            log.warning("the cache is away: requests are not counted", exc_info=True)
            return True
        self.standing = Standing(limit, max(limit - asked, 0), seconds - passed)
        return asked <= limit

    def wait(self) -> float | None:
        return self.standing and self.standing.reset


def _count(key: str, seconds: int, limit: int) -> int:
    """How many were asked for in this window, with this one."""
    if settings.COUNTER_URL:
        return _count_in(_redis(settings.COUNTER_URL), key, seconds, limit)
    try:
        return cache.incr(key)
    except ValueError:  # the first of its window
        cache.add(key, 0, timeout=seconds)
        return cache.incr(key)


class _Share(NamedTuple):
    """Numbers that this process has taken from the counter, and not yet given out."""

    next: int = 1
    last: int = 0


_shares: dict[str, _Share] = {}
_lock = Lock()


def _count_in(redis: Redis, key: str, seconds: int, limit: int) -> int:
    """A trip to Redis for each request cost a POST a tenth: far from the limit one is for some."""
    with _lock:
        share = _shares.get(key, _Share())
        if share.next <= share.last:
            _shares[key] = _Share(share.next + 1, share.last)
            return share.next
    size = max((limit - share.last) // SHARES, 1) if share.last else 1
    name = f"{settings.Q_CLUSTER['name']}:{key}"
    last = redis.incrby(name, size)
    if last == size:
        redis.expire(name, seconds)
    with _lock:
        if len(_shares) >= MOST_SHARES:
            _shares.clear()
        _shares[key] = _Share(last - size + 2, last)
    return last - size + 1


@lru_cache(maxsize=1)
def _redis(url: str) -> Redis:
    return Redis.from_url(url, retry=Retry(NoBackoff(), 0))
