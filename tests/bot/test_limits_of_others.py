"""A bot that becomes active again keeps to the limits that another has used meanwhile."""

import asyncio
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from notices.bot.engine import Engine
from notices.bot.outages import RESTING_REQUESTS
from notices.models import Attempt, Channel, Delivery, Notice, Study
from tests.engine_driver import running, until
from tests.fake_transport import FakeTransport

pytestmark = pytest.mark.django_db(transaction=True)


def attempts_in(delivery: Delivery, count: int) -> None:
    for claim in range(count):
        Attempt.objects.create(
            delivery=delivery, action="create", nonce=delivery.nonce, claim=claim,
            begun_at=timezone.now(), ended_at=timezone.now(), outcome="transient",
        )  # fmt: skip


@pytest.fixture
def delivery(study: Study, channel: Channel) -> Delivery:
    """One that nothing is due of."""
    draft = Notice.objects.create(study=study, title="초안", content="…")
    return Delivery.objects.create(notice=draft, channel=channel, state="withdrawn")


def test_it_counts_what_another_has_sent(delivery: Delivery) -> None:
    discord = FakeTransport()

    async def scenario() -> list[int]:
        async with running(discord) as engine:
            await until(engine, lambda: not discord.remembered)
            engine.set_active(False)
            await engine.in_database(attempts_in, delivery, RESTING_REQUESTS)
            engine.set_active(True)
            await until(engine, lambda: bool(discord.remembered))
            return list(engine._outages.resting().creates)

    assert asyncio.run(scenario()) == [delivery.channel_id]
    assert len(discord.remembered) == RESTING_REQUESTS
    assert max(discord.remembered) <= timezone.now()


def test_requests_that_went_out_after_their_claims_count_as_later(delivery: Delivery) -> None:
    """What was claimed ahead went out within the time that so many requests take."""
    long_ago = timezone.now() - timedelta(seconds=3)
    Attempt.objects.create(
        delivery=delivery, action="create", nonce=delivery.nonce, claim=1, begun_at=long_ago
    )
    discord = FakeTransport()

    async def scenario() -> None:
        engine = Engine(discord, rate=8, window=timedelta(seconds=60))
        await engine.keep_to_limits()
        await engine.in_database(connections.close_all)

    asyncio.run(scenario())
    assert discord.remembered == [long_ago + timedelta(seconds=1)]
