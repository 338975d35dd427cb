"""Runs an engine over a transport until a condition holds."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from notices.delivery import Engine
from notices.transport import Transport

PATIENCE_SECONDS = 10


def run_until(
    condition: Callable[[], bool],
    transport: Transport,
    *,
    window: float = 60,
    during: Callable[[Engine], None] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """The condition may read the database: it is asked in the engine's database thread."""

    async def scenario() -> None:
        engine = Engine(transport, rate=1000, window=timedelta(seconds=window))
        run = asyncio.create_task(engine.run())
        if during is not None:
            during(engine)
        async with asyncio.timeout(patience):
            while not await engine.in_database(condition):
                engine.wake()
                await asyncio.sleep(0.01)
        engine.stop()
        await run

    asyncio.run(scenario())
