"""The limits of Discord that discord.py leaves to us: requests a second, and refusals."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count

log = logging.getLogger(__name__)

# A little over the second that Discord counts: requests bunch up on their way.
WINDOW_SECONDS = 1.01
# The smallest gap, as a share of the even one: room to catch up after a stall, never a pile.
CATCH_UP = 1.35
# An event loop cannot sleep for less; at such rates the window alone holds.
SHORTEST_SLEEP_SECONDS = 0.0005

# Discord bans an address for 10,000 refused requests in ten minutes: its documentation,
# "Invalid Request Limit". What is on its way when the limit is reached must fit below it.
MOST_REFUSALS = 9_000
REFUSALS_WINDOW_SECONDS = 600.0


class Pacer:
    """Lets at most `rate` requests go in any window, looking back at when they really went."""

    def __init__(self, rate: float) -> None:
        self._burst = max(1, int(rate))
        self._gap = 1 / (CATCH_UP * rate)
        self._gone_out: deque[float] = deque(maxlen=self._burst)
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None

    def remember(self, moments: Iterable[float]) -> None:
        """Requests, in time.monotonic(), that went out before this pacer was made."""
        self._gone_out.extend(sorted(moments))

    async def turn(self, *, yields: bool = False) -> None:
        """Return when the next request may go out, which then counts as gone.

        First come, first served; but whoever `yields` waits until no other does.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        heappush(self._waiting, (yields, next(self._number), waiter))
        if self._timer is None:
            self._let_go(loop)
        await waiter

    def wait_seconds(self, now: float) -> float:
        if not self._gone_out:
            return 0.0
        wait = self._gone_out[-1] + self._gap - now
        if len(self._gone_out) == self._burst:
            wait = max(wait, self._gone_out[0] + WINDOW_SECONDS - now)
        return wait

    def _let_go(self, loop: asyncio.AbstractEventLoop) -> None:
        """Everybody whose turn has come; the timer is set for the next one."""
        self._timer = None
        while self._waiting:
            wait = self.wait_seconds(time.monotonic())
            if wait > SHORTEST_SLEEP_SECONDS:
                self._timer = loop.call_later(wait, self._let_go, loop)
                return
            _yields, _number, waiter = heappop(self._waiting)
            if not waiter.done():  # not cancelled meanwhile
                self._gone_out.append(time.monotonic())
                waiter.set_result(None)


class Brake:
    """Holds everything before so many refusals would have our address banned."""

    def __init__(self, most: int = MOST_REFUSALS, window: float = REFUSALS_WINDOW_SECONDS) -> None:
        self._window = window
        self._refused: deque[float] = deque(maxlen=most)

    @property
    def refusals(self) -> int:
        """How many are remembered."""
        return len(self._refused)

    def count(self) -> None:
        """A request was answered with 401, 403, or 429 for what we alone did."""
        self._refused.append(time.monotonic())

    async def hold(self) -> None:
        """Return when one more refusal would do no harm."""
        while (wait := self._wait_seconds()) > 0:
            log.error(
                "Discord refused %s requests in ten minutes: nothing is sent for %.0f s, "
                "or it would ban this address. See which channels refuse the bot.",
                self.refusals, wait,
            )  # fmt: skip
            await asyncio.sleep(wait)

    def _wait_seconds(self) -> float:
        if len(self._refused) < (self._refused.maxlen or 0):
            return 0.0
        return self._refused[0] + self._window - time.monotonic()
