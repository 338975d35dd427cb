"""Tells a bot what it hears over its connection to Discord's gateway, in order, and late."""

import asyncio
from contextvars import copy_context
from datetime import datetime
from typing import Any

from django.db import OperationalError

from notices.advice.permissions import VIEW_CHANNEL
from notices.bot.discord_guilds import Changes, GuildSnapshot
from notices.bot.engine import Engine
from notices.bot.gateway_news import read_message
from notices.bot.timeouts import Timeouts
from notices.delivery.request import Word
from notices.models import Channel as ChannelRow
from notices.models import ErrorCode
from notices.outside import clock
from tests.simulation.database import Database
from tests.simulation.discord import OURS, Discord, Guild, Json
from tests.simulation.loop import life
from tests.simulation.world import World

LATEST_SECONDS = 1.0
WRITTEN_AFTER_SECONDS = 10.0
SYNC_PAUSE_SECONDS = 0.2


class Gateway:
    """One bot's session. While it is cut off the bot knows nothing for certain."""

    def __init__(
        self, world: World, discord: Discord, database: Database, engine: Engine, number: int
    ) -> None:
        """`number` is the bot's."""
        self._world = world
        self._database = database
        # Of the bot, with which it ends.
        self._context = copy_context()
        self._discord = discord
        self._engine = engine
        self._chance = world.stream("gateway", number)
        self._session = 0
        self._next = 0.0
        self.is_connected = False
        self._rights: dict[int, int] = {}
        self._guilds: dict[int, Word] = {}
        self._changes: Changes = {}
        self._writing: asyncio.Task[None] | None = None
        self.timeouts = Timeouts(engine.in_database)

    # --- what the transport asks --------------------------------------------------------------

    def permissions_in(self, channel_id: int) -> int | None:
        return self._rights.get(channel_id) if self.is_connected else None

    def word_on(self, channel_id: int, _guild_id: int | None) -> Word:
        word = self._guilds.get(self._discord.channels[channel_id].guild.id)
        if word is None or not self.is_connected:
            return Word.NONE
        if word is Word.AWAY:
            return Word.AWAY
        may_see = self._rights.get(channel_id, 0) & VIEW_CHANNEL
        return Word.REACHABLE if may_see else Word.UNREACHABLE

    def timed_out_until(self, channel_id: int) -> datetime | None:
        until = self.timeouts.known.get(channel_id)
        return until if until is not None and until > clock.now() else None

    # --- what Discord tells -------------------------------------------------------------------

    def connect(self) -> None:
        """With a new session, which shows all guilds, and nothing that was missed."""
        self._session += 1
        self._next = 0.0
        self._rights.clear()
        self._guilds.clear()
        self.is_connected = True
        for guild in {channel.guild.id: channel.guild for channel in self._channels()}.values():
            self.tell("guild", guild)

    def lose(self) -> None:
        self._session += 1
        self.is_connected = False

    def tell(self, event: str, about: Any) -> None:
        if self.is_connected:
            now = self._world.loop.time()
            self._next = max(self._next, now + self._chance.uniform(0, LATEST_SECONDS))
            self._world.loop.call_at(
                self._next, self._hear, self._session, event, about, context=self._context
            )

    def _hear(self, session: int, event: str, about: Any) -> None:
        if session != self._session or not self.is_connected:
            return
        match event:
            case "message":
                told, our_id = self._engine, int(OURS["id"])
                read_message(about, our_id, echo=told.echo, removed=told.removed)
                if not about["embeds"]:
                    self._note_heard(about)
            case "deleted":
                self._engine.removed(
                    int(about["channel_id"]), [int(about["id"])], ErrorCode.MESSAGE_DELETED
                )
                self._note_heard(about)
            case "guild":
                self._see(about)

    def _note_heard(self, about: Json) -> None:
        """Unless it dies before, the bot writes what it heard as soon as it can."""
        self._world.loop.call_later(WRITTEN_AFTER_SECONDS, self._note_written, about)

    def _note_written(self, about: Json) -> None:
        message_id = int(about["id"])
        kept = self._engine._news._removals  # while a request in the channel waits
        is_kept = any(one.message_id == message_id for one in kept)
        if is_kept or life() in self._database.cut_off:
            self._world.loop.call_later(WRITTEN_AFTER_SECONDS, self._note_written, about)
        elif self._discord.unheard.get(message_id) is about:
            del self._discord.unheard[message_id]

    def _see(self, guild: Guild) -> None:
        """As the worker does with what discord.py's cache has of a guild."""
        if not guild.has_us:
            self._guilds[guild.id] = Word.UNREACHABLE
            self._forget(guild)
            self._write({guild.id: None})
            return
        was, self._guilds[guild.id] = self._guilds.get(guild.id), Word.REACHABLE
        if guild.is_away:
            self._guilds[guild.id] = Word.AWAY
            return
        if was is not Word.REACHABLE:
            self._engine.guild_is_back(guild.id)
        self._forget(guild)
        rows = []
        for channel in self._channels():
            if channel.guild is guild:
                self._rights[channel.id] = channel.rights
                rows.append({
                    "id": channel.id, "guild_id": guild.id, "guild_name": "서버", "name": "공지",
                    "type": ChannelRow.Type.TEXT, "permissions": channel.rights,
                    "timed_out_until": self._discord.until(guild), "parent_id": None,
                    "is_archived": channel.is_archived, "is_locked": False,
                })  # fmt: skip
        snapshot = GuildSnapshot(rows, [], timed_out_until=self._discord.until(guild))  # type: ignore[arg-type]
        self._write({guild.id: snapshot})

    def _write(self, changes: Changes) -> None:
        self._changes |= changes
        if self._writing is None or self._writing.done():
            self._writing = self._world.loop.create_task(self._write_changes())

    async def _write_changes(self) -> None:
        """Until the database takes them."""
        while self._changes:
            await asyncio.sleep(SYNC_PAUSE_SECONDS)
            changes, self._changes = self._changes, {}
            try:
                await self.timeouts.write(changes)
            except OperationalError:
                self._changes = changes | self._changes
                await asyncio.sleep(5)

    def _forget(self, guild: Guild) -> None:
        for channel in self._channels():
            if channel.guild is guild:
                self._rights.pop(channel.id, None)

    def _channels(self) -> Any:
        return self._discord.channels.values()
