"""The pause before a retry: exponential backoff with jitter."""

from notices.outside import chance

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


def pause_seconds(
    tries: int,
    jitter: float | None = None,
    *,
    first: float = FIRST_PAUSE_SECONDS,
    longest: float = LONGEST_PAUSE_SECONDS,
) -> float:
    """Return the pause after the `tries`-th failure (from 1): doubled each time, up to `longest`.

    `jitter` in [0, 1), random unless given, spreads it by ±25 %, so that requests that failed
    together are not all repeated at the same moment.
    """
    spread = 0.75 + 0.5 * (chance.share() if jitter is None else jitter)
    doubled = first * 2.0 ** min(max(tries, 1) - 1, 30)
    return min(doubled, longest) * spread
