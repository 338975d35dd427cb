"""While Discord's answers take seconds, other due deliveries go out at the pacer's speed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.utils import timezone

from notices.bot.engine import SAFETY_POLL, Engine
from notices.delivery.fan_out import fan_out
from notices.delivery.request import Answer, Request
from notices.models import Channel, Notice, Study
from tests.fake_transport import FakeTransport

CHANNELS = 20
TURN_SECONDS = 0.05
SLOW_RATE = 10.0  # the engine then claims eight ahead


@dataclass
class SlowToAnswer(FakeTransport):
    """Each request waits a while for its turn, and is answered once all are out."""

    all_are_out: asyncio.Event = field(default_factory=asyncio.Event)

    async def perform(self, request: Request, answered: Callable[[Answer], None]) -> Answer:
        self.waiting += 1
        await asyncio.sleep(TURN_SECONDS)
        self.waiting -= 1
        self.requests.append(request)
        if len(self.requests) == CHANNELS:
            self.all_are_out.set()
        await self.all_are_out.wait()
        answer = self._carry_out(request)
        answered(answer)
        return answer


@pytest.mark.django_db(transaction=True)
def test_a_due_delivery_does_not_wait_for_answers_to_others(study: Study) -> None:
    notice = Notice.objects.create(
        study=study, title="공지", content="…", publish_at=timezone.now()
    )
    notice.channels.set(Channel.objects.create(id=n) for n in range(1, CHANNELS + 1))
    study.channels.set(notice.channels.all())
    fan_out(notice.pk)

    async def scenario() -> None:
        transport = SlowToAnswer()
        engine = Engine(transport, rate=SLOW_RATE, window=timedelta(seconds=60))
        run = asyncio.create_task(engine.run())
        async with asyncio.timeout(SAFETY_POLL.total_seconds() - 1):
            await transport.all_are_out.wait()
        engine.stop()
        await run

    asyncio.run(scenario())
