"""A storm: leaders write, bots die, Discord fails; and at rest every promise has been kept."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from notices.models import CallbackEndpoint, Channel, Study
from notices.outside import chance
from tests.simulation import discord as discord_module
from tests.simulation.bots import Bots
from tests.simulation.database import Database, database
from tests.simulation.discord import Discord
from tests.simulation.loop import Loop, NothingToComeError, simulated
from tests.simulation.people import Leaders, Moderators
from tests.simulation.promises import Promises
from tests.simulation.queue import Queue
from tests.simulation.world import BrokenPromiseError, World

T = TypeVar("T")

# After the storm, whatever was begun comes to its end within so long.
LONGEST_REST_SECONDS = 2 * 3600.0
LOOKS_EVERY_SECONDS = 20.0
DECISIONS = 2
# Callbacks take a third of a storm's time.
SHARE_WITH_A_FRONTEND = 0.15


@dataclass(frozen=True)
class Size:
    seconds: float
    channels: int
    guilds: int
    notices: int
    meddlings: int
    """By moderators."""
    crashes: int
    most_steps: int
    """Of a bot that dies."""


DENSE = Size(120.0, channels=5, guilds=2, notices=14, meddlings=6, crashes=8, most_steps=1500)
FULL = Size(600.0, channels=20, guilds=4, notices=60, meddlings=15, crashes=15, most_steps=6000)


class Storm:
    def __init__(
        self,
        seed: int,
        size: Size = DENSE,
        left_out: frozenset[str] = frozenset(),
        nonce_seconds: float = discord_module.NONCE_SECONDS,
    ) -> None:
        self.seed, self._size = seed, size
        self._left_out = left_out
        self._nonce_seconds = nonce_seconds
        self._has_ended = False

    def run(self) -> World:
        """Raise BrokenPromiseError, or return all that happened."""
        with (
            # At the end, whoever is buried may wait for somebody who is dead.
            contextlib.suppress(NothingToComeError),
            database() as data,
            simulated() as runner,
            chance.drawn_from(Random(f"{self.seed} studybot")),
        ):
            loop: Loop = runner.get_loop()  # type: ignore[assignment]
            self.world = World(self.seed, loop, self._left_out)
            loop.set_exception_handler(self.world.hear)
            runner.run(self._blow(data))
            self._has_ended = True
            loop.set_exception_handler(lambda *_told: None)  # the dead are buried
        if error := self.world.error:
            raise BrokenPromiseError(f"seed {self.seed}: {str(error) or repr(error)}") from error
        if not self._has_ended:
            raise BrokenPromiseError(f"seed {self.seed}: everybody waits for somebody else")
        return self.world

    async def _blow(self, data: Database) -> None:
        self.discord = Discord(self.world, self._nonce_seconds)
        data.blow(self.world)
        queue = Queue(self.world, data)
        await self.world.loop.run_in_executor(None, self._lay_out, queue)
        self._leaders = Leaders(self.world, self._study, self._channels)
        self._promises = Promises(self.world, self.discord, data, queue)
        self.discord.look_at_message = self._promises.look_at_message
        self._bots = Bots(self.world, self.discord, data, self._promises.look_at_request)

        def after_commit() -> None:
            if self._promises.look_at_commit():
                self._bots.wake()

        data.after_commit = after_commit
        self._plan(queue)
        rest = asyncio.create_task(self._come_to_rest())
        broken = asyncio.create_task(self.world.broken.wait())
        await asyncio.wait([rest, broken], return_when=asyncio.FIRST_COMPLETED)
        if rest.done() and (error := rest.exception()):
            self.world.fail(error)

    def _lay_out(self, queue: Queue) -> None:
        self._study = Study.objects.create(name="스터디")
        queue.has_frontend = self.world.stream("frontend").random() < SHARE_WITH_A_FRONTEND
        if queue.has_frontend:
            CallbackEndpoint.objects.create(url="https://frontend.example/", all_studies=True)
        guilds = [discord_module.Guild(100 + n) for n in range(self._size.guilds)]
        self._channels = []
        for n in range(1, self._size.channels + 1):
            guild = guilds[n % len(guilds)]
            self.discord.channels[n] = discord_module.Channel(n, guild)
            self._channels.append(Channel.objects.create(pk=n, guild_id=guild.id, name="공지"))
        self._study.channels.set(self._channels)

    def _plan(self, queue: Queue) -> None:
        world, size = self.world, self._size
        self._leaders.write_notices(size.notices, size.seconds)
        Moderators(world, self.discord, self._leaders).meddle(size.meddlings, size.seconds)
        queue.keep_running(lives=2)
        for _process in range(2):
            self._bots.keep_one_running(size.crashes // 2, size.most_steps)
        chance = world.stream("weather")
        for n in range(1, round(size.seconds / 60) + 1):
            for name, begin, lasts in self._weather():
                begins = chance.uniform(0, size.seconds)
                # Half of them meet what many leaders have begun at once.
                begins = round(begins, -1) + chance.random() if chance.random() < 0.5 else begins
                if world.happens(f"{name} {n}"):
                    world.at(begins, begin, chance.choice(lasts))
            begins, ends = chance.uniform(0, size.seconds), chance.uniform(0, size.seconds)
            if chance.random() < 0.3 and world.happens(f"channel taken {n}"):
                self._leaders.take_a_channel(begins, ends, world.stream("taken", n))

    def _weather(self) -> Iterator[tuple[str, Callable[[float], None], tuple[float, ...]]]:
        """What comes once a minute, each with how long it may last."""
        yield "outage", self._send_away, (3.0, 30.0, 150.0)
        yield "cut off", self._bots.cut_off, (1.0, 10.0, 40.0)
        yield "cut off again", self._bots.cut_off, (1.0, 10.0)
        yield "gateway lost", self._bots.lose_gateways, (1.0, 15.0, 40.0)
        yield "gateway lost again", self._bots.lose_gateways, (15.0, 40.0)
        yield "stop", lambda _seconds: self._bots.stop(), (0.0,)

    def _send_away(self, seconds: float) -> None:
        self._set_away(True)
        self.world.loop.in_world(seconds, self._set_away, False)

    def _set_away(self, is_away: bool) -> None:
        self.discord.is_away = is_away
        self.world.tell("Discord is away" if is_away else "Discord is back")

    # --- rest -------------------------------------------------------------------------------

    async def _come_to_rest(self) -> None:
        # Whatever a moderator or an outage does lasts for 150 s at most.
        await asyncio.sleep(self._size.seconds + 160)
        self.world.is_calm = True
        self.world.tell("calm")
        for _n in range(DECISIONS):
            await self._wait_until_nothing_is_due()
            await self._in_database(self._leaders.decide, self.discord)
        await self._wait_until_nothing_is_due()
        await self._in_database(self._promises.look_at_rest)

    async def _wait_until_nothing_is_due(self) -> None:
        ends = self.world.loop.time() + LONGEST_REST_SECONDS
        while due := await self._in_database(lambda: list(self._promises.what_is_due())):
            if self.world.loop.time() > ends:
                self.world.promise(False, f"no end: {due}")
                return
            await asyncio.sleep(LOOKS_EVERY_SECONDS)

    async def _in_database(self, work: Callable[..., T], *args: object) -> T:
        return await self.world.loop.run_in_executor(None, work, *args)
