"""Runs an engine over a transport until a condition holds."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from notices.bot.engine import Engine
from notices.delivery.request import Transport

PATIENCE_SECONDS = 60


@asynccontextmanager
async def running(
    transport: Transport, *, window: float = 60, patience: float = PATIENCE_SECONDS
) -> AsyncIterator[Engine]:
    """Stopped at the end of the block, if not before, and waited for."""
    async with asyncio.timeout(patience):
        engine = Engine(transport, rate=1000, window=timedelta(seconds=window))
        await engine.keep_to_pauses()
        run = asyncio.create_task(engine.run())
        yield engine
        engine.stop()
        await run


async def until(engine: Engine, condition: Callable[[], bool]) -> None:
    """The condition may read the database: it is asked in the engine's database thread."""
    while not await engine.in_database(condition):
        engine.wake()
        await asyncio.sleep(0.01)


def run_until(
    condition: Callable[[], bool],
    transport: Transport,
    *,
    window: float = 60,
    during: Callable[[Engine], None] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> None:
    async def scenario() -> None:
        async with running(transport, window=window, patience=patience) as engine:
            if during is not None:
                during(engine)
            await until(engine, condition)

    asyncio.run(scenario())
