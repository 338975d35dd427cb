"""Has people's orders carried out, and answers each of them within Discord's three seconds.

An order is recorded first and answered second, so that whoever was told is recorded, however the
bot ends. Orders have a database thread of their own: they wait for no delivery, and none waits for
them.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import connections

from notices.bot.engine import DATABASE_AWAY
from notices.outside import clock
from notices.people.orders import Order, Told, carry_out

log = logging.getLogger(__name__)

# Discord forgets an interaction that nobody has answered after three seconds. The rest of them is
# for the way there.
ANSWER_SECONDS = 2.5
# Orders that come together are written together. A lone one does not wait.
BETWEEN_WRITES_SECONDS = 0.025
DATABASE_PAUSE_SECONDS = 0.1
MOST_TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Interaction:
    """What Discord asks an answer for; `is_update` replaces the message whose button it was."""

    id: int
    token: str
    order: Order
    heard_at: float
    is_update: bool = False

    @property
    def seconds_left(self) -> float:
        return self.heard_at + ANSWER_SECONDS - clock.monotonic()


Answer = Callable[[Interaction, Told | None], Coroutine[Any, Any, None]]
"""Answers it; None says that it could not be recorded. It raises nothing."""


class Orders:
    def __init__(self, answer: Answer, database: ThreadPoolExecutor | None = None) -> None:
        self._answer = answer
        self._database = database or ThreadPoolExecutor(1, thread_name_prefix="orders")
        self._waiting: list[Interaction] = []
        self._has_come = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()

    def take(self, interaction: Interaction) -> None:
        self._waiting.append(interaction)
        self._has_come.set()

    async def run(self) -> None:
        """Until it is cancelled; what was taken by then is carried out."""
        try:
            while True:
                await self._has_come.wait()
                await self._carry_out_waiting()
                await asyncio.sleep(BETWEEN_WRITES_SECONDS)
        finally:
            while self._waiting:
                await self._carry_out_waiting()
            await asyncio.gather(*self._answering)
            self._database.submit(connections.close_all)
            self._database.shutdown(wait=False)

    async def _carry_out_waiting(self) -> None:
        batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
        if not self._waiting:
            self._has_come.clear()
        for interaction, told in zip(batch, await self._record(batch), strict=True):
            task = asyncio.create_task(self._answer(interaction, told))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _record(self, batch: list[Interaction]) -> Sequence[Told | None]:
        """Return what each is told, or None where nothing could be recorded in time."""
        loop = asyncio.get_running_loop()
        orders = [one.order for one in batch]
        while True:
            try:
                return await loop.run_in_executor(self._database, carry_out, orders, clock.now())
            except DATABASE_AWAY as error:
                if batch[0].seconds_left < DATABASE_PAUSE_SECONDS:
                    log.warning("the database does not answer: orders are refused (%s)", error)
                    return [None] * len(batch)
                await asyncio.sleep(DATABASE_PAUSE_SECONDS)
            except Exception:
                if len(batch) > 1:  # one that fails by its own data stops no other
                    return [told for one in batch for told in await self._record([one])]
                log.exception("an order fails in our own code")
                return [None]
