"""The gateway's client: which events we listen to, and whom they are told."""

from collections.abc import Callable
from typing import Any

import discord

from notices.bot.discord_events import EventReader, SteadyWebSocket
from notices.bot.discord_guilds import GuildSync
from notices.bot.discord_orders import read_interaction
from notices.bot.gateway_news import Echoed, Removed, read_message
from notices.bot.orders import Interaction
from notices.models import ErrorCode

# discord.py makes its shards' connections of whatever class has this name.
discord.shard.DiscordWebSocket = SteadyWebSocket  # type: ignore[misc]


def _tell_nobody(_told: object) -> None:
    pass


class StudyBotClient(discord.AutoShardedClient):
    """It asks for no message content: Discord tells the content of our own messages anyway."""

    def __init__(
        self,
        *,
        echo: Echoed,
        trace: Any,
        shards: tuple[int, ...] | None,
        count: int | None,
        removed: Removed = lambda *_told: None,
        guild_is_back: Callable[[int], None] = _tell_nobody,
        ordered: Callable[[Interaction], None] = _tell_nobody,
    ) -> None:
        super().__init__(
            intents=discord.Intents.default(),
            shard_ids=list(shards) if shards else None,  # type: ignore[arg-type]
            shard_count=count,
            http_trace=trace,
            # With a timeout discord.py refuses what a bucket has left, if that bucket is reset
            # in more than 30 s.
            max_ratelimit_timeout=None,
            # discord.py would keep what others write: memory is to stay flat.
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._echo = echo
        self._removed = removed
        self._guild_is_back = guild_is_back
        self._ordered = ordered
        # `parsers` is discord.py's table of what to do on an event. Left to itself, discord.py
        # would make objects and a task of every message that anybody writes in any channel.
        self._connection.parsers |= {
            "MESSAGE_CREATE": self._see_message,
            "MESSAGE_UPDATE": self._see_message,
            "MESSAGE_DELETE": self._see_deletion,
            "MESSAGE_DELETE_BULK": self._see_deletions,
            "INTERACTION_CREATE": self._see_interaction,
        }
        reader = EventReader(self._connection)
        self.guild_sync = GuildSync(self, gaps=reader.gaps)

    async def close_before_start(self) -> None:
        """End a client that never connected: close() would fail, since there are no shards."""
        await self.http.close()

    def _see_message(self, message: dict[str, Any]) -> None:
        if self.user is not None:
            read_message(message, self.user.id, echo=self._echo, removed=self._removed)

    def _see_deletion(self, told: dict[str, Any]) -> None:
        self._removed(int(told["channel_id"]), [int(told["id"])], ErrorCode.MESSAGE_DELETED)

    def _see_deletions(self, told: dict[str, Any]) -> None:
        ids = [int(one) for one in told["ids"]]
        self._removed(int(told["channel_id"]), ids, ErrorCode.MESSAGE_DELETED)

    def _see_interaction(self, told: dict[str, Any]) -> None:
        if interaction := read_interaction(told):
            self._ordered(interaction)

    async def on_ready(self) -> None:
        self.guild_sync.mark(*(guild.id for guild in self.guilds))

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self.guild_sync.mark(guild.id)
        self._guild_is_back(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.guild_sync.mark(guild.id)
        self._guild_is_back(guild.id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.guild_sync.mark(guild.id)

    async def on_guild_update(self, _before: discord.Guild, after: discord.Guild) -> None:
        self.guild_sync.mark(after.id)

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        self.guild_sync.mark(channel.guild.id)

    async def on_guild_channel_update(
        self, _before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        self.guild_sync.mark(after.guild.id)

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.guild_sync.mark(channel.guild.id)

    async def on_guild_role_create(self, role: discord.Role) -> None:
        self.guild_sync.mark(role.guild.id)

    async def on_guild_role_update(self, _before: discord.Role, after: discord.Role) -> None:
        self.guild_sync.mark(after.guild.id)

    async def on_guild_role_delete(self, role: discord.Role) -> None:
        self.guild_sync.mark(role.guild.id)

    async def on_member_update(self, _before: discord.Member, after: discord.Member) -> None:
        if self.user is not None and after.id == self.user.id:
            self.guild_sync.mark(after.guild.id)

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.guild_sync.see_thread(thread)

    async def on_thread_join(self, thread: discord.Thread) -> None:
        """discord.py calls this when a thread is opened, comes into sight or changes unseen."""
        self.guild_sync.see_thread(thread)

    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        self.guild_sync.see_thread(after)

    async def on_thread_remove(self, thread: discord.Thread) -> None:
        self.guild_sync.mark(thread.guild.id)

    async def on_raw_thread_delete(self, told: discord.RawThreadDeleteEvent) -> None:
        self.guild_sync.lose_thread(told.guild_id, told.thread_id)
