"""The bot's process: it takes the seat of the active bot, logs in, runs the engine and stops."""

import asyncio
import contextlib
import gc
import logging
import os
import platform
import signal
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import aiohttp
import discord
import uvloop
import yarl
from django.conf import settings
from django.db import DatabaseError, connections

from notices.bot import discord_channels, discord_lookup, discord_roles
from notices.bot.discord_channels import as_name
from notices.bot.discord_client import StudyBotClient
from notices.bot.discord_orders import Answers, sync_commands
from notices.bot.discord_people import look_for_people
from notices.bot.discord_transport import DiscordTransport
from notices.bot.engine import Engine
from notices.bot.orders import Orders
from notices.bot.standby import SeatTakenError, hold_seat
from notices.bot.timeouts import Timeouts
from notices.delivery.due import Shards
from notices.delivery.request import TransientError
from notices.models import BotInstance
from notices.outside import clock
from notices.retry import pause_seconds

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
SWITCH_SECONDS = 0.001
GARBAGE_THRESHOLDS = (20_000, 20, 20)
SYNC_PAUSE_SECONDS = 0.2
COUNT_POLL_SECONDS = 5.0
ROSTER_POLL_SECONDS = 30.0
LOGIN_TIMEOUT_SECONDS = 60.0
LONGEST_LOGIN_PAUSE_SECONDS = 15.0

# The gateway's close codes after which connecting again is useless (Discord's documentation,
# "Gateway Close Event Codes").
CLOSED_FOR_GOOD = {
    4004: "BOT_TOKEN is not accepted any more: set the new one.",
    4010: "--shard-ids and --shard-count do not fit together: an id is below the count.",
    4011: "The bot is in too many servers for so few shards: start more of them (--shard-count).",
    4012: "This version of the gateway is no longer offered: update discord.py.",
    4013: "Unknown intents were asked for: update discord.py.",
}

# No connection, an error of Discord's, or an answer that is not Discord's, such as a proxy's page.
NO_USABLE_ANSWER = (
    discord.DiscordException, aiohttp.ClientError, OSError, TransientError,
    ValueError, TypeError, KeyError,
)  # fmt: skip

# discord.py warns about missing libraries for voice, which the bot does not use.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class FatalError(Exception):
    """The bot cannot run until a person does what the message says."""


@dataclass(frozen=True, slots=True)
class Options:
    token: str
    shard_ids: tuple[int, ...] | None = None
    shard_count: int | None = None


