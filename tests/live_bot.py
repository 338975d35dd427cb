"""The bot's client at a real gateway, without the engine: what it is told, and what it writes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import discord
import yarl
from django.db import connections

from notices.bot import discord_guilds, discord_roles
from notices.bot.database_thread import P, T
from notices.bot.discord_client import StudyBotClient
from notices.bot.discord_transport import DiscordTransport
from tests.fakediscord_driver import FakeDiscordProcess

PATIENCE_SECONDS = 60


class Bot:
    """The client as the worker runs it, without the engine."""

    def __init__(self, client: StudyBotClient) -> None:
        self.client = client
        self._database = ThreadPoolExecutor(1)

    async def in_database(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: work(*args, **kwargs))

    def close(self) -> None:
        self._database.submit(connections.close_all)
        self._database.shutdown()

    async def in_step(self, condition: Callable[[], Any]) -> None:
        """Write what the gateway tells until the condition holds in the database."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await self.in_database(condition):
                await self.client.guild_sync.wait()
                await self.in_database(discord_guilds.write, self.client.guild_sync.take())

    async def count(self, since: datetime | None = None) -> None:
        await discord_roles.count_people(self.client, self.in_database, since=since)


def ignore(*_told: Any) -> None:
    pass


Scenario = Callable[[Bot], Awaitable[None]]


@asynccontextmanager
async def connected(
    server: FakeDiscordProcess,
    transport: DiscordTransport,
    *,
    echo: Callable[..., None] = ignore,
    removed: Callable[..., None] = ignore,
    ordered: Callable[..., None] = ignore,
) -> AsyncIterator[StudyBotClient]:
    """Logged in, with the gateway's connection under way; closed at the end of the block."""
    discord.http.Route.BASE = server.api_url
    client = StudyBotClient(
        echo=echo, removed=removed, ordered=ordered, trace=transport.trace, shards=None, count=None
    )
    await client.login("token")
    transport.http = client.http
    _shards, url, _limits = await client.http.get_bot_gateway()
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
    connection = asyncio.create_task(client.connect())
    try:
        yield client
    finally:
        await client.close()
        await connection


def live(
    server: FakeDiscordProcess,
    scenario: Scenario,
    *,
    echo: Callable[..., None] = ignore,
    removed: Callable[..., None] = ignore,
) -> None:
    async def run() -> None:
        transport = DiscordTransport(rate=50, request_timeout=5)
        async with connected(server, transport, echo=echo, removed=removed) as client:
            bot = Bot(client)
            try:
                await scenario(bot)
            finally:
                bot.close()

    asyncio.run(run())
