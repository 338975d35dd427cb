"""The bots: one has the seat and sends, the others stand by, and each of them can die."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from itertools import count

from django.db import OperationalError

from notices.bot.discord_transport import DiscordTransport
from notices.bot.engine import Engine
from notices.bot.pace import Brake
from tests.simulation.database import Database
from tests.simulation.discord import Call, Discord
from tests.simulation.gateway import Gateway
from tests.simulation.loop import Inline, Life, life
from tests.simulation.wire import Wire, http_client
from tests.simulation.world import World

# By two below Discord's limit, as the real one is.
RATE = 10.0
# Of ten minutes: where the brake holds, and where Discord bans. A small storm never meets the real
# ones, and a small limit in every storm would stop too much.
REFUSALS, FEW_REFUSALS, SHARE_WITH_FEW = (9_000, 10_000), (5, 14), 0.25
WINDOW = timedelta(seconds=60)
TIMEOUT_SECONDS = 3.0
# By TCP's keepalives (`standby.KEEPALIVE`), a lost connection frees the seat.
SEAT_IS_FREE_AFTER_SECONDS = 3.0
WAKES_AFTER_SECONDS = 0.002
# Discord forgets meanwhile what the bot before has asked, of which no attempt tells.
LOGIN_SECONDS = 1.0

GoesOut = Callable[["Bot", Call, str, bool], None]


class Bot:
    """A process of `runbot`, from the login on. What it does before is `discord_worker`'s."""

    def __init__(
        self,
        world: World,
        discord: Discord,
        database: Database,
        process: Life,
        number: int,
        goes_out: GoesOut,
    ) -> None:
        self.life = process
        self.transport = DiscordTransport(rate=RATE, request_timeout=TIMEOUT_SECONDS)
        has_few = world.stream("refusals").random() < SHARE_WITH_FEW
        holds_at, most = FEW_REFUSALS if has_few else REFUSALS
        wire = Wire(
            world,
            discord,
            self.transport.trace,
            goes_out=lambda *sent: goes_out(self, *sent),
            dies=process.end,
            most_refusals=most,
        )
        self.transport.http = http_client(wire, world.loop)
        self.transport.brake = Brake(holds_at)
        self.engine = Engine(self.transport, rate=RATE, window=WINDOW, database=Inline())
        self.gateway = Gateway(world, discord, database, self.engine, number)
        self.transport.permissions_in = self.gateway.permissions_in
        self.transport.word = self.gateway.word_on
        self.transport.timed_out_until = self.gateway.timed_out_until
        self._has_seat = asyncio.Event()
        self.set_active(False)

    def set_active(self, active: bool) -> None:
        self.engine.set_active(active)
        self.transport.active = active
        if active:
            self._has_seat.set()

    async def run(self) -> None:
        await self._has_seat.wait()
        await self.engine.keep_to_pauses()
        await self.engine.keep_to_limits()
        while await self.transport.trouble() is not None:  # noqa: ASYNC110 (it asks again)
            await asyncio.sleep(1)
        await asyncio.sleep(LOGIN_SECONDS)
        self.gateway.connect()
        await self.gateway.timeouts.load()
        await self.engine.run()


class Bots:
    """Two processes, and their seat. The next in line gets it when the connection ends."""

    def __init__(
        self, world: World, discord: Discord, database: Database, goes_out: GoesOut
    ) -> None:
        self._world, self._discord, self._database = world, discord, database
        self._goes_out = goes_out
        self._bots: list[Bot] = []
        self._in_line: list[Bot] = []
        self._holder: Bot | None = None
        self._numbers = count(1)
        self._chance = world.stream("bots")
        discord.tell_bots = self._tell

    def keep_one_running(self, lives: int, most_steps: int) -> None:
        """Start a bot again and again: so many of its lives end at a step that chance draws."""
        number = next(self._numbers)
        chance = self._world.stream("bot", number)
        steps = round(most_steps ** chance.uniform(0.4, 1.0))
        dies = lives > 0 and self._world.happens(f"bot {number} dies after {steps} steps")
        down = chance.choice((0.1, 1.0, 5.0, 90.0))

        def died() -> None:
            self._world.tell(f"bot {number} ends")
            self._give_the_seat()
            self._world.loop.in_world(down, self.keep_one_running, lives - 1, most_steps)

        process = Life(steps if dies else None, died)
        self._world.loop.begin(process, self._run(number, process))

    async def _run(self, number: int, process: Life) -> None:
        bot = Bot(self._world, self._discord, self._database, process, number, self._goes_out)
        self._world.tell(f"bot {number} starts")
        self._discord.excuses.update(list(self._discord.channels))
        self._bots.append(bot)
        self._in_line.append(bot)
        self._give_the_seat()
        # Without the database it does not start, and is started anew.
        with contextlib.suppress(OperationalError):
            await bot.run()
        process.end()

    def _give_the_seat(self) -> None:
        """Whoever has died holds nothing."""
        self._in_line = [bot for bot in self._in_line if not bot.life.is_over]
        if self._holder not in self._in_line:
            self._holder = next(iter(self._in_line), None)
            if self._holder is not None:
                self._holder.set_active(True)

    def _alive(self) -> list[Bot]:
        return [bot for bot in self._bots if not bot.life.is_over]

    def stop(self) -> None:
        """The active bot is asked to stop, as by a deployment."""
        if self._holder is not None and not self._holder.life.is_over:
            self._world.tell("the active bot is asked to stop")
            self._holder.engine.stop()

    def cut_off(self, seconds: float) -> None:
        """The active bot reaches the database no more, and learns late that its seat is lost."""
        zombie = self._holder
        cut_off = self._database.cut_off
        if zombie is None or zombie.life.is_over or zombie.life in cut_off:
            return
        self._world.tell("the active bot is cut off from the database")
        cut_off.add(zombie.life)
        # Soon, some of what it has claimed still waits for its turn.
        learns_after = self._chance.choice((0.3, SEAT_IS_FREE_AFTER_SECONDS + 1))
        learns_after *= self._chance.random()
        back_after = max(seconds, SEAT_IS_FREE_AFTER_SECONDS + 1)
        self._world.loop.in_world(learns_after, zombie.set_active, False)
        self._world.loop.in_world(SEAT_IS_FREE_AFTER_SECONDS, self._take_the_seat_from, zombie)
        self._world.loop.in_world(back_after, self._reconnect, zombie)

    def _take_the_seat_from(self, zombie: Bot) -> None:
        if zombie in self._in_line:
            self._in_line.remove(zombie)
            self._give_the_seat()

    def _reconnect(self, bot: Bot) -> None:
        if not bot.life.is_over:
            self._world.tell("a bot that was cut off reaches the database again")
            self._database.cut_off.discard(bot.life)
            self._in_line.append(bot)
            self._give_the_seat()

    def wake(self) -> None:
        """Somebody else has committed something. Now and then, nobody is told."""
        others = [bot for bot in self._alive() if bot.life is not life()]
        if others and self._chance.random() > 0.1:
            for bot in others:
                self._world.loop.in_world(WAKES_AFTER_SECONDS, bot.engine.wake)

    def lose_gateways(self, seconds: float) -> None:
        for bot in self._alive():
            if bot.gateway.is_connected:
                self._world.tell("a bot loses its gateway")
                bot.gateway.lose()
                self._world.loop.in_world(seconds, bot.gateway.connect)

    def _tell(self, event: str, about: object) -> None:
        for bot in self._alive():
            bot.gateway.tell(event, about)
