"""qcluster and the frontend: tasks that are lost, late and doubled, and callbacks that fail."""

import asyncio
from typing import Any

from django.db import OperationalError
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from notices.callbacks import queueing
from notices.callbacks.http import EndpointResponse
from notices.callbacks.queueing import Lane
from notices.models import CallbackMessage
from notices.outside import clock
from notices.tasks import FAN_OUT
from tests.simulation.database import Database
from tests.simulation.loop import Life
from tests.simulation.world import World

LOOKS_EVERY_SECONDS = 0.4
SWEPT_EVERY_SECONDS = 30.0


class Queue:
    """One process of qcluster, which dies now and then and starts anew."""

    def __init__(self, world: World, database: Database) -> None:
        self._world, self._database = world, database
        self._chance = world.stream("queue")
        self.heard: list[CallbackMessage] = []
        """What the frontend was told, repetitions included."""
        self.has_frontend = False
        self._lives = 0

    def keep_running(self, lives: int) -> None:
        self._lives += 1
        steps = self._chance.randint(50, 1500)
        dies = lives > 0 and self._world.happens(f"qcluster {self._lives} dies after {steps} steps")

        def died() -> None:
            self._world.tell("qcluster dies")
            self._world.loop.in_world(
                self._chance.choice((0.5, 20.0)), self.keep_running, lives - 1
            )

        self._world.loop.begin(Life(steps if dies else None, died), self._run())

    async def _run(self) -> None:
        in_database = self._world.loop.run_in_executor
        swept_at = 0.0
        while True:
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
            for pk, package in self._database.rows("SELECT id, payload FROM django_q_ormq"):
                try:
                    await self._take(pk, SignedPackage.loads(package))
                except OperationalError:
                    self._world.tell("a task breaks off")
            is_swept = (
                self.has_frontend and self._world.loop.time() - swept_at > SWEPT_EVERY_SECONDS
            )
            if is_swept:
                swept_at = self._world.loop.time()
                await in_database(None, self._take_lanes)

    async def _take(self, pk: int, task: dict[str, Any]) -> None:
        in_database = self._world.loop.run_in_executor
        fate = "done"
        if not self._world.is_calm:
            fate = self._chance.choices(("done", "lost", "late", "doubled"), (80, 8, 8, 4))[0]
        if fate == "late":
            return
        if fate == "doubled":
            await in_database(None, self._do, task)
        if fate != "lost":
            await in_database(None, self._do, task)
        await in_database(None, lambda: OrmQ.objects.filter(pk=pk).delete())

    def _do(self, task: dict[str, Any]) -> None:
        if task["func"] == FAN_OUT:
            import_string(FAN_OUT)(*task["args"])
        else:
            self._take_lanes()

    # --- the frontend -------------------------------------------------------------------------

    def _take_lanes(self) -> None:
        for lane in queueing.take(clock.now()):
            task = self._world.loop.create_task(self._send(lane))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    async def _send(self, lane: Lane) -> None:
        for message in lane.messages:
            await asyncio.sleep(self._chance.uniform(0.01, 0.5))
            answer = self._answer(message)
            lane.answers.append((message, answer))
            if not answer.is_success:
                break
        in_database = self._world.loop.run_in_executor
        await in_database(None, queueing.record, lane, clock.now())

    def _answer(self, message: CallbackMessage) -> EndpointResponse:
        fates = ("answered", "500", "nothing", "answer lost")
        fate = self._chance.choices(fates, (88, 6, 3, 3))[0]
        if self._world.is_calm or fate in ("answered", "answer lost"):
            self.heard.append(message)
        if self._world.is_calm or fate == "answered":
            return EndpointResponse(200)
        return EndpointResponse(500) if fate == "500" else EndpointResponse(None, fate)
