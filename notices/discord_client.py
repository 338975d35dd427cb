"""The gateway's client: which events we listen to, and whom they are told."""

from collections.abc import Callable, Collection
from typing import Any

import discord

from notices.discord_events import EventReader, SteadyWebSocket
from notices.discord_guilds import GuildSync
from notices.embeds import read_marker
from notices.models import ErrorCode

Echo = Callable[[str, int, int], None]
Removed = Callable[[int, Collection[int], int], None]

SUPPRESS_EMBEDS = 1 << 2

# Of this name discord.py makes its shards' connections.
discord.shard.DiscordWebSocket = SteadyWebSocket  # type: ignore[misc]


def _tell_nobody(_guild_id: int) -> None:
    pass


class StudyBotClient(discord.AutoShardedClient):
    """Default intents, no message content: our own messages come with theirs all the same."""

    def __init__(
        self,
        *,
        echo: Echo,
        trace: Any,
        shards: tuple[int, ...] | None,
        count: int | None,
        removed: Removed = lambda *_told: None,
        guild_is_back: Callable[[int], None] = _tell_nobody,
    ) -> None:
        super().__init__(
            intents=discord.Intents.default(),
            shard_ids=list(shards) if shards else None,  # type: ignore[arg-type]
            shard_count=count,
            http_trace=trace,
            # With one it refuses what a bucket has left, where that is reset later than in 30 s.
            max_ratelimit_timeout=None,
            # Nothing of what others write is kept: memory stays flat.
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            allowed_mentions=discord.AllowedMentions.none(),
        )
        self._echo = echo
        self._removed = removed
        self._guild_is_back = guild_is_back
        # discord.py would make objects and a task of every message that anybody writes in any
        # channel, to be looked at by nobody. This is its own table of what to do on an event.
        self._connection.parsers |= {
            "MESSAGE_CREATE": self._see_message,
            "MESSAGE_UPDATE": self._see_message,
            "MESSAGE_DELETE": self._see_deletion,
            "MESSAGE_DELETE_BULK": self._see_deletions,
        }
        reader = EventReader(self._connection)
        self.guild_sync = GuildSync(self, gaps=reader.gaps)

    async def close_before_start(self) -> None:
        """End a client that never connected: close() would look for shards it has not."""
        await self.http.close()

    def _see_message(self, message: dict[str, Any]) -> None:
        """Discord's own word on what a message of ours shows."""
        author = message.get("author")  # an update may hold no more than what changed
        if self.user is None or (author and int(author["id"]) != self.user.id):
            return
        marker = read_marker(message)
        if author and marker is not None:
            self._echo(marker[0], int(message["id"]), marker[1])
        elif message.get("embeds") == [] and (message.get("flags") or 0) & SUPPRESS_EMBEDS:
            ids = [int(message["id"])]
            self._removed(int(message["channel_id"]), ids, ErrorCode.EMBED_REMOVED)

    def _see_deletion(self, told: dict[str, Any]) -> None:
        self._removed(int(told["channel_id"]), [int(told["id"])], ErrorCode.MESSAGE_DELETED)

    def _see_deletions(self, told: dict[str, Any]) -> None:
        ids = [int(one) for one in told["ids"]]
        self._removed(int(told["channel_id"]), ids, ErrorCode.MESSAGE_DELETED)

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
        """It was opened, or came into sight; or one that was out of sight has changed."""
        self.guild_sync.see_thread(thread)

    async def on_thread_update(self, _before: discord.Thread, after: discord.Thread) -> None:
        self.guild_sync.see_thread(after)

    async def on_thread_remove(self, thread: discord.Thread) -> None:
        self.guild_sync.mark(thread.guild.id)

    async def on_raw_thread_delete(self, told: discord.RawThreadDeleteEvent) -> None:
        self.guild_sync.lose_thread(told.guild_id, told.thread_id)
