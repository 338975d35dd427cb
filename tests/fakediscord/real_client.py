"""Real discord.py clients, pointed at a fakediscord."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from fakediscord.server import FakeDiscord

EVENT_SECONDS = 15.0
GUILD_READY_SECONDS = 0.1


class Events(asyncio.Queue[tuple[str, Any]]):
    """The events that a client dispatched, by name."""

    async def next(self, name: str) -> Any:
        """The next of that name; what comes before it is passed over."""
        async with asyncio.timeout(EVENT_SECONDS):
            while (found := await self.get())[0] != name:
                pass
        return found[1]


class RecordingClient(discord.AutoShardedClient):
    def __init__(self, **options: Any) -> None:
        options.setdefault("intents", discord.Intents.default())
        super().__init__(
            guild_ready_timeout=GUILD_READY_SECONDS, chunk_guilds_at_startup=False, **options
        )
        self.events = Events()
        self.tree = discord.app_commands.CommandTree(self)

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        super().dispatch(event, *args, **kwargs)
        if hasattr(self, "events"):
            self.events.put_nowait((event, args[0] if args else None))

    def text_channel(self, channel_id: str) -> discord.TextChannel:
        channel = self.get_channel(int(channel_id))
        assert isinstance(channel, discord.TextChannel)
        return channel


def point_at(fake: FakeDiscord) -> None:
    Route.BASE = fake.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(fake.gateway_url)


@asynccontextmanager
async def connected(fake: FakeDiscord, **options: Any) -> AsyncIterator[RecordingClient]:
    """A client that has become ready; whatever ends it fails the test."""
    point_at(fake)
    async with RecordingClient(**options) as client:
        running = asyncio.create_task(client.start("token"))
        ready = asyncio.create_task(client.events.next("ready"))
        await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            ready.cancel()
            running.result()
        yield client
        await client.close()
        await running
