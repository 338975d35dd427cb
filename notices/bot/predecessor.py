"""What the bot before us has left: pauses, and timeouts that still hold."""

from collections.abc import Mapping
from datetime import datetime

from notices.bot import discord_guilds
from notices.bot.database_thread import InDatabase
from notices.bot.discord_guilds import Changes
from notices.bot.engine import Engine
from notices.delivery.due import Shards
from notices.delivery.recovery import begin_timeouts, known_timeouts, pauses
from notices.outside import clock


async def keep_to_pauses(engine: Engine, shards: Shards) -> None:
    """Load the pauses that Discord named to the bot before, ahead of the first request."""
    now = clock.now()
    known = await engine.in_database(pauses, now, shards)
    await engine.remember_pauses(known, now)


class Timeouts:
    """Until when the bot may not write in channels, for as long as the gateway has not told."""

    def __init__(self, in_database: InDatabase) -> None:
        self._in_database = in_database
        self.known: dict[int, datetime] = {}
        """By the channel's id."""

    async def load(self) -> None:
        self.known |= await self._in_database(known_timeouts, clock.now())

    async def look(self) -> None:
        """Read them again, since another bot may have written some."""
        await self._remember(await self._in_database(known_timeouts, clock.now()))

    async def write(self, changes: Changes) -> None:
        """Write what the gateway tells of guilds."""
        await self._remember(await self._in_database(discord_guilds.write, changes))

    async def _remember(self, known: Mapping[int, datetime]) -> None:
        """Keep the timeouts, and let the deliveries that failed by one wait for its end."""
        self.known.clear()
        self.known.update(known)
        if known:
            await self._in_database(begin_timeouts, list(known), clock.now())
