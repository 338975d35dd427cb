"""A storm: leaders write, bots die, Discord fails; and at rest every promise has been kept."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from notices import actions
from notices.bot.engine import Engine
from notices.delivery.due import Shards
from notices.delivery.fan_out import fan_out
from notices.delivery.recovery import pauses, recent_requests
from notices.models import Channel, Delivery, Notice, Study
from notices.outside import chance, clock
from tests.simulation.discord import NONCE_SECONDS, BrokenPromiseError, Discord, Wire
from tests.simulation.loop import Inline, Life, Loop, simulated

RATE = 48.0
SECONDS = 120.0
CHANNELS, NOTICES, CRASHES = 5, 14, 8
# After it, whatever was begun has come to its end.
LONGEST_REST_SECONDS = 3 * 3600.0
WINDOW = timedelta(seconds=60)


@dataclass
class Storm:
    seed: int
    nonce_seconds: float = NONCE_SECONDS
    """Discord knows a nonce for so long."""
    story: list[str] = field(default_factory=list)

    def run(self) -> None:
        with simulated() as runner, chance.drawn_from(self._stream("studybot")):
            self.loop: Loop = runner.get_loop()  # type: ignore[assignment]
            self.loop.set_exception_handler(self._hear)
            self.broken: list[BaseException] = []
            self.discord = Discord(
                self.loop, self._stream("discord"), self.tell, self.nonce_seconds
            )
            self._lay_out()
            runner.run(self._blow())
        self._check()

    def tell(self, what: str) -> None:
        self.story.append(f"{self.loop.time():.3f} s: {what}")

    def _stream(self, name: str) -> Random:
        """Each source has its own, so that what one leaves out changes nothing of the others."""
        return Random(f"{self.seed} {name}")

    def _hear(self, _loop: object, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.broken.append(error)

    def _lay_out(self) -> None:
        self.study = Study.objects.create(name=f"스터디 {self.seed}")
        self.channels = [
            Channel.objects.create(id=self.seed * 100 + n + 1, name=f"{n}") for n in range(CHANNELS)
        ]
        self.study.channels.set(self.channels)

    async def _blow(self) -> None:
        draw = self._stream("leaders")
        for _n in range(NOTICES):
            self._at(draw.uniform(0, SECONDS * 0.8), self._publish, Random(draw.random()))
        draw = self._stream("crashes")
        self.crashes = sorted(draw.uniform(0, SECONDS) for _n in range(CRASHES))
        self.down = [draw.choice((0.1, 1.0, 5.0, 90.0)) for _n in range(CRASHES)]
        draw = self._stream("outages")
        away = draw.uniform(0, SECONDS)
        self.loop.call_later(away, self._away, True)
        self.loop.call_later(away + draw.choice((3.0, 30.0, 150.0)), self._away, False)
        draw = self._stream("moderators")
        for _n in range(2):
            self.loop.call_later(draw.uniform(0, SECONDS), self._delete_one, Random(draw.random()))
        await self._live()

    async def _live(self) -> None:
        """One bot after the other, and the last one lives until nothing is due."""
        for moment, pause in zip(self.crashes, self.down, strict=True):
            if (left := moment - self.loop.time()) > 0:
                life = self._start_bot()
                await asyncio.sleep(left)
                life.is_over = True
                self.discord.listeners.clear()
                self.tell("the bot dies")
            await asyncio.sleep(pause)
        self._start_bot()
        await asyncio.sleep(max(0.0, SECONDS - self.loop.time()) + 200)
        self.discord.calm = True
        self.tell("calm")
        ends = self.loop.time() + LONGEST_REST_SECONDS
        while self.loop.time() < ends and not self.broken:
            await asyncio.sleep(60)
            if not await self.loop.run_in_executor(None, self._is_anything_due):
                return

    def _start_bot(self) -> Life:
        life = Life()
        self.loop.begin(life, self._bot())
        return life

    async def _bot(self) -> None:
        engine = Engine(Wire(self.discord, RATE), rate=RATE, window=WINDOW, database=Inline())
        self.tell("a bot starts")
        now = clock.now()
        known = await engine.in_database(pauses, now, Shards())
        await engine.remember_pauses(known, now)
        recent = await engine.in_database(recent_requests, now - timedelta(seconds=10))
        engine.rest_channels(recent, now, timedelta(seconds=10))
        self.discord.listeners.append(engine)
        await engine.run()

    # --- what happens ------------------------------------------------------------------------

    def _at(self, seconds: float, what: Callable[..., object], *args: object) -> None:
        """In the database, at a moment of the storm."""

        def begin() -> None:
            done = self.loop.run_in_executor(None, what, *args)
            # An error is raised there, and so `_hear` is told of it.
            done.add_done_callback(lambda ended: ended.result())

        self.loop.call_later(seconds, begin)

    def _publish(self, draw: Random) -> None:
        publish_at = clock.now() + timedelta(seconds=draw.choice((0, 0, 0, 20)))
        notice = Notice(study=self.study, title="제목", content="글", publish_at=publish_at)
        if draw.random() < 0.2:
            notice.expires_at = publish_at + timedelta(seconds=draw.choice((5, 60, 600)))
        notice.save()
        notice.channels.set(draw.sample(self.channels, draw.randint(1, CHANNELS)))
        self.tell(f"notice {notice.pk} is published")
        self._task(notice.pk, draw)
        for _n in range(draw.choice((0, 0, 1, 2))):
            self._at(draw.uniform(0, 60), self._correct, notice.pk, Random(draw.random()))
        if draw.random() < 0.3:
            self._at(draw.uniform(0, 90), self._withdraw, notice.pk, Random(draw.random()))

    def _correct(self, pk: int, draw: Random) -> None:
        notice = Notice.objects.get(pk=pk)
        if notice.withdrawn_at is not None:
            return
        notice.content += "!"
        notice.save()
        self.tell(f"notice {pk} is corrected: revision {notice.revision}")
        self._task(pk, draw)

    def _withdraw(self, pk: int, draw: Random) -> None:
        actions.withdraw(Notice.objects.get(pk=pk))
        self.tell(f"notice {pk} is withdrawn")
        self._task(pk, draw)

    def _task(self, pk: int, draw: Random) -> None:
        """The broker loses some tasks, delivers some late and some twice."""
        for _n in range(draw.choice((0, 1, 1, 1, 2))):
            self._at(draw.choice((0.005, 0.005, 0.5, 30.0)), fan_out, pk)

    def _away(self, is_away: bool) -> None:
        self.discord.is_away = is_away
        self.tell("Discord is away" if is_away else "Discord is back")

    def _delete_one(self, draw: Random) -> None:
        if self.discord.messages:
            self.discord.delete(draw.choice(list(self.discord.messages.values())))

    def _is_anything_due(self) -> bool:
        mine = Delivery.objects.filter(notice__study=self.study)
        waiting = Notice.objects.filter(study=self.study).not_fanned_out()
        return mine.filter(due_at__isnull=False).exists() or waiting.exists()

    # --- the promises ------------------------------------------------------------------------

    def _check(self) -> None:
        for error in self.broken:
            raise BrokenPromiseError(f"seed {self.seed}: {error!r}\n" + self.told()) from error
        for delivery in Delivery.objects.filter(notice__study=self.study).select_related("notice"):
            self._check_delivery(delivery)

    def _check_delivery(self, delivery: Delivery) -> None:
        shown = [
            one
            for one in self.discord.in_channel(delivery.channel_id)
            if one.notice == delivery.notice_id
        ]
        told = f"delivery {delivery.pk} of notice {delivery.notice_id} is {delivery.state}"
        self._promise(delivery.due_at is None, f"{told}, and due without an end")
        match delivery.state:
            case Delivery.State.SENT if delivery.message_id in self.discord.deleted_unseen:
                pass
            case Delivery.State.SENT:
                right = [one.revision for one in shown] == [delivery.wanted]
                self._promise(right, f"{told}, and Discord shows {shown}, wanted {delivery.wanted}")
            case Delivery.State.WITHDRAWN:
                self._promise(not shown, f"{told}, and Discord shows {shown}")
            case Delivery.State.WAITING | Delivery.State.SENDING:
                self._promise(False, f"{told} at rest")
        if delivery.notice.withdrawn_at and delivery.state == Delivery.State.SENT:
            self._promise(False, f"{told}, and its notice is withdrawn")

    def _promise(self, is_kept: bool, told: str) -> None:
        if not is_kept:
            raise BrokenPromiseError(f"seed {self.seed}: {told}\n{self.told()}")

    def told(self) -> str:
        return "\n".join(self.story)
