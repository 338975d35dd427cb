"""Claim, send, record: the loop that brings deliveries to their channels, over any transport."""

import asyncio
import contextlib
import logging
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from django.db import (
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    reset_queries,
)
from django.utils import timezone

from notices import ledger
from notices.attachments import FileGoneError, files_for
from notices.ledger import Resting, Shards
from notices.models import DETAIL_LIMIT, Attempt, ErrorCode, Pause
from notices.outages import Outages
from notices.outcomes import Outcome, Weight
from notices.poison import DATA_ERRORS
from notices.transport import (
    Answer,
    File,
    PermanentError,
    Request,
    Told,
    TransientError,
    Transport,
)

log = logging.getLogger(__name__)

# A step is short: what was posted in a burst must not hold up what can go out already.
SWEEP_BATCH = 16
# What could not be swept is locked by qcluster, which may yet fail at it.
SWEEP_AGAIN = timedelta(seconds=0.05)
SAFETY_POLL = timedelta(seconds=5)
DATABASE_PAUSE_SECONDS = 0.5
DATABASE_PAUSE = timedelta(seconds=DATABASE_PAUSE_SECONDS)
DATABASE_AWAY = (OperationalError, InterfaceError)
# How much is stamped before it goes out: each is a look into the history after a crash.
AHEAD_SECONDS = 0.2
MOST_AHEAD = 256
# Nobody tells when it went out: answers may come seconds later, and more can go before.
REFILL = timedelta(seconds=AHEAD_SECONDS / 2)
MOST_IN_FLIGHT = 2000
# Requests that bring files, together: a line that is shared by more finishes none of them sooner,
# and each holds its files in memory, up to `attachments.MOST_BYTES_IN_ALL`.
FILES_AT_ONCE = 4
# Fewer recent requests than this leave every observed bucket a token.
RESTING_REQUESTS = 4
REMEMBERED_NONCES = 10_000

Kind = Attempt.Outcome
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Flight:
    """A claimed request on its way. It is settled once: by its answer, an error or the echo."""

    request: Request
    settled: bool = False
    settling: asyncio.Task[None] | None = None
    """Where its error was told before it was raised."""


@dataclass(frozen=True, slots=True)
class _Echo:
    nonce: str
    message_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class _Removal:
    """`code` is an `ErrorCode`: the message was deleted, or its embed removed."""

    channel_id: int
    message_id: int
    code: int


@dataclass(frozen=True, slots=True)
class _Plan:
    requests: list[Request]
    swept: bool
    sweep_again_at: datetime | None


