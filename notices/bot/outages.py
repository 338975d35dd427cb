"""Finds out how much fails: one request, a channel or everything. Rests it until it is back."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.db import Error

from notices.advice import error_codes
from notices.advice.error_codes import About, Rests
from notices.bot.database_thread import InDatabase, P, T
from notices.delivery.due import Resting
from notices.delivery.outcomes import Weight
from notices.delivery.poison import DATA_ERRORS
from notices.delivery.recovery import channels_of, end_pauses, end_rest, guild_of, note_pauses
from notices.delivery.request import PermanentError, Request, TransientError, Transport, Word
from notices.models import Attempt, Pause
from notices.outside import clock
from notices.retry import pause_seconds

log = logging.getLogger(__name__)

LONGEST_OUTAGE_PAUSE_SECONDS = 5.0
# If Discord lets the bot look but carries nothing out, each try is one more refusal that it counts.
LONGEST_RELAPSE_PAUSE_SECONDS = 60.0
LONGEST_CHANNEL_PAUSE_SECONDS = 30.0
# If so many channels fail one after the other it is an outage, even if others still answer.
FAILING_CHANNELS = 3
# The gateway shows the channel, but Discord refuses to: after a minute it counts as gone.
MOST_DENIALS = 7
# The channel can be read, but refuses each request: so many are tried before one fails for good.
MOST_REFUSALS = {
    error_codes.MISSING_ACCESS: 3,
    error_codes.UNKNOWN_CHANNEL: 6,
    error_codes.UNKNOWN_GUILD: 6,
}
# The channel only fails: the leader is told after an hour.
MOST_FAILURES = 125
GIVEN_UP_SECONDS = 300.0
# A pause is noted for so long, and ends earlier when the channel is back.
NOTED = timedelta(days=1)
# Discord's rate limits for messages have never been observed to last longer.
REMEMBERED = timedelta(seconds=5)
# A channel with fewer recent requests has a token left in every rate limit seen so far.
RESTING_REQUESTS = 4

Trouble = TransientError | PermanentError | None


@dataclass(slots=True)
class _Away:
    """Channels of one guild that are out of reach; one of them is asked for all."""

    guild_id: int | None
    since: datetime
    channels: dict[int, None] = field(default_factory=dict)
    back: asyncio.Event = field(default_factory=asyncio.Event)
    denials: int = 0
    failures: int = 0


class Outages:
    """Hears of every answer, asks Discord how much fails, and says which channels rest."""

    def __init__(
        self, transport: Transport, in_database: InDatabase, wake: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._in_database = in_database
        self._wake = wake
        self.paused_since: datetime | None = None
        # By the guild's id, or the channel's if its guild is not known, or Pause.EVERYTHING.
        self._relapses: Counter[int] = Counter()
        self._guild_ids: dict[int, int] = {}
        self._resting: set[tuple[int, bool]] = set()
        self._away: dict[int, _Away] = {}
        self._failing: dict[int, int] = {}
        self._refusals: Counter[int] = Counter()
        self._closed: set[int] = set()
        self._given_up: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- for the engine --------------------------------------------------------------------

    def resting(self) -> Resting:
        """Return the channels for no creates, and those for no edits and deletes."""
        away = [channel_id for away in self._away.values() for channel_id in away.channels]
        creates = [channel_id for channel_id, is_create in self._resting if is_create]
        changes = [channel_id for channel_id, is_create in self._resting if not is_create]
        return Resting([*away, *creates], [*away, *changes])

    def record_success(self, channel_id: int) -> None:
        """Note that Discord carried out a request in this channel."""
        self._failing.clear()
        self._relapses.pop(Pause.EVERYTHING, None)
        self._relapses.pop(self._guild_ids.get(channel_id, channel_id), None)
        self._refusals.pop(channel_id, None)
        self._closed.discard(channel_id)
        self._given_up.discard(channel_id)
        for away in self._away.values():
            if channel_id in away.channels:
                away.back.set()

    async def is_final(self, request: Request, error: PermanentError) -> bool:
        """Return whether the refusal is final, and not a sign that the channel's guild is away."""
        channel_id = request.channel_id
        if error_codes.about(error.code) is not About.CHANNEL:
            self._failing.clear()
            return True
        guild_id = await self._guild_of(channel_id)
        word = self._transport.word_on(channel_id, guild_id)
        if word is Word.AWAY or self._is_doubted(request, error.code, word):
            await self._leave_alone(channel_id, guild_id)
            return False
        self._failing.clear()
        return True

    def _is_doubted(self, request: Request, code: int, word: Word) -> bool:
        """Return whether the guild may be away before the gateway has said so."""
        if request.action == Attempt.Action.LOOK_UP and code == error_codes.MISSING_ACCESS:
            return word is Word.NONE  # the leader is asked, and can have it looked up again
        channel_id = request.channel_id
        if word is Word.UNREACHABLE or code not in MOST_REFUSALS or channel_id in self._closed:
            return False
        self._refusals[channel_id] += 1
        return self._refusals[channel_id] < MOST_REFUSALS[code]

    async def weigh(self, request: Request, error: TransientError) -> Weight:
        """Return what the error costs the delivery, and rest all that has to rest for it."""
        if error.rests is not None:
            await self._rest(request, error.rests, error.retry_after)
            return Weight.NOTHING
        if self.paused_since is not None or self._is_everything(await self._transport.trouble()):
            self._pause()
            return Weight.NOTHING
        channel_id = request.channel_id
        guild_id = await self._guild_of(channel_id)
        if await self._is_channel(channel_id, guild_id):
            if channel_id in self._given_up:
                return Weight.ALL
            await self._leave_alone(channel_id, guild_id)
            return Weight.NOTHING
        self._failing[channel_id] = guild_id or channel_id
        if len(self._failing) >= FAILING_CHANNELS:
            await self._too_many_fail(guild_id)
            return Weight.NOTHING
        return Weight.TRY if 500 <= error.code < 600 else Weight.SETBACK

    def guild_is_back(self, guild_id: int) -> None:
        """Note that the gateway shows the guild."""
        if guild_id in self._away:
            self._away[guild_id].back.set()
        self._closed = {one for one in self._closed if self._guild_ids.get(one) != guild_id}
        for channel_id in [one for one in self._refusals if self._guild_ids.get(one) == guild_id]:
            del self._refusals[channel_id]

    def rest_channels(self, channel_ids: Iterable[int], seconds: float) -> None:
        """Let these channels rest, because a limit there is used up."""
        for channel_id in channel_ids:
            for is_create in (True, False):
                self._rest_until_over(channel_id, seconds, is_create=is_create)

    def rest_used_up(self, recent: Iterable[tuple[int, datetime]], now: datetime) -> None:
        """Rest the channels whose limit these requests (channel id, begun) may have used up."""
        requests = list(recent)
        used, last = Counter(channel_id for channel_id, _begun in requests), dict(requests)
        for channel_id, requests_of_it in used.items():
            if requests_of_it >= RESTING_REQUESTS:
                seconds = (last[channel_id] + REMEMBERED - now).total_seconds()
                self.rest_channels([channel_id], seconds)

    async def remember(self, pauses: Collection[Pause], now: datetime) -> None:
        """Keep to the pauses that the bot before us noted."""
        for pause in pauses:
            seconds = (pause.until - now).total_seconds()
            if pause.channel_id == Pause.EVERYTHING:
                self._transport.rest(seconds)
                self._pause(seconds)
            elif pause.is_named:
                self._rest_until_over(pause.channel_id, seconds, is_create=pause.of_creates)
            else:
                await self._leave_alone(pause.channel_id, await self._guild_of(pause.channel_id))

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- named pauses ----------------------------------------------------------------------

    async def _rest(self, request: Request, rests: Rests, seconds: float) -> None:
        channel_id, is_create = request.channel_id, request.message_id is None
        match rests:
            case Rests.EVERYTHING:
                self._transport.rest(seconds)
                self._pause(seconds)
                await self._note([Pause.EVERYTHING], seconds)
            case Rests.CHANNEL:
                self._rest_until_over(channel_id, seconds, is_create=is_create)
                await self._note([channel_id], seconds, is_create)
            case Rests.GUILD:
                guild_id = await self._guild_of(channel_id)
                of_guild = [channel_id]
                if guild_id is not None:
                    of_guild = await self._ask_database(channels_of, guild_id) or of_guild
                self.rest_channels(of_guild, seconds)
                await self._note(of_guild, seconds, True)
                await self._note(of_guild, seconds, False)

    def _rest_until_over(self, channel_id: int, seconds: float, *, is_create: bool) -> None:
        rest = (channel_id, is_create)
        self._resting.add(rest)
        asyncio.get_running_loop().call_later(seconds, self._rested, rest)

    def _rested(self, rest: tuple[int, bool]) -> None:
        self._resting.discard(rest)
        self._wake()

    async def _note(
        self, channel_ids: Collection[int], seconds: float, is_create: bool = True
    ) -> None:
        until = clock.now() + timedelta(seconds=seconds)
        await self._ask_database(note_pauses, channel_ids, until, of_creates=is_create)

    # --- a channel, or a guild ---------------------------------------------------------------

    async def _is_channel(self, channel_id: int, guild_id: int | None) -> bool:
        """Return whether the channel fails, and not this request alone.

        If the channel only refuses, the next answer to a request says so itself.
        """
        trouble = await self._transport.trouble(channel_id)
        is_away = self._transport.word_on(channel_id, guild_id) is Word.AWAY
        return _is_trouble(trouble) and (is_away or isinstance(trouble, TransientError))

    async def _leave_alone(self, channel_id: int, guild_id: int | None) -> None:
        """Leave the channel alone until it answers, or the gateway says that its guild is back."""
        place = guild_id or channel_id
        away = self._away.get(place)
        if away is None:
            away = self._away[place] = _Away(guild_id, clock.now())
            self._start(self._recover_place(place, away), f"recovery of {place}")
        if channel_id not in away.channels:
            away.channels[channel_id] = None
            log.warning("channel %s is out of reach: it is left alone until it answers", channel_id)
            until = clock.now() + NOTED
            await self._ask_database(note_pauses, [channel_id], until, is_named=False)

    async def _recover_place(self, place: int, away: _Away) -> None:
        self._relapses[place] += 1
        for tries in count(self._relapses[place]):
            pause = min(pause_seconds(tries) / 2, LONGEST_CHANNEL_PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await away.back.wait()
            if away.back.is_set() or (self.paused_since is None and await self._is_over(away)):
                break
        # Written before a newer delivery can be claimed in these channels.
        ended: list[int] = []
        while ended != list(away.channels):
            ended = list(away.channels)
            await self._ask_database(end_rest, ended, away.guild_id, clock.now(), away.since)
        del self._away[place]
        log.info("the channels %s are tried again", ended)
        self._wake()

    async def _is_over(self, away: _Away) -> bool:
        """Return whether the channel answers, or has been asked often enough."""
        channel_id = next(iter(away.channels), None)
        if channel_id is None:
            return False
        trouble = await self._transport.trouble(channel_id)
        if not _is_trouble(trouble):
            return True
        word = self._transport.word_on(channel_id, away.guild_id)
        if word is Word.AWAY:
            return False
        if isinstance(trouble, PermanentError):
            away.denials += 1
            if word is Word.UNREACHABLE or away.denials >= MOST_DENIALS:
                self._closed.update(away.channels)
                return True
        away.failures += 1
        if away.failures >= MOST_FAILURES:
            self._give_up(list(away.channels))
            return True
        return False

    def _give_up(self, channel_ids: Collection[int]) -> None:
        """For some minutes let a failure in these channels be final; later ones wait anew."""
        self._given_up.update(channel_ids)
        asyncio.get_running_loop().call_later(
            GIVEN_UP_SECONDS, self._given_up.difference_update, channel_ids
        )

    async def _too_many_fail(self, guild_id: int | None) -> None:
        """Handle failing channels while Discord answers and lets the bot look."""
        failing, self._failing = self._failing, {}
        if set(failing.values()) != {guild_id}:
            self._pause()
            return
        for channel_id in failing:
            await self._leave_alone(channel_id, guild_id)

    # --- everything ------------------------------------------------------------------------

    def _is_everything(self, trouble: Trouble) -> bool:
        """Return whether everything fails; begin a pause if Discord asks for one.

        A limit on the question alone is no outage.
        """
        if isinstance(trouble, TransientError) and trouble.rests is Rests.EVERYTHING:
            self._pause(trouble.retry_after)
        return _is_trouble(trouble)

    def _pause(self, seconds: float = 0.0) -> None:
        """Send nothing until Discord answers, and for `seconds` in any case."""
        if self.paused_since is not None:
            return
        self.paused_since = clock.now()
        self._relapses[Pause.EVERYTHING] += 1
        log.warning("Discord fails: sending pauses until it answers")
        self._start(self._recover(self.paused_since, seconds), "recovery")

    async def _recover(self, since: datetime, seconds: float) -> None:
        relapses = self._relapses[Pause.EVERYTHING]
        longest = LONGEST_OUTAGE_PAUSE_SECONDS if relapses == 1 else LONGEST_RELAPSE_PAUSE_SECONDS
        for tries in count(relapses):
            await asyncio.sleep(max(seconds, min(pause_seconds(tries) / 2, longest)))
            trouble = await self._transport.trouble()
            if trouble is None:
                break
            seconds = trouble.retry_after if isinstance(trouble, TransientError) else 0.0
        self.paused_since = None
        self._failing.clear()
        log.info("Discord answers again: sending goes on")
        await self._ask_database(end_pauses, clock.now(), since)
        self._wake()

    # --- the rest --------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guild_of(self, channel_id: int) -> int | None:
        """Return the channel's guild, which never changes; None while nobody has seen it."""
        if channel_id not in self._guild_ids:
            guild_id = await self._ask_database(guild_of, channel_id)
            if guild_id is None:
                return None
            self._guild_ids[channel_id] = guild_id
        return self._guild_ids[channel_id]

    async def _ask_database(
        self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Return None if the database cannot answer: an outage is then found out anew."""
        try:
            return await self._in_database(work, *args, **kwargs)
        except Error as error:
            log.warning("the database does not answer: an outage is not noted (%s)", error)
        except DATA_ERRORS:
            log.exception("an outage cannot be noted")
        return None


def _is_trouble(trouble: Trouble) -> bool:
    """Return whether something fails. A limit on the question itself is an answer."""
    limited = isinstance(trouble, TransientError) and trouble.rests not in (
        None, Rests.EVERYTHING,
    )  # fmt: skip
    return trouble is not None and not limited
