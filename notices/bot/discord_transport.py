"""Sends by discord.py: it uses the pacing of buckets, and turns retries and errors into ours."""

import asyncio
import contextlib
import io
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextvars import ContextVar
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import orjson
from discord.http import Route

from notices.advice import error_codes
from notices.advice.error_codes import Rests
from notices.bot.discord_errors import (
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    can_be_slept_out,
    is_json,
    read_error,
)
from notices.bot.discord_history import History
from notices.bot.pace import Brake, Pacer
from notices.delivery.identity import identify
from notices.delivery.message import is_emptied, why_cut_short
from notices.delivery.request import Answer, PermanentError, Request, Told, TransientError, Word
from notices.files.attached import are_shown
from notices.models import Attempt, ErrorCode
from notices.outside import clock

log = logging.getLogger(__name__)

FIRST_ERROR = 400
FIRST_SERVER_ERROR = 500
LARGEST_ID = 2**63 - 1
# Making a body raises these for text or numbers that JSON cannot hold.
UNWRITABLE = (TypeError, UnicodeError, OverflowError, RecursionError)
OLDER_THAN_ANY = 0
# A request that waited for so long is claimed anew, because its nonce's window may be over.
STALE_SECONDS = 30.0
WAITED_TOO_LONG = "it waited too long to go out"
# discord.py may sleep so long on a 429. A longer wait is claimed anew, so that a leader sees why
# and a stop does not wait for it.
LONGEST_SLEEP_SECONDS = 5.0
# The slowest line for files, in bytes a second: a mebibit. The time for a body is added to that for
# the answer, so that a slow upload is not cut off. The largest body stays within the five minutes
# after which aiohttp gives up.
SLOWEST_LINE = 128 * 1024


class _Exchange:
    """A request on its way through discord.py, as aiohttp's trace sees it."""

    def __init__(self, request: Request, answered: Callable[[Told], None]) -> None:
        self.request = request
        self.answered = answered
        self.made_at = clock.now()
        self.task = asyncio.current_task()
        self.begun = False
        self.timed_out = False
        self.timer: asyncio.TimerHandle | None = None
        self.answer: Answer | None = None
        self.has_opened = False
        self.error: TransientError | PermanentError | None = None

    @property
    def yields(self) -> bool:
        """Whether it waits for new messages, which go before edits and deletes."""
        return self.request.action in (Attempt.Action.EDIT, Attempt.Action.DELETE)

    @property
    def size(self) -> int:
        """The bytes of the files that it brings."""
        return sum(len(file.data) for file in self.request.files)

    def tell(self, answer: Answer) -> None:
        self.answer = answer
        self.answered(answer)

    def tell_error(self, error: TransientError | PermanentError) -> None:
        if (
            error.code == error_codes.UNKNOWN_MESSAGE
            and self.request.action == Attempt.Action.DELETE
        ):
            self.tell(Answer())  # it was deleted before
            return
        is_look = self.request.action == Attempt.Action.LOOK_UP
        if error.code == error_codes.ARCHIVED_THREAD and not (self.has_opened or is_look):
            return  # the thread is opened, and the request made once more
        self.error = error
        self.answered(error)

    def answer_told(self) -> Answer:
        if self.answer is None:
            raise ValueError(f"delivery {self.request.delivery_id}: an answer without a message")
        return self.answer

    def cut_off(self) -> None:
        self.timed_out = True
        if self.task is not None:
            self.task.cancel()

    def start_timer(self, seconds: float) -> None:
        self.stop_timer()
        self.timer = asyncio.get_running_loop().call_later(seconds, self.cut_off)

    def stop_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


# The trace runs in the task that sends, and finds its request here.
_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)
_is_probe: ContextVar[bool] = ContextVar("is_probe", default=False)
# Whether a timeout of ours ends the request. If it came in discord.py's sleep for a global limit,
# discord.py would keep that limit for good, and no request would go out any more.
_is_cut_off: ContextVar[bool] = ContextVar("is_cut_off", default=False)


