"""When to try again: pure arithmetic."""

import random

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0


def pause_seconds(
    tries: int,
    jitter: float | None = None,
    *,
    first: float = FIRST_PAUSE_SECONDS,
    longest: float = LONGEST_PAUSE_SECONDS,
) -> float:
    """The pause after the `tries`-th failure (from 1): doubling, capped, spread by ±25 %.

    `jitter` is a number in [0, 1) and random unless given; the spread keeps what failed together
    from coming back together.
    """
    spread = 0.75 + 0.5 * (random.random() if jitter is None else jitter)
    doubled = first * 2.0 ** min(max(tries, 1) - 1, 30)
    return min(doubled, longest) * spread
