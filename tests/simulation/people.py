"""Leaders at the desk, and moderators in Discord."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from random import Random

from django.db import OperationalError, transaction
from django.db.models import Q

from notices import actions
from notices.advice.permissions import EMBED_LINKS, READ_MESSAGE_HISTORY, SEND_MESSAGES
from notices.models import Channel, Delivery, ErrorCode, Notice, Study
from notices.outside import clock
from tests.simulation.discord import ALL_RIGHTS, Discord, Guild
from tests.simulation.discord import Channel as DiscordsChannel
from tests.simulation.loop import Life
from tests.simulation.world import World

CLOSED = {
    "the bot may see nothing": 0,
    "the bot may not send": ALL_RIGHTS & ~SEND_MESSAGES,
    "the bot may not embed": ALL_RIGHTS & ~EMBED_LINKS,
    "the bot may not read the history": ALL_RIGHTS & ~READ_MESSAGE_HISTORY,
}


class Leaders:
    """What they did, each deed in a web process that may die right after its commit."""

    def __init__(self, world: World, study: Study, channels: list[Channel]) -> None:
        self._world = world
        self._study, self._channels = study, channels
        self._left: dict[int, Channel] = {}

    def write_notices(self, count: int, seconds: float) -> None:
        for number in range(1, count + 1):
            chance = self._world.stream("notice", number)
            moment = chance.uniform(0, seconds * 0.8)
            # Many come at once, as leaders write at the same hours.
            moment = round(moment, -1) if chance.random() < 0.5 else moment
            if self._world.happens(f"notice {number}"):
                self._plan(number, moment, chance)

    def _plan(self, number: int, moment: float, chance: Random) -> None:
        self._do(moment, chance, self._publish, number, Random(chance.random()))
        for name, what, after in self._afterthoughts(chance):
            own = Random(chance.random())
            if self._world.happens(f"{name} of notice {number}"):
                self._do(moment + after, own, what, number, own)

    def _afterthoughts(
        self, chance: Random
    ) -> Iterator[tuple[str, Callable[[int, Random], None], float]]:
        for n in range(chance.choice((0, 1, 1, 2, 3))):
            yield f"correction {n + 1}", self._correct, self._soon(chance, 60)
        if chance.random() < 0.3:
            yield "withdrawal", self._withdraw, self._soon(chance, 90)
        if chance.random() < 0.3:
            yield "move", self._move, self._soon(chance, 40)
        if chance.random() < 0.2:
            leaves = self._soon(chance, 40)
            yield "leaving a channel", self._leave, leaves
            yield "return", self._return, leaves + self._soon(chance, 40)
        if chance.random() < 0.15:
            yield "another hour", self._reschedule, chance.uniform(0.02, 20)
        if chance.random() < 0.3:
            yield "send again", self._send_again, chance.uniform(5, 90)

    def _soon(self, chance: Random, most: float) -> float:
        """Return seconds: few of them meet what is still under way, many of them an outage."""
        return chance.choice((0.1, 2.0, 8.0, most)) * chance.random()

    def _do(
        self, moment: float, chance: Random, deed: Callable[[int, Random], None], *args: object
    ) -> None:
        # Its first step is the deed, its second the commit.
        steps = 2 if chance.random() < 0.05 else None
        process = Life(steps, lambda: self._world.tell("the web process dies"))

        async def do() -> None:
            # She then reads that it failed, whether or not it was committed.
            with contextlib.suppress(OperationalError):
                await self._world.loop.run_in_executor(None, deed, *args)

        self._world.at(moment, lambda: self._world.loop.begin(process, do()))

    def _publish(self, number: int, chance: Random) -> None:
        hour = clock.now() + timedelta(seconds=chance.choice((0, 0, 0, 0, 5, 20)))
        notice = Notice(study=self._study, title=str(number), content="첫 글", publish_at=hour)
        if chance.random() < 0.25:
            notice.expires_at = hour + timedelta(seconds=chance.choice((2, 20, 60, 600)))
        with transaction.atomic():
            actions.write(notice, [one.pk for one in self._some_channels(chance)])
        self._tell(notice, f"is written for {hour:%H:%M:%S}")

    def _some_channels(self, chance: Random) -> list[Channel]:
        return chance.sample(self._channels, chance.choice((1, 1, 2, 3, 5)))

    def _notice(self, number: int) -> Notice | None:
        return Notice.objects.filter(title=number, withdrawn_at=None).first()

    def _correct(self, number: int, _chance: Random) -> None:
        if notice := self._notice(number):
            notice.content += "!"
            notice.save()
            self._tell(notice, f"is corrected: revision {notice.revision}")

    def _withdraw(self, number: int, _chance: Random) -> None:
        if notice := self._notice(number):
            actions.withdraw(notice)
            self._tell(notice, "is withdrawn")

    def _move(self, number: int, chance: Random) -> None:
        if notice := self._notice(number):
            chosen = self._some_channels(chance)
            notice.channels.set(chosen)
            self._tell(notice, f"is for the channels {[one.pk for one in chosen]}")

    def _leave(self, number: int, _chance: Random) -> None:
        if (notice := self._notice(number)) and (first := notice.channels.order_by("pk").first()):
            self._left[number] = first
            notice.channels.remove(first)
            self._tell(notice, f"leaves channel {first.pk}")

    def _return(self, number: int, _chance: Random) -> None:
        """She has changed her mind."""
        if (notice := self._notice(number)) and (left := self._left.get(number)):
            notice.channels.add(left)
            self._tell(notice, f"is for channel {left.pk} again")

    def _reschedule(self, number: int, chance: Random) -> None:
        notice = self._notice(number)
        if notice is not None and notice.status == "scheduled":
            notice.publish_at = clock.now() + timedelta(seconds=chance.choice((0, 10)))
            notice.expires_at = None
            notice.save()
            self._tell(notice, f"is for {notice.publish_at:%H:%M:%S}")

    def _send_again(self, number: int, _chance: Random) -> None:
        if (notice := self._notice(number)) and actions.send_again(notice, undecided=False):
            self._tell(notice, "is sent again where it failed")

    def see_deleted(self, number: int, chance: Random) -> None:
        """Half of them send such a notice again, some while Discord still knows its nonce."""
        if chance.random() < 0.5:
            moment = self._world.loop.time() + 1 + self._soon(chance, 60)
            self._do(moment, chance, self._send_again, number, chance)

    def take_a_channel(self, begins: float, ends: float, chance: Random) -> None:
        """The study has one of its channels no more, and later has it again."""
        taken = chance.choice(self._channels)

        def take(_number: int, _chance: Random) -> None:
            self._study.channels.remove(taken)
            self._world.tell(f"channel {taken.pk} is taken from the study")

        def give(_number: int, _chance: Random) -> None:
            self._study.channels.add(taken)
            self._world.tell(f"channel {taken.pk} is given back")

        self._do(begins, chance, take, 0, chance)
        if chance.random() < 0.5:
            self._do(ends, chance, give, 0, chance)

    # --- at rest ------------------------------------------------------------------------------

    def decide(self, discord: Discord) -> None:
        """Look where the bot could not, and send again what failed."""
        failed = Q(state=Delivery.State.FAILED) & ~Q(error_code=ErrorCode.EXPIRED)
        ended = Delivery.UNDECIDED | failed
        deliveries = Delivery.objects.filter(ended).select_related("notice")
        for delivery in deliveries:
            self._decide(delivery, discord)

    def _decide(self, delivery: Delivery, discord: Discord) -> None:
        notice = delivery.notice
        if delivery.state == Delivery.State.FAILED:
            actions.send_again_in(notice, delivery.channel_id)
            return
        is_there = bool(discord.shown(delivery.channel_id, notice.title))
        self._tell(notice, f"is looked for in channel {delivery.channel_id}: {is_there}")
        if is_there or delivery.wanted is None:
            actions.look_again_in(notice, delivery.channel_id)
        else:
            actions.send_again_in(notice, delivery.channel_id)

    def _tell(self, notice: Notice, what: str) -> None:
        self._world.tell(f"notice {notice.title} {what}")


class Moderators:
    def __init__(self, world: World, discord: Discord, leaders: Leaders) -> None:
        self._world, self._discord, self._leaders = world, discord, leaders

    def meddle(self, count: int, seconds: float) -> None:
        deeds = (
            self._delete, self._delete, self._strip, self._archive, self._close, self._close,
            self._send_away, self._send_away, self._kick, self._time_out,
        )  # fmt: skip
        for n in range(1, count + 1):
            chance = self._world.stream("moderator", n)
            deed, moment = chance.choice(deeds), chance.uniform(0, seconds)
            if self._world.happens(f"moderators: {n}, {deed.__name__[1:]}"):
                self._world.at(moment, deed, chance)

    def _message(self, chance: Random) -> int:
        return chance.choice(sorted(self._discord.messages)) if self._discord.messages else 0

    def _delete(self, chance: Random) -> None:
        if message := self._discord.messages.get(self._message(chance)):
            self._world.tell(f"a moderator deletes notice {message.title} in {message.channel_id}")
            self._discord.remove(message)
            self._leaders.see_deleted(int(message.title), chance)

    def _strip(self, chance: Random) -> None:
        if message := self._discord.messages.get(self._message(chance)):
            self._world.tell(f"a moderator strips notice {message.title} in {message.channel_id}")
            self._discord.strip(message)

    def _archive(self, chance: Random) -> None:
        channel = self._channel(chance)
        channel.is_archived = True
        self._changed(channel.guild, f"channel {channel.id} is archived")

    def _close(self, chance: Random) -> None:
        channel, (why, rights) = self._channel(chance), chance.choice(list(CLOSED.items()))

        def open_again() -> None:
            channel.rights = ALL_RIGHTS
            self._changed(channel.guild, f"channel {channel.id} is open again")

        channel.rights = rights
        self._changed(channel.guild, f"channel {channel.id}: {why}")
        self._later(chance, open_again)

    def _send_away(self, chance: Random) -> None:
        guild = self._channel(chance).guild

        def bring_back() -> None:
            guild.is_away = False
            self._changed(guild, f"guild {guild.id} is back")

        guild.is_away = True
        guild.answer_while_away = chance.choice(((403, 50001), (404, 10003), (500, 0)))
        self._changed(guild, f"guild {guild.id} is away")
        self._later(chance, bring_back)

    def _kick(self, chance: Random) -> None:
        guild = self._channel(chance).guild

        def invite() -> None:
            guild.has_us = True
            self._changed(guild, f"the bot is in guild {guild.id} again")

        guild.has_us = False
        self._changed(guild, f"the bot is kicked from guild {guild.id}")
        self._later(chance, invite)

    def _time_out(self, chance: Random) -> None:
        guild, seconds = self._channel(chance).guild, chance.choice((10, 60))

        def end() -> None:
            guild.timed_out_until = self._world.loop.time()
            self._changed(guild, f"the bot is timed out in guild {guild.id} no more")

        guild.timed_out_until = self._world.loop.time() + seconds
        self._changed(guild, f"the bot is timed out in guild {guild.id} for {seconds} s")
        if chance.random() < 0.5:
            self._world.loop.in_world(chance.uniform(1, seconds), end)

    def _channel(self, chance: Random) -> DiscordsChannel:
        return chance.choice(list(self._discord.channels.values()))

    def _changed(self, guild: Guild, what: str) -> None:
        self._world.tell(what)
        self._discord.change(guild)

    def _later(self, chance: Random, what: Callable[[], None]) -> None:
        self._world.loop.in_world(chance.choice((3.0, 20.0, 120.0)), what)
