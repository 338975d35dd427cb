"""The global limit of Discord, kept by looking back at when requests really went out."""

import asyncio
from collections import deque
from collections.abc import Iterable

# A little over the second that Discord counts: requests bunch up on their way.
WINDOW_SECONDS = 1.02
# The smallest gap, as a share of the even one: room to catch up after a stall, never a pile.
CATCH_UP = 1.35
# An event loop cannot sleep for less; at such rates the window alone holds.
SHORTEST_SLEEP_SECONDS = 0.0005


class Pacer:
    """Lets at most `rate` requests go in any window, spread out; first come, first served."""

    def __init__(self, rate: float) -> None:
        self._burst = max(1, int(rate))
        self._gap = 1 / (CATCH_UP * rate)
        self._gone_out: deque[float] = deque(maxlen=self._burst)
        self._turn = asyncio.Lock()

    def remember(self, moments: Iterable[float]) -> None:
        """Requests, in the event loop's time, that went out before this pacer was made."""
        self._gone_out.extend(sorted(moments))

    async def turn(self) -> None:
        """Return when the next request may go out, which then counts as gone."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if (wait := self.wait_seconds(loop.time())) > SHORTEST_SLEEP_SECONDS:
                await asyncio.sleep(wait)
            self._gone_out.append(loop.time())

    def wait_seconds(self, now: float) -> float:
        if not self._gone_out:
            return 0.0
        wait = self._gone_out[-1] + self._gap - now
        if len(self._gone_out) == self._burst:
            wait = max(wait, self._gone_out[0] + WINDOW_SECONDS - now)
        return wait
