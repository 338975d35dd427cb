"""Reads what became of the messages, as fakediscord saw it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.discord_server import DiscordServer

LIMIT_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Sighting:
    """The messages that were seen; `shown_at` is in seconds since 1970, first to last."""

    shown_at: list[float]
    refused: int
    lost: int
    doubled: int

    @property
    def seconds(self) -> float:
        """Return the time from the first message's creation to the last one's, at the server."""
        return self.shown_at[-1] - self.shown_at[0]

    @property
    def efficiency(self) -> float:
        """Return the share of the limit: the seconds at 50 a second, by the seconds taken."""
        return len(self.shown_at) / LIMIT_PER_SECOND / self.seconds

    def curve(self) -> list[float]:
        """Return the seconds after the first message."""
        return [round(moment - self.shown_at[0], 3) for moment in self.shown_at]


def look(discord: DiscordServer, wanted: Sequence[tuple[str, str]]) -> Sighting:
    """Look for `wanted`, (channel, title) to be shown once each; ignore others."""
    found = Counter[tuple[str, str]]()
    shown_at = []
    expected = set(wanted)
    for channel, messages in discord.messages().items():
        for message in messages:
            place = (channel, message["embeds"][0]["title"])
            if place in expected:
                found[place] += 1
                shown_at.append(datetime.fromisoformat(message["timestamp"]).timestamp())
    return Sighting(
        shown_at=sorted(shown_at),
        refused=int(discord.stats()["rate_limited"]),
        lost=len(expected - found.keys()),
        doubled=sum(count - 1 for count in found.values()),
    )
