"""Claim, send, record: the loop that brings deliveries to their channels, over any transport."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    reset_queries,
)

from notices.bot.database_thread import P, T
from notices.bot.files import FileGoneError, files_for
from notices.bot.gateway_news import GatewayNews, News, is_told_by
from notices.bot.outages import REMEMBERED, Outages
from notices.delivery.due import Resting, Shards, next_due
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import sweep
from notices.delivery.outcomes import Outcome, Weight
from notices.delivery.poison import DATA_ERRORS
from notices.delivery.recovery import pauses, recent_requests, take_over
from notices.delivery.request import (
    Answer,
    File,
    PermanentError,
    Request,
    Told,
    TransientError,
    Transport,
)
from notices.models import Attempt, ErrorCode
from notices.outside import clock
from notices.tables.limits import DETAIL_LIMIT

log = logging.getLogger(__name__)

# A step is short, so that a burst of new notices does not hold up what is due already.
SWEEP_BATCH = 16
# qcluster has locked the notices that the sweep leaves out, and its task may yet fail.
SWEEP_AGAIN = timedelta(seconds=0.05)
SAFETY_POLL = timedelta(seconds=5)
DATABASE_PAUSE_SECONDS = 0.5
DATABASE_PAUSE = timedelta(seconds=DATABASE_PAUSE_SECONDS)
DATABASE_AWAY = (OperationalError, InterfaceError)
# After a crash, each request that was claimed ahead costs a look into its channel's history.
AHEAD_SECONDS = 0.2
MOST_AHEAD = 256
# The transport does not tell when a request goes out: the engine looks again before the answers
# come, to claim the next ones.
REFILL = timedelta(seconds=AHEAD_SECONDS / 2)
MOST_IN_FLIGHT = 2000
# Requests with files share one line: more at once would finish none sooner. Each holds its files in
# memory, up to `attached.MOST_BYTES_IN_ALL`.
FILES_AT_ONCE = 4

Kind = Attempt.Outcome


@dataclass(slots=True)
class _Flight:
    """A claimed request on its way. Its answer, an error or the echo settles it, once."""

    request: Request
    settled: bool = False
    settling: asyncio.Task[None] | None = None
    """The task that settles an error which was told before it was raised."""


@dataclass(frozen=True, slots=True)
class _Plan:
    requests: list[Request]
    swept: bool
    sweep_again_at: datetime | None


class Engine:
    """Runs one lane for each channel; one database step writes outcomes and makes claims."""

    def __init__(
        self,
        transport: Transport,
        *,
        rate: float,
        window: timedelta,
        shards: Shards | None = None,
        database: Executor | None = None,
    ) -> None:
        """`database` runs all that asks the database, one after the other: a thread by default."""
        self._transport = transport
        self._window = window
        self._shards = shards or Shards()
        self._ahead = int(min(max(8, rate * AHEAD_SECONDS), MOST_AHEAD))
        self._waits_longest = timedelta(seconds=self._ahead / rate)
        self._database = database or ThreadPoolExecutor(1, thread_name_prefix="database")
        self._awake = asyncio.Event()
        self._stopping = False
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._flights: dict[str, _Flight] = {}
        self._outcomes: list[Outcome] = []
        self._news = GatewayNews()
        self._outages = Outages(transport, self.in_database, self._awake.set)
        self._turn_for_files = asyncio.Semaphore(FILES_AT_ONCE)
        self.active = True
        self._must_take_over = True
        self._others_have_sent = False

    @property
    def paused_since(self) -> datetime | None:
        """Since when nothing is sent, because Discord fails or asked for a pause."""
        return self._outages.paused_since

    # --- for the worker --------------------------------------------------------------------

    def wake(self) -> None:
        """Look for new work."""
        self._awake.set()

    def set_active(self, active: bool) -> None:
        """Set whether we are the one bot that sends; who becomes it takes over the claims."""
        self._others_have_sent = self._others_have_sent or (active and not self.active)
        self.active = active
        self._must_take_over = self._must_take_over or active
        self._awake.set()

    def stop(self) -> None:
        """Finish what is in hand and claim nothing more; `run` then returns."""
        self._stopping = True
        self._awake.set()

    def echo(self, nonce: str, message_id: int, revision: int) -> None:
        """Note that the gateway showed a message of ours, new or edited."""
        if not self._news.restore(message_id) and self._news.is_settled(nonce, revision):
            return
        flight = self._flights.get(nonce)
        if flight is None or flight.settled:
            self._news.add_echo(nonce, message_id, revision)
            self._awake.set()
        elif is_told_by(flight.request, revision):
            self._settle(flight, Kind.SHOWN, message_id=message_id, revision=revision)

    def removed(self, channel_id: int, message_ids: Collection[int], code: int) -> None:
        """The gateway told that somebody deleted messages, or emptied one."""
        self._news.add_removals(channel_id, message_ids, code)
        self._awake.set()

    async def keep_to_limits(self) -> None:
        """Load the recent requests of others, which count against the same rate limits."""
        now = clock.now()
        recent = await self.in_database(recent_requests, now - REMEMBERED)
        self._others_have_sent = False
        # Written down when it was claimed, each went out a little later.
        gone_out = (min(now, begun + self._waits_longest) for _channel, begun in recent)
        self._transport.remember(gone_out)
        self._outages.rest_used_up(recent, now)

    async def keep_to_pauses(self) -> None:
        """Load the pauses that Discord named to the bot before us, ahead of the first request."""
        now = clock.now()
        await self._outages.remember(await self.in_database(pauses, now, self._shards), now)

    def guild_is_back(self, guild_id: int) -> None:
        """Note that the gateway shows a guild. It shows every guild at each start."""
        self._outages.guild_is_back(guild_id)

    async def in_database(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the one thread that holds the database connection."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: _run_work(work, *args, **kwargs))

    async def run(self) -> None:
        try:
            while not self._stopping:
                await self._step()
            await self._finish()
        finally:
            await self._end_lanes()
            self._database.submit(connections.close_all)
            self._database.shutdown()

    # --- the loop --------------------------------------------------------------------------

    async def _step(self) -> None:
        self._awake.clear()
        plan = await self._exchange(self._room())
        if plan is None:
            await asyncio.sleep(DATABASE_PAUSE_SECONDS)
            return
        for request in plan.requests:
            self._start(request)
        # If several were due, more may be due behind them.
        if plan.swept or (len(plan.requests) > 1 and self._room() > 0):
            return
        await self._sleep_until(await self._next_moment(plan))

    async def _exchange(self, room: int) -> _Plan | None:
        """Write outcomes and make claims; return None if the database does not answer."""
        outcomes, self._outcomes = self._outcomes, []
        news = self._take_news()
        try:
            if self._must_take_over and self.active:
                await self._take_over(outcomes)
            return await self.in_database(
                self._write_and_claim,
                outcomes, news, room, list(self._lanes), self._outages.resting(),
            )  # fmt: skip
        except DATABASE_AWAY as error:
            log.warning("the database does not answer: what ended is written later (%s)", error)
            # The database may have committed the claims all the same.
            self._must_take_over = True
            self._outcomes = outcomes + self._outcomes
            self._news.put_back(news)
            return None

    def _take_news(self) -> News:
        flights = self._flights.values()
        return self._news.take(one.request.channel_id for one in flights if not one.settled)

    async def _take_over(self, outcomes: list[Outcome]) -> None:
        requests = [flight.request for flight in self._flights.values()]
        requests += [outcome.request for outcome in outcomes]
        in_hand = {request.claim for request in requests}
        if self._others_have_sent:
            await asyncio.sleep(1)  # their last second, of which the attempts tell not all
            await self.keep_to_limits()
        await self.in_database(take_over, clock.now(), self._shards, but=in_hand)
        self._must_take_over = False

    def _write_and_claim(
        self,
        outcomes: list[Outcome],
        news: News,
        room: int,
        busy: list[int],
        resting: Resting,
    ) -> _Plan:
        """Write in the database thread."""
        now = clock.now()
        if outcomes and news:
            # The news is about messages after their answers, so the answers are written first.
            exchange(
                outcomes, now, limit=0, busy_channels=(), shards=self._shards, window=self._window
            )
            outcomes = []
        news.write(now)
        sweeps = self.active and not self._stopping
        swept, waiting = sweep(now, limit=SWEEP_BATCH) if sweeps else (0, 0)
        requests = exchange(
            outcomes,
            now,
            limit=room,
            busy_channels=busy,
            shards=self._shards,
            window=self._window,
            resting=resting,
        )
        return _Plan(requests, bool(swept), now + SWEEP_AGAIN if waiting else None)

    async def _next_moment(self, plan: _Plan) -> datetime:
        """Return when there is more to do, unless something wakes us before."""
        now = clock.now()
        moments = [now + SAFETY_POLL, plan.sweep_again_at]
        if self._transport.waiting:
            moments.append(now + REFILL)
        if self.active and not self._stopping:
            try:
                moments.append(await self.in_database(next_due, now, self._shards))
            except DATABASE_AWAY as error:
                log.warning("the database does not answer: trying again (%s)", error)
                moments.append(now + DATABASE_PAUSE)
            except DATA_ERRORS:
                log.exception("when the next request is due cannot be read")
        return min(moment for moment in moments if moment)

    async def _sleep_until(self, moment: datetime) -> None:
        seconds = (moment - clock.now()).total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._awake.wait()

    def _room(self) -> int:
        if self.paused_since or self._stopping or not self.active:
            return 0
        in_flight = MOST_IN_FLIGHT - len(self._lanes)
        return min(self._ahead - self._transport.waiting, in_flight)

    # --- lanes -----------------------------------------------------------------------------

    def _start(self, request: Request) -> None:
        flight = _Flight(request)
        self._flights[request.nonce] = flight
        lane = asyncio.create_task(self._fly(flight), name=f"channel {request.channel_id}")
        self._lanes[request.channel_id] = lane
        lane.add_done_callback(lambda _task: self._free(flight))

    def _free(self, flight: _Flight) -> None:
        self._lanes.pop(flight.request.channel_id, None)
        self._flights.pop(flight.request.nonce, None)
        self._awake.set()

    async def _fly(self, flight: _Flight) -> None:
        request = flight.request

        def answered(told: Told) -> None:
            if isinstance(told, Answer):
                self._outages.record_success(request.channel_id)
                self._settle_answer(flight, told)
            elif flight.settling is None:
                flight.settling = asyncio.create_task(self._settle_error(flight, told))

        try:
            if request.brings_files:
                await self._bring_files(flight, answered)
            else:
                answered(await self._transport.perform(request, answered))
        except (PermanentError, TransientError) as error:
            await (flight.settling or self._settle_error(flight, error))
        except Exception:
            # An error in our own code must not end the other lanes.
            log.exception("delivery %s: the request failed in our own code", request.delivery_id)
            self._settle(flight, Kind.UNKNOWN, code=0, detail="internal error")

    async def _bring_files(self, flight: _Flight, answered: Callable[[Told], None]) -> None:
        """Read the files when their turn comes, and send if the request is still wanted then."""
        request = flight.request
        async with self._turn_for_files:
            try:
                files = await self._files_for(request)
            except FileGoneError as error:
                raise PermanentError(str(error), code=ErrorCode.FILE_GONE) from error
            except DATA_ERRORS as error:
                log.exception("delivery %s: its files cannot be read", request.delivery_id)
                raise PermanentError(repr(error), code=ErrorCode.UNSENDABLE) from error
            if files is None:
                self._settle(
                    flight, Kind.TRANSIENT, detail="it waited too long", weight=Weight.NOTHING
                )
            else:
                carried = replace(request, files=files)
                answered(await self._transport.perform(carried, answered))

    async def _files_for(self, request: Request) -> tuple[File, ...] | None:
        """Return None if the request is not to go out any more; the next claim decides anew."""
        if self._stopping or request.is_late(clock.now()):
            return None
        try:
            return await self.in_database(files_for, request)
        except DATABASE_AWAY as error:
            log.warning("delivery %s: its files cannot be read (%s)", request.delivery_id, error)
            return None

    def _settle_answer(self, flight: _Flight, answer: Answer) -> None:
        if answer.shown:
            kind = Kind.SHOWN
        elif flight.request.action == Attempt.Action.LOOK_UP:
            kind = Kind.ABSENT
        else:
            kind = Kind.GONE
        self._settle(
            flight, kind, message_id=answer.message_id, revision=answer.revision,
            is_emptied=answer.is_emptied,
        )  # fmt: skip
        if answer.message_id is not None and answer.is_emptied:
            # The echo, which may have settled it before, does not tell that.
            channel_id = flight.request.channel_id
            self.removed(channel_id, [answer.message_id], ErrorCode.MESSAGE_EMPTIED)

    async def _settle_error(self, flight: _Flight, error: TransientError | PermanentError) -> None:
        if flight.settled:
            return
        if isinstance(error, TransientError):
            await self._settle_transient(flight, error)
        elif not self.active or await self._outages.is_final(flight.request, error):
            self._settle(flight, Kind.REFUSED, code=error.code, detail=error.detail)
        else:
            self._settle(
                flight,
                Kind.TRANSIENT,
                code=ErrorCode.SERVER_AWAY,
                detail=error.detail,
                weight=Weight.NOTHING,
            )

    async def _settle_transient(self, flight: _Flight, error: TransientError) -> None:
        weight = Weight.NOTHING
        if self.active:
            weight = await self._outages.weigh(flight.request, error)
        self._settle(
            flight,
            Kind.TRANSIENT if error.done is False else Kind.UNKNOWN,
            code=error.code,
            detail=error.detail,
            retry_after=error.retry_after,
            weight=weight,
        )

    def _settle(self, flight: _Flight, kind: str, *, detail: str = "", **result: Any) -> None:
        if flight.settled:
            return
        flight.settled = True
        request = flight.request
        # Discord's text may hold what PostgreSQL refuses, which would fail the whole step.
        detail = detail.encode(errors="replace").decode().replace("\0", "")[:DETAIL_LIMIT]
        self._outcomes.append(
            Outcome(request=request, kind=kind, ended_at=clock.now(), detail=detail, **result)
        )
        if kind == Kind.SHOWN:
            self._news.remember_settled(request.nonce, result["revision"])
        log.info(
            "delivery %s: %s in channel %s: %s %s",
            request.delivery_id, request.action, request.channel_id, kind, detail,
        )  # fmt: skip
        self._awake.set()

    # --- the end ---------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Wait for the answers under way, but not for lanes that only rest."""
        while any(not flight.settled for flight in self._flights.values()):
            self._awake.clear()
            await self._awake.wait()
        for _try in range(10):
            if await self._exchange(0) is not None:
                return
            await asyncio.sleep(DATABASE_PAUSE_SECONDS)
        log.error("the database does not answer: the next bot looks up what was not written")

    async def _end_lanes(self) -> None:
        tasks = list(self._lanes.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._outages.close()


def _run_work(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return work(*args, **kwargs)
    except DATABASE_AWAY:
        close_old_connections()  # a lost connection is replaced by the next use
        raise
    finally:
        reset_queries()  # with DEBUG, Django keeps every query
