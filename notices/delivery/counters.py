"""Numbers that only grow, for /metrics, counted where what they count is committed.

Kept in the database they are exact, outlive every process, and every web process tells the same.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import accumulate

from notices.delivery.outcomes import Outcome
from notices.models import Attempt, Tally
from notices.sql import Statement

ATTEMPTS = "attempts"
RATE_LIMITED = "rate_limited"
# The label is a bucket's upper bound in seconds; each delay is counted in one bucket.
PUBLISH_TO_SHOWN = "publish_to_shown_seconds"
PUBLISH_TO_SHOWN_SUM = "publish_to_shown_milliseconds"
PAUSES = "pauses"
PAUSED_MILLISECONDS = "paused_milliseconds"

TOO_MANY_REQUESTS = 429
# From what this machinery can do at its best to what waited for an outage to end.
BOUNDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
BUCKETS = (*map(str, BOUNDS), "+Inf")

Key = tuple[str, str]
"""A tally's name and label."""

# The rows go in one order for all, so that two bots never wait for each other.
_COUNT_UP = Statement(
    """
    INSERT INTO notices_tally (name, label, value)
    SELECT name, label, value
    FROM jsonb_to_recordset(%(counts)s::jsonb) AS given(name text, label text, value bigint)
    ORDER BY name, label
    ON CONFLICT (name, label) DO UPDATE SET value = notices_tally.value + excluded.value
    """
)


def of_outcomes(results: Iterable[Outcome], delays: Iterable[float]) -> Counter[Key]:
    """Count these outcomes; `delays` are seconds from the hour of publishing to being shown."""
    counts: Counter[Key] = Counter()
    for result in results:
        counts[ATTEMPTS, f"{result.request.action}:{result.kind}"] += 1
        if result.code == TOO_MANY_REQUESTS:
            counts[RATE_LIMITED, ""] += 1
    seconds = 0.0
    for delay in delays:
        delay = max(delay, 0.0)  # two machines' clocks
        counts[PUBLISH_TO_SHOWN, BUCKETS[bisect_left(BOUNDS, delay)]] += 1
        seconds += delay
    if seconds:
        counts[PUBLISH_TO_SHOWN_SUM, ""] = round(seconds * 1000)
    return counts


def of_lost(actions: Iterable[str]) -> Counter[Key]:
    """Requests whose end nobody saw: the bot died before the answer."""
    return Counter((ATTEMPTS, f"{action}:{Attempt.Outcome.UNKNOWN}") for action in actions)


def of_pause(length: timedelta) -> Counter[Key]:
    """One pause of all sending."""
    milliseconds = length // timedelta(milliseconds=1)
    return Counter({(PAUSES, ""): 1, (PAUSED_MILLISECONDS, ""): milliseconds})


def add(counts: Mapping[Key, int]) -> None:
    """Count up, in one statement. Call it last in a transaction: every bot writes these rows."""
    if counts:
        _COUNT_UP.execute(
            counts=[
                {"name": name, "label": label, "value": value}
                for (name, label), value in counts.items()
            ]
        )


def read() -> Counter[Key]:
    """Every tally as it stands; what was never counted is 0."""
    rows = Tally.objects.values_list("name", "label", "value")
    return Counter({(name, label): value for name, label, value in rows})


def buckets(counted: Counter[Key]) -> list[tuple[str, float]]:
    """(upper bound, how many delays up to it), as Prometheus adds them up; the last has all."""
    totals = accumulate(counted[PUBLISH_TO_SHOWN, bucket] for bucket in BUCKETS)
    return list(zip(BUCKETS, totals, strict=True))
