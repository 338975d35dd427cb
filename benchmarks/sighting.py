"""What became of the messages, as fakediscord saw it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from benchmarks.discord_server import DiscordServer

LIMIT_PER_SECOND = 50


@dataclass(frozen=True, slots=True)
class Sighting:
    """`shown_at` in seconds since 1970, first to last."""

    shown_at: list[float]
    refused: int
    lost: int
    doubled: int

    @property
    def seconds(self) -> float:
        """From the first message's creation to the last one's, at the server."""
        return self.shown_at[-1] - self.shown_at[0]

    @property
    def efficiency(self) -> float:
        """Of the limit: the seconds that so many take at 50 each, by those that they took."""
        return len(self.shown_at) / LIMIT_PER_SECOND / self.seconds

    def curve(self) -> list[float]:
        """Seconds after the first."""
        return [round(moment - self.shown_at[0], 3) for moment in self.shown_at]


def look(discord: DiscordServer, wanted: Sequence[tuple[str, str]]) -> Sighting:
    """`wanted` are (channel, title), each to be shown once; others are not looked at."""
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
