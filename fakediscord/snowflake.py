"""Makes Discord's ids: 64 bits that begin with the millisecond of their creation."""

import time

DISCORD_EPOCH_MS = 1_420_070_400_000
TIMESTAMP_SHIFT = 22
NEW_SECONDS, OLD_SECONDS = 10, 14 * 86_400


class Snowflakes:
    """Makes ids that only grow, as fast as they are asked for."""

    def __init__(self) -> None:
        self.last = 0

    def make(self) -> str:
        now_ms = int(time.time() * 1000) - DISCORD_EPOCH_MS
        self.last = max(self.last + 1, now_ms << TIMESTAMP_SHIFT)
        return str(self.last)


def made_at(snowflake: str) -> float:
    """Return when the id was made, in seconds since 1970."""
    return ((int(snowflake) >> TIMESTAMP_SHIFT) + DISCORD_EPOCH_MS) / 1000


def age_class(snowflake: str) -> str:
    """Return the age class: deleting the newest and the oldest messages has limits of its own."""
    if not snowflake.isdecimal():
        return ""
    age = time.time() - made_at(snowflake)
    if age <= NEW_SECONDS:
        return " (new)"
    return " (old)" if age >= OLD_SECONDS else ""
