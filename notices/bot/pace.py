"""Keeps two limits of Discord that discord.py does not: requests a second, and refusals."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import count

from notices.outside import clock

log = logging.getLogger(__name__)

# A little over Discord's second, because requests bunch up on their way.
WINDOW_SECONDS = 1.01
# The smallest gap between two requests, as a share of the even gap. It leaves room to catch up
# after a stall, without sending in a burst.
CATCH_UP = 1.35
# An event loop cannot sleep for less. At such rates the window alone limits.
SHORTEST_SLEEP_SECONDS = 0.0005

# Discord bans an address after 10,000 refused requests in ten minutes (its documentation, "Invalid
# Request Limit"). The rest is for requests already on their way.
MOST_REFUSALS = 9_000
REFUSALS_WINDOW_SECONDS = 600.0


class Pacer:
    """Lets at most `rate` requests go in any window, by the moments at which they went."""

    def __init__(self, rate: float) -> None:
        self._burst = max(1, int(rate))
        self._gap = 1 / (CATCH_UP * rate)
        self._gone_out: deque[float] = deque(maxlen=self._burst)
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._number = count()
        self._timer: asyncio.TimerHandle | None = None

    def remember(self, moments: Iterable[float]) -> None:
        """Count requests that others have made, by clock.monotonic()."""
        self._gone_out.extend(sorted([*self._gone_out, *moments]))

    async def turn(self, *, yields: bool = False) -> None:
        """Return when the next request may go out, and count it as gone.

        The first to come is the first to go, but one that `yields` waits for all that do not.
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
        """Let everybody go whose turn has come, and set the timer for the next."""
        self._timer = None
        while self._waiting:
            wait = self.wait_seconds(clock.monotonic())
            if wait > SHORTEST_SLEEP_SECONDS:
                self._timer = loop.call_later(wait, self._let_go, loop)
                return
            _yields, _number, waiter = heappop(self._waiting)
            if not waiter.done():  # not cancelled since
                self._gone_out.append(clock.monotonic())
                waiter.set_result(None)


class Brake:
    """Stops all requests before so many are refused that Discord bans our address."""

    def __init__(self, most: int = MOST_REFUSALS, window: float = REFUSALS_WINDOW_SECONDS) -> None:
        self._window = window
        self._refused: deque[float] = deque(maxlen=most)

    @property
    def refusals(self) -> int:
        """The number of refusals in memory."""
        return len(self._refused)

    def count(self) -> None:
        """Count an answer of 401, 403, or 429 for a limit that is ours alone."""
        self._refused.append(clock.monotonic())

    async def hold(self) -> None:
        """Wait until one more refusal would do no harm."""
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
        return self._refused[0] + self._window - clock.monotonic()