class Engine:
    """One lane a channel, one request in flight in it; outcomes and claims in one database step."""

    def __init__(
        self, transport: Transport, *, rate: float, window: timedelta, shards: Shards | None = None
    ) -> None:
        self._transport = transport
        self._window = window
        self._shards = shards or Shards()
        self._ahead = int(min(max(8, rate * AHEAD_SECONDS), MOST_AHEAD))
        self._database = ThreadPoolExecutor(1, thread_name_prefix="database")
        self._awake = asyncio.Event()
        self._stopping = False
        self._lanes: dict[int, asyncio.Task[None]] = {}
        self._flights: dict[str, _Flight] = {}
        self._outcomes: list[Outcome] = []
        self._echoes: list[_Echo] = []
        self._removals: list[_Removal] = []
        self._emptied: set[int] = set()
        self._settled_nonces: OrderedDict[str, int | None] = OrderedDict()
        self._outages = Outages(transport, self.in_database, self._awake.set)
        self._turn_for_files = asyncio.Semaphore(FILES_AT_ONCE)
        self.active = True
        self._must_take_over = True

    @property
    def paused_since(self) -> datetime | None:
        """Since when nothing is sent, as Discord fails or has asked for a pause."""
        return self._outages.paused_since

    # --- for the worker --------------------------------------------------------------------

    def wake(self) -> None:
        """There may be new work."""
        self._awake.set()

    def set_active(self, active: bool) -> None:
        """Whether we are the one bot that sends. Whoever becomes it takes over what is claimed."""
        self.active = active
        self._must_take_over = self._must_take_over or active
        self._awake.set()

    def stop(self) -> None:
        """Finish what is in hand, take nothing more; `run` then returns."""
        self._stopping = True
        self._awake.set()

    def echo(self, nonce: str, message_id: int, revision: int) -> None:
        """The gateway showed a message of ours, new or edited."""
        if message_id in self._emptied:
            self._emptied.discard(message_id)
            self._removals = [one for one in self._removals if one.message_id != message_id]
        elif self._settled_nonces.get(nonce) == revision:
            return
        flight = self._flights.get(nonce)
        if flight is None or flight.settled:
            self._echoes.append(_Echo(nonce, message_id, revision))
            self._awake.set()
        elif _is_told_by(flight.request, revision):
            self._settle(flight, Kind.SHOWN, message_id=message_id, revision=revision)

    def removed(self, channel_id: int, message_ids: Collection[int], code: int) -> None:
        """The gateway told that somebody deleted messages, or removed the embed of one."""
        if code == ErrorCode.EMBED_REMOVED:
            self._emptied.update(message_ids)
        self._removals += [_Removal(channel_id, one, code) for one in message_ids]
        self._awake.set()

    def rest_channels(
        self, recent: list[tuple[int, datetime]], now: datetime, rest: timedelta
    ) -> None:
        """Leave channels alone whose limit our forerunner may have used up."""
        used = Counter(channel_id for channel_id, _begun in recent)
        last = dict(recent)
        for channel_id, count in used.items():
            if count >= RESTING_REQUESTS:
                seconds = (last[channel_id] + rest - now).total_seconds()
                self._outages.rest_channels([channel_id], seconds)

    async def remember_pauses(self, pauses: list[Pause], now: datetime) -> None:
        """What our forerunner was told to leave alone, or found away."""
        await self._outages.remember(pauses, now)

    def guild_is_back(self, guild_id: int) -> None:
        """The gateway says that a guild is there, as it is at each start."""
        self._outages.guild_is_back(guild_id)

    async def in_database(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the one thread that holds the database connection."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: _tidily(work, *args, **kwargs))

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
        # Where several were due, more may be due behind them.
        if plan.swept or (len(plan.requests) > 1 and self._room() > 0):
            return
        await self._sleep_until(await self._next_moment(plan))

    async def _exchange(self, room: int) -> _Plan | None:
        """Write what ended, claim what is next; null where the database does not answer."""
        outcomes, self._outcomes = self._outcomes, []
        echoes, self._echoes = self._echoes, []
        removals = self._take_removals()
        try:
            if self._must_take_over and self.active:
                await self._take_over(outcomes)
            return await self.in_database(
                self._write_and_claim,
                outcomes, echoes, removals, room, list(self._lanes), self._outages.resting(),
            )  # fmt: skip
        except DATABASE_AWAY as error:
            log.warning("the database does not answer: what ended is written later (%s)", error)
            # What was claimed may be committed for all we know.
            self._must_take_over = True
            self._outcomes = outcomes + self._outcomes
            self._echoes = echoes + self._echoes
            self._removals = removals + self._removals
            return None

    def _take_removals(self) -> list[_Removal]:
        """Where nothing is under way: else the answer that is awaited tells of the same message.

        A create may have made the very message, whose id nobody knows yet.
        """
        if not self._removals:
            return []
        flights = self._flights.values()
        under_way = {one.request.channel_id for one in flights if not one.settled}
        taken = [one for one in self._removals if one.channel_id not in under_way]
        self._removals = [one for one in self._removals if one.channel_id in under_way]
        return taken

    async def _take_over(self, outcomes: list[Outcome]) -> None:
        requests = [flight.request for flight in self._flights.values()]
        requests += [outcome.request for outcome in outcomes]
        in_hand = {request.claim for request in requests}
        await self.in_database(ledger.take_over, timezone.now(), self._shards, but=in_hand)
        self._must_take_over = False

    def _write_and_claim(
        self,
        outcomes: list[Outcome],
        echoes: list[_Echo],
        removals: list[_Removal],
        room: int,
        busy: list[int],
        resting: Resting,
    ) -> _Plan:
        """Runs in the database thread."""
        now = timezone.now()
        if outcomes and (echoes or removals):
            # They tell of what became of it after its answer.
            ledger.exchange(
                outcomes, now, limit=0, busy_channels=(), shards=self._shards, window=self._window
            )
            outcomes = []
        for echo in echoes:
            ledger.record_echo(echo.nonce, echo.message_id, echo.revision, now)
        if removals:
            ledger.record_removals({one.message_id: one.code for one in removals}, now)
        sweeps = self.active and not self._stopping
        swept, waiting = ledger.sweep(now, limit=SWEEP_BATCH) if sweeps else (0, 0)
        requests = ledger.exchange(
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
        """When there is more to do, unless something wakes us before."""
        now = timezone.now()
        moments = [now + SAFETY_POLL, plan.sweep_again_at]
        if self._transport.waiting:
            moments.append(now + REFILL)
        if self.active and not self._stopping:
            try:
                moments.append(await self.in_database(ledger.next_due, now, self._shards))
            except DATABASE_AWAY as error:
                log.warning("the database does not answer: trying again (%s)", error)
                moments.append(now + DATABASE_PAUSE)
            except DATA_ERRORS:
                log.exception("when the next request is due cannot be read")
        return min(moment for moment in moments if moment)

    async def _sleep_until(self, moment: datetime) -> None:
        seconds = (moment - timezone.now()).total_seconds()
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
                self._outages.works(request.channel_id)
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
            # A fault of ours must not take the other channels down with it.
            log.exception("delivery %s: the request failed in our own code", request.delivery_id)
            self._settle(flight, Kind.UNKNOWN, code=0, detail="internal error")

    async def _bring_files(self, flight: _Flight, answered: Callable[[Told], None]) -> None:
        """In its turn, and only if it is still to go out by then."""
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
        """Null where it is not to go out any more; the next claim knows what is."""
        since = request.unknown_since
        is_late = since is not None and timezone.now() - since >= self._window
        # An edit is no danger late; a create may by then be known to Discord no more.
        if self._stopping or (is_late and request.action == Attempt.Action.CREATE):
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
        self._settle(flight, kind, message_id=answer.message_id, revision=answer.revision)

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
        # Discord's words, whatever they hold: PostgreSQL would refuse the whole step for them.
        detail = detail.encode(errors="replace").decode().replace("\0", "")[:DETAIL_LIMIT]
        self._outcomes.append(
            Outcome(request=request, kind=kind, ended_at=timezone.now(), detail=detail, **result)
        )
        if kind == Kind.SHOWN:
            self._settled_nonces[request.nonce] = result["revision"]
            if len(self._settled_nonces) > REMEMBERED_NONCES:
                self._settled_nonces.popitem(last=False)
        log.info(
            "delivery %s: %s in channel %s: %s %s",
            request.delivery_id, request.action, request.channel_id, kind, detail,
        )  # fmt: skip
        self._awake.set()

    # --- the end ---------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Wait for the answers that are out; a lane that only rests holds nobody up."""
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


def _is_told_by(request: Request, revision: int) -> bool:
    """Whether a message that the gateway shows says how the request ended.

    Of an edit that leaves the files to the message the answer alone says which it has.
    """
    if request.message_id is None:
        return True
    return request.revision == revision and (request.brings_files or not request.attachments)


def _tidily(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return work(*args, **kwargs)
    except DATABASE_AWAY:
        close_old_connections()  # the next one connects anew where this one is lost
        raise
    finally:
        reset_queries()  # DEBUG keeps every query otherwise