class Worker:
    """One bot process. `run` returns after a stop was asked for, or raises FatalError."""

    def __init__(self, options: Options) -> None:
        self._options = options
        shards = Shards(options.shard_ids or (0,), options.shard_count or 1)
        self._shards = shards
        self._transport = DiscordTransport(
            rate=settings.SEND_RATE, request_timeout=settings.REQUEST_TIMEOUT
        )
        self._engine = Engine(
            self._transport,
            rate=settings.SEND_RATE,
            window=timedelta(seconds=settings.NONCE_WINDOW),
            shards=shards,
        )
        self._client: StudyBotClient | None = None
        self._has_seat = asyncio.Event()
        self._stop = asyncio.Event()
        self._guilds_are_new = asyncio.Event()
        self._name = f"{platform.node()}:{os.getpid()}"
        self._started_at = clock.now()
        self._cut_off_since: datetime | None = None
        self._timeouts = Timeouts(self._engine.in_database)
        self._answers = Answers(settings.DISCORD_API_URL)
        self._orders = Orders(self._answers.answer)

    # --- what the seat calls ---------------------------------------------------------------

    def set_active(self, active: bool) -> None:
        self._engine.set_active(active)
        self._transport.active = active
        if active:
            self._has_seat.set()
        else:
            self._has_seat.clear()

    def wake(self) -> None:
        self._engine.wake()

    # --- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        self._engine.set_active(False)
        try:
            async with asyncio.TaskGroup() as tasks:
                main = tasks.create_task(self._live(tasks), name="main")
                main.add_done_callback(lambda _task: self._stop.set())
        except* (FatalError, SeatTakenError) as group:
            raise FatalError(str(group.exceptions[0])) from group

    async def _live(self, tasks: asyncio.TaskGroup) -> None:
        seat = tasks.create_task(hold_seat(self, self._shards), name="seat")
        beat = tasks.create_task(self._beat(), name="heartbeat")
        helpers = [seat, beat]
        try:
            if await self._before_stop(self._has_seat.wait()):
                await self._engine.keep_to_pauses()
                await self._engine.keep_to_limits()
                client = await self._login()
                if client is not None:
                    self._client = client
                    helpers.append(tasks.create_task(self._connect(client), name="gateway"))
                    helpers.append(tasks.create_task(self._sync_guilds(client), name="guilds"))
                    helpers.append(tasks.create_task(self._count_people(client), name="people"))
                    helpers.append(tasks.create_task(self._look_for_people(client), name="roster"))
                    helpers.append(tasks.create_task(self._orders.run(), name="orders"))
                    helpers.append(tasks.create_task(self._sync_commands(client), name="commands"))
                    await self._deliver()
            for task in helpers:
                task.cancel()
        finally:
            await asyncio.to_thread(self._say_goodbye)
            # This ends the gateway's task too: discord.py ignores a cancellation while it
            # reconnects.
            if self._client is not None:
                await self._client.close()
            await self._answers.close()

    async def _deliver(self) -> None:
        await self._timeouts.load()
        engine = asyncio.create_task(self._engine.run(), name="engine")
        await asyncio.wait(
            [engine, asyncio.create_task(self._stop.wait())], return_when="FIRST_COMPLETED"
        )
        self._engine.stop()
        await engine

    async def _before_stop(self, wait: Awaitable[object]) -> bool:
        """Return whether `wait` ended before a stop was asked for."""
        first = asyncio.ensure_future(wait)
        stop = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([first, stop], return_when="FIRST_COMPLETED")
        stop.cancel()
        if first.done():
            first.result()  # raises its error, if it has one
            return not self._stop.is_set()
        first.cancel()
        return False

    async def _login(self) -> StudyBotClient | None:
        """Log in, trying until Discord answers; return None if a stop is asked for first."""
        for tries in count(1):
            client = self._new_client()
            try:
                if not await self._before_stop(self._try_login(client)):
                    await client.close_before_start()
                    return None
            except discord.LoginFailure as error:
                await client.close_before_start()
                raise FatalError(
                    "Discord refuses BOT_TOKEN. Copy the token again from the Discord developer "
                    "portal (your application, Bot, Reset Token) and set BOT_TOKEN."
                ) from error
            except NO_USABLE_ANSWER as error:
                await client.close_before_start()
                log.warning("Discord cannot be reached (%r): trying again", error)
                self._cut_off_since = self._cut_off_since or clock.now()
                if not await self._before_stop(asyncio.sleep(_pause_after(error, tries))):
                    return None
            else:
                self._cut_off_since = None
                self._transport.http = client.http
                self._transport.permissions_in = partial(discord_channels.permissions_in, client)
                self._transport.timed_out_until = partial(
                    discord_channels.timed_out_in, client, known=self._timeouts.known
                )
                self._transport.word = partial(discord_channels.word_on, client)
                log.info("logged in as %s", client.user)
                return client
        return None

    def _new_client(self) -> StudyBotClient:
        discord.http.Route.BASE = settings.DISCORD_API_URL
        return StudyBotClient(
            echo=self._engine.echo,
            removed=self._engine.removed,
            guild_is_back=self._engine.guild_is_back,
            ordered=self._orders.take,
            trace=self._transport.trace,
            shards=self._options.shard_ids,
            count=self._options.shard_count,
        )

    async def _try_login(self, client: StudyBotClient) -> None:
        async with asyncio.timeout(LOGIN_TIMEOUT_SECONDS):
            await client.login(self._options.token)

    async def _connect(self, client: StudyBotClient) -> None:
        """Stay connected to the gateway. Deliveries do not depend on it."""
        for tries in count(1):
            try:
                _shards, url, _limits = await client.http.get_bot_gateway()
                # discord.py reconnects to the default address if it cannot resume.
                discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)
                await client.connect()
            except discord.PrivilegedIntentsRequired as error:
                raise FatalError(str(error)) from error
            except discord.ConnectionClosed as error:
                remedy = CLOSED_FOR_GOOD.get(error.code, str(error))
                raise FatalError(
                    f"Discord closed the gateway with code {error.code}. {remedy}"
                ) from error
            except NO_USABLE_ANSWER as error:
                if client.is_closed():
                    raise  # discord.py has closed its HTTP session, so it cannot connect again
                log.warning("the gateway cannot be reached (%r): trying again", error)
                await asyncio.sleep(_pause_after(error, tries))
            else:
                return

    async def _sync_guilds(self, client: StudyBotClient) -> None:
        """Store what the gateway reports, each burst of events at once."""
        while True:
            await client.guild_sync.wait()
            await asyncio.sleep(SYNC_PAUSE_SECONDS)
            changes = client.guild_sync.take()
            try:
                await self._timeouts.write(changes)
                self._guilds_are_new.set()
            except Exception:
                log.exception("the guilds could not be written: trying again")
                client.guild_sync.put_back(changes)
                await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _count_people(self, client: StudyBotClient) -> None:
        """Count the guilds' people at intervals, and at once for a new guild."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COUNT_POLL_SECONDS):
                    await self._guilds_are_new.wait()
            self._guilds_are_new.clear()
            try:
                await discord_lookup.look_up_channels(
                    client, self._engine.in_database, self._shards
                )
                await self._timeouts.look()
                await discord_roles.count_people(
                    client, self._engine.in_database, since=self._started_at
                )
            except Exception:
                log.exception("the people of the guilds could not be counted: trying again")
                await asyncio.sleep(COUNT_POLL_SECONDS)

    async def _look_for_people(self, client: StudyBotClient) -> None:
        """Look, again and again, for those on rosters whose day has come."""
        while True:
            try:
                looked = await look_for_people(client, self._engine.in_database)
            except Exception:
                log.exception("who is on the rosters could not be looked for: trying again")
                looked = 0
            await asyncio.sleep(0 if looked else ROSTER_POLL_SECONDS)

    async def _sync_commands(self, client: StudyBotClient) -> None:
        """Try until Discord takes them. Deliveries do not depend on it."""
        for tries in count(1):
            try:
                if client.application_id and await sync_commands(
                    client.http, client.application_id
                ):
                    log.info("Discord has the bot's commands")
            except NO_USABLE_ANSWER as error:
                log.warning("the bot's commands cannot be told to Discord (%r)", error)
                await asyncio.sleep(pause_seconds(tries))
            else:
                return

    async def _beat(self) -> None:
        while True:
            try:
                await self._engine.in_database(self._write_heartbeat)
            except Exception:
                log.exception("the heartbeat could not be written")
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _write_heartbeat(self) -> None:
        latency = self._client.latency if self._client else float("nan")
        BotInstance.objects.update_or_create(
            name=self._name,
            defaults={
                "started_at": self._started_at,
                "heartbeat_at": clock.now(),
                "is_active": self._engine.active,
                "display_name": as_name(self._display_name()),
                "application_id": self._client.application_id if self._client else None,
                "shard_ids": list(self._shards.ids),
                "shard_count": self._shards.count,
                "paused_since": self._cut_off_since or self._engine.paused_since,
                # NaN until the gateway has answered a heartbeat.
                "gateway_latency_ms": round(latency * 1000) if 0 <= latency < 1e6 else None,
            },
        )

    def _display_name(self) -> str:
        """Return the bot's name as Discord shows it beside its messages."""
        user = self._client.user if self._client else None
        return user.display_name if user else ""

    def _say_goodbye(self) -> None:
        try:
            BotInstance.objects.filter(name=self._name).delete()
        except DatabaseError:
            log.warning("the database does not answer: this bot's row stays behind")
        finally:
            connections.close_all()


def _pause_after(error: Exception, tries: int) -> float:
    """Return the pause before the next try: at least as long as Discord has asked for."""
    named = error.retry_after if isinstance(error, TransientError) else 0.0
    return max(named, min(pause_seconds(tries), LONGEST_LOGIN_PAUSE_SECONDS))


def _collect_garbage_rarely() -> None:
    """Make garbage collection rare: deliveries leave no cycles, and it took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def run_bot(options: Options) -> None:
    """Run until SIGTERM or Ctrl-C. Raises FatalError if a person has to do something."""

    async def main() -> None:
        await Worker(options).run()

    # By default the database's thread may wait 5 ms for Python's lock at each query.
    sys.setswitchinterval(SWITCH_SECONDS)
    _collect_garbage_rarely()
    uvloop.run(main())