class DiscordTransport:
    """Sends for the engine. The client gets `trace`, and this the client's `http` after login."""

    def __init__(
        self, *, rate: float, request_timeout: float, stale: float = STALE_SECONDS
    ) -> None:
        self.pacer = Pacer(rate)
        self.brake = Brake()
        self.trace = self._make_trace()
        self.http: discord.http.HTTPClient
        self.permissions_in: Callable[[int], int | None] = lambda _channel_id: None
        self.timed_out_until: Callable[[int], datetime | None] = lambda _channel_id: None
        self.word: Callable[[int, int | None], Word] = lambda _channel_id, _guild_id: Word.NONE
        self.waiting = 0
        self.active = True
        self._timeout = request_timeout
        self._stale = stale
        self._rests_until = 0.0

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        exchange = _Exchange(request, answered)
        exchange.start_timer(self._stale)
        token = _exchange.set(exchange)
        self.waiting += 1
        try:
            async with _our_errors(exchange):
                return await self._ask(request) or exchange.answer_told()
        finally:
            _exchange.reset(token)  # the task may ask Discord something else afterwards
            exchange.stop_timer()
            if not exchange.begun:
                self.waiting -= 1

    async def trouble(
        self, channel_id: int | None = None
    ) -> TransientError | PermanentError | None:
        """Return the error of a request that changes nothing, or None if it succeeds."""
        token, asker = _is_probe.set(True), _exchange.set(None)
        try:
            async with self._time_limit():
                return await self._look(channel_id)
        except (TransientError, PermanentError) as error:
            return error
        except Exception as error:
            return TransientError(f"no usable answer: {error!r}")
        finally:
            _is_probe.reset(token)
            _exchange.reset(asker)

    @contextlib.asynccontextmanager
    async def _time_limit(self) -> AsyncIterator[None]:
        """Raise TimeoutError if what is asked in the block takes longer than a request may."""
        token = _is_cut_off.set(True)
        try:
            async with asyncio.timeout(self._timeout):
                yield
        finally:
            _is_cut_off.reset(token)

    async def _look(self, channel_id: int | None) -> TransientError | None:
        if channel_id is None:
            is_usable = isinstance(await self.http.request(Route("GET", "/users/@me")), dict)
        else:
            route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
            is_usable = isinstance(await self.http.request(route, params={"limit": 1}), list)
        return None if is_usable else TransientError("no answer of Discord's")

    def word_on(self, channel_id: int, guild_id: int | None) -> Word:
        return self.word(channel_id, guild_id)

    def remember(self, begun: Iterable[datetime]) -> None:
        now, monotonic = clock.now(), clock.monotonic()
        self.pacer.remember(monotonic - (now - moment).total_seconds() for moment in begun)

    def rest(self, seconds: float) -> None:
        self._rests_until = max(self._rests_until, clock.monotonic() + seconds)

    async def _ask(self, request: Request) -> Answer | None:
        """Return the answer, or None if the trace has told it."""
        messages = "/channels/{channel_id}/messages"
        ids: dict[str, Any] = {
            "channel_id": request.channel_id,
            "message_id": request.message_id,
        }
        match request.action:
            case Attempt.Action.CREATE:
                self._wait_for_a_timeouts_end(request)
                self._refuse_what_is_cut_short(request)
                await self._request(Route("POST", messages, **ids), request)
            case Attempt.Action.EDIT:
                self._wait_for_a_timeouts_end(request)
                self._refuse_what_is_cut_short(request)
                await self._request(Route("PATCH", messages + "/{message_id}", **ids), request)
            case Attempt.Action.DELETE:
                await self._delete(Route("DELETE", messages + "/{message_id}", **ids), request)
            case Attempt.Action.LOOK_UP:
                history = History(self.http, self.permissions_in, self.word_on)
                return await history.look_up(request)
        return None

    async def _request(self, route: Route, request: Request) -> None:
        """Make the request; if its thread is archived, open the thread and repeat it."""
        try:
            await self.http.request(route, **_body(request))
        except discord.HTTPException as error:
            if error.code != error_codes.ARCHIVED_THREAD:
                raise
            self._wait_for_a_timeouts_end(request)
            await self._open_thread(request.channel_id)
            await self.http.request(route, **_body(request))

    async def _open_thread(self, channel_id: int) -> None:
        """Open the thread. If that is refused, raise it as the refusal of the request."""
        exchange = _exchange.get()
        if exchange is not None:
            exchange.has_opened = True
        asker = _exchange.set(None)  # its answer is not the request's
        try:
            async with self._time_limit():
                route = Route("PATCH", "/channels/{channel_id}", channel_id=channel_id)
                thread = await self.http.request(route, json={"archived": False})
            if not isinstance(thread, dict):
                raise TransientError("no answer of Discord's", code=ErrorCode.NOT_FROM_DISCORD)
        except discord.Forbidden as error:
            detail = f"the thread cannot be opened: {error.text}"
            if not error.code:  # a page of a proxy before Discord
                raise TransientError(detail, code=ErrorCode.NOT_FROM_DISCORD) from error
            raise PermanentError(detail, code=error_codes.ARCHIVED_THREAD) from error
        except TimeoutError as error:
            raise TransientError("no answer in time", done=False) from error
        finally:
            _exchange.reset(asker)

    def _wait_for_a_timeouts_end(self, request: Request) -> None:
        """Discord would refuse a create for good, as well as to open a thread.

        It would show only a part of an edit.
        """
        until = self.timed_out_until(request.channel_id)
        if until is not None:
            seconds = max(0.0, (until - clock.now()).total_seconds())
            detail = f"timed out until {until:%Y-%m-%d %H:%M:%S} UTC"
            raise TransientError(
                detail, code=ErrorCode.TIMED_OUT, retry_after=seconds, rests=Rests.MESSAGE
            )

    def _refuse_what_is_cut_short(self, request: Request) -> None:
        """Readers are to see all of a message, or nothing."""
        bits = self.permissions_in(request.channel_id)
        if bits is None:
            return
        is_new = request.action == Attempt.Action.CREATE
        if reason := why_cut_short(request.payload or {}, bits, is_new=is_new):
            raise PermanentError(reason, code=50013)

    async def _delete(self, route: Route, request: Request) -> None:
        try:
            await self._request(route, request)
        except discord.NotFound:
            exchange = _exchange.get()
            if exchange is None or exchange.answer is None:
                raise

    # --- aiohttp's trace -------------------------------------------------------------------

    def _make_trace(self) -> aiohttp.TraceConfig:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._before_request)
        trace.on_request_end.append(self._on_headers)
        trace.on_response_chunk_received.append(self._on_body)
        trace.on_request_exception.append(_on_exception)
        return trace

    async def _before_request(
        self, _session: Any, _context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        """Let every request take its turn, discord.py's retries too, but not interactions."""
        if "/interactions/" in params.url.path or "/webhooks/" in params.url.path:
            return
        if params.url.path.startswith("/gateway") or params.url.scheme in {"ws", "wss"}:
            return
        exchange = _exchange.get()
        await self.brake.hold()
        await self.pacer.turn(yields=exchange is not None and exchange.yields)
        if (rest := self._rests_until - clock.monotonic()) > 0:
            raise TransientError(
                "rate limited", code=TOO_MANY_REQUESTS, retry_after=rest, rests=Rests.EVERYTHING
            )
        if exchange is not None:
            if not self.active:
                raise TransientError("another bot is the active one now", done=False)
            now = clock.now()
            is_stale = (now - exchange.made_at).total_seconds() > self._stale
            if is_stale or exchange.request.is_late(now):
                raise TransientError(WAITED_TOO_LONG, done=False)
            if not exchange.begun:
                exchange.begun = True
                self.waiting -= 1
            exchange.start_timer(self._timeout + exchange.size / SLOWEST_LINE)

    async def _on_headers(
        self, _session: Any, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        status, headers = params.response.status, params.response.headers
        if status in {401, 403} or (status == 429 and headers.get("X-RateLimit-Scope") != "shared"):
            self.brake.count()
        context.status, context.headers = status, headers

    async def _on_body(
        self,
        _session: Any,
        context: SimpleNamespace,
        params: aiohttp.TraceResponseChunkReceivedParams,
    ) -> None:
        """Tell the answer at once, because discord.py may go on to sleep or to retry."""
        exchange = _exchange.get()
        if exchange is not None:
            exchange.stop_timer()
        if context.status >= FIRST_ERROR:
            self._on_error(exchange, context, params.chunk)
        if exchange is None or context.status not in {200, 201, 204}:
            return
        if exchange.request.action in (Attempt.Action.CREATE, Attempt.Action.EDIT):
            exchange.tell(_read(orjson.loads(params.chunk), exchange.request))
        elif exchange.request.action == Attempt.Action.DELETE and context.status == 204:
            exchange.tell(Answer())

    def _on_error(self, exchange: _Exchange | None, context: SimpleNamespace, body: bytes) -> None:
        """Tell the error, and raise it if discord.py would sleep or retry for too long.

        discord.py counts an answer against its buckets before it raises, so the rest is left to it.
        """
        status, headers = context.status, context.headers
        is_limit = status == TOO_MANY_REQUESTS
        is_short = is_limit and can_be_slept_out(headers, body, LONGEST_SLEEP_SECONDS)
        if is_short and not _is_cut_off.get():
            return
        is_page_at_login = status == UNAUTHORIZED and not is_json(headers, body)
        if exchange is None and not (is_limit or _is_probe.get() or is_page_at_login):
            return
        # A request of discord.py or a probe changes nothing, so it is judged like a look-up.
        action = exchange.request.action if exchange else Attempt.Action.LOOK_UP
        error = read_error(status, headers, body, action)
        if isinstance(error, TransientError) and error.rests is Rests.EVERYTHING:
            self.rest(error.retry_after)
        if exchange is not None:
            exchange.tell_error(error)
        if is_limit or is_page_at_login or status >= FIRST_SERVER_ERROR or _is_probe.get():
            raise error


async def _on_exception(
    _session: Any, _context: SimpleNamespace, _params: aiohttp.TraceRequestExceptionParams
) -> None:
    if exchange := _exchange.get():
        exchange.stop_timer()


def _body(request: Request) -> dict[str, Any]:
    """Return arguments for discord.py's `request`, which rewinds the files before a retry."""
    if request.payload is None:
        return {}
    if not request.files:
        return {"json": request.payload}
    files = [discord.File(io.BytesIO(file.data), file.name) for file in request.files]
    parts: list[dict[str, Any]] = [
        {
            "name": f"files[{n}]",
            "value": file.fp,
            "filename": sent.name,
            "content_type": sent.content_type,
        }
        for n, (file, sent) in enumerate(zip(files, request.files, strict=True))
    ]
    payload = {"name": "payload_json", "value": orjson.dumps(request.payload).decode()}
    return {"form": [payload, *parts], "files": files}


def _read(message: dict[str, Any], request: Request) -> Answer:
    """Read what the channel shows off the answer, which may have an older revision.

    Somebody may have removed what says whose message it is. It is then the message that was sent.
    """
    message_id = int(message["id"])
    if not 0 < message_id <= LARGEST_ID:
        raise ValueError(f"no message has the id {message_id}")
    found = identify(message) or identify(request.payload or {})
    keeps_files = request.message_id is not None and not request.brings_files
    if keeps_files and request.attachments and not are_shown(message, request.attachments):
        # The words are new and the files are old: the next edit has to bring the files.
        return Answer(message_id, OLDER_THAN_ANY)
    revision = found.revision if found else None
    return Answer(message_id, revision, is_emptied(message, sent=request.payload))


@contextlib.asynccontextmanager
async def _our_errors(exchange: _Exchange) -> AsyncIterator[None]:
    """Turn whatever goes wrong into one of the two errors of a request."""
    try:
        yield
    except (TransientError, PermanentError):
        raise
    except asyncio.CancelledError:
        if not exchange.timed_out or exchange.task is None:
            raise
        exchange.task.uncancel()
        if not exchange.begun:
            raise TransientError(WAITED_TOO_LONG, done=False) from None
        raise TransientError("no answer in time", done=None) from None
    except aiohttp.ClientConnectorError as error:
        raise TransientError(f"no connection: {error}") from error
    except Exception as error:
        if exchange.error is not None:
            raise exchange.error from error
        if not exchange.begun and isinstance(error, UNWRITABLE):
            # Only its own data can have stopped it.
            log.exception("delivery %s: cannot be sent", exchange.request.delivery_id)
            raise PermanentError(repr(error), code=ErrorCode.UNSENDABLE) from error
        # Discord may have read the request before the connection ended, or its answer made no
        # sense.
        raise TransientError(f"no usable answer: {error!r}", done=None) from error
