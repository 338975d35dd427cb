"""Keeps until when the bot is timed out, as the gateway tells it and as others have written it."""

from collections.abc import Mapping
from datetime import datetime

from notices.bot import discord_guilds
from notices.bot.database_thread import InDatabase
from notices.bot.discord_guilds import Changes
from notices.delivery.recovery import begin_timeouts, known_timeouts
from notices.outside import clock


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
