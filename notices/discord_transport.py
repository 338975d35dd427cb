"""Sending by discord.py: its pacing of buckets is used, its retries and errors become ours."""

import asyncio
import contextlib
import io
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import orjson
from discord.http import Route
from django.utils import timezone

from notices import codes
from notices.attachments import are_shown
from notices.codes import Rests
from notices.discord_errors import (
    TOO_MANY_REQUESTS,
    UNAUTHORIZED,
    can_be_slept_out,
    is_json,
    read_error,
)
from notices.embeds import read_marker
from notices.models import Attempt, ErrorCode
from notices.pace import Brake, Pacer
from notices.permissions import EMBED_LINKS, READ_MESSAGE_HISTORY, VIEW_CHANNEL
from notices.transport import Answer, PermanentError, Request, Told, TransientError, Word

log = logging.getLogger(__name__)

FIRST_ERROR = 400
FIRST_SERVER_ERROR = 500
LARGEST_ID = 2**63 - 1
# What making a body raises for text, or numbers, that cannot be written as JSON.
DATA_ERRORS = (TypeError, UnicodeError, OverflowError, RecursionError)
OLDER_THAN_ANY = 0
VIEW_AND_READ_HISTORY = VIEW_CHANNEL | READ_MESSAGE_HISTORY
# Clocks differ: a message's id holds Discord's time, an attempt ours. Looking further back costs
# a page or so, looking too little would double the notice.
CLOCK_SKEW = timedelta(minutes=10)
# A request that could not go out for so long is claimed anew: its nonce's window may be over.
STALE_SECONDS = 30.0
WAITED_TOO_LONG = "it waited too long to go out"
# How long discord.py may sleep on a 429. What has to wait longer is claimed anew: a leader sees
# why, and a stop does not wait for it.
LONGEST_SLEEP_SECONDS = 5.0
# The slowest line that files are sent over, in bytes a second: a mebibit. Time for their bodies
# comes on top of that for the answer, since what moves is not cut off; with the largest body
# it stays within the five minutes after which aiohttp gives up.
SLOWEST_LINE = 128 * 1024
# What stands in an archived thread can be changed once the thread is open.
ARCHIVED_THREAD = 50083
HISTORY_PAGE = 100
HISTORY_PAGES = 10


class _Exchange:
    """A request of ours on its way through discord.py, seen from aiohttp's trace."""

    def __init__(self, request: Request, answered: Callable[[Told], None]) -> None:
        self.request = request
        self.answered = answered
        self.made_at = time.time()
        self.task = asyncio.current_task()
        self.begun = False
        self.timed_out = False
        self.timer: asyncio.TimerHandle | None = None
        self.answer: Answer | None = None
        self.has_opened = False
        self.error: TransientError | PermanentError | None = None

    @property
    def yields(self) -> bool:
        """What was never shown goes before what is only to change."""
        return self.request.action in (Attempt.Action.EDIT, Attempt.Action.DELETE)

    @property
    def size(self) -> int:
        """Bytes of the files that it brings."""
        return sum(len(file.data) for file in self.request.files)

    def tell(self, answer: Answer) -> None:
        self.answer = answer
        self.answered(answer)

    def tell_error(self, error: TransientError | PermanentError) -> None:
        if error.code == codes.UNKNOWN_MESSAGE and self.request.action == Attempt.Action.DELETE:
            self.tell(Answer())  # gone already
            return
        is_look = self.request.action == Attempt.Action.LOOK_UP
        if error.code == ARCHIVED_THREAD and not (self.has_opened or is_look):
            return  # it is opened, and asked once more
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


# The trace runs in the task that sends: this tells it for which delivery.
_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)
_is_probe: ContextVar[bool] = ContextVar("is_probe", default=False)


class DiscordTransport:
    """The seam to Discord. Give `trace` to the client, and its `http` to this once it logged in."""

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
            _exchange.reset(token)  # the task may go on to ask Discord something else
            exchange.stop_timer()
            if not exchange.begun:
                self.waiting -= 1

    async def trouble(
        self, channel_id: int | None = None
    ) -> TransientError | PermanentError | None:
        """Nothing that comes back is an error of ours."""
        token, asker = _is_probe.set(True), _exchange.set(None)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._look(channel_id)
        except (TransientError, PermanentError) as error:
            return error
        except Exception as error:
            return TransientError(f"no usable answer: {error!r}")
        finally:
            _is_probe.reset(token)
            _exchange.reset(asker)

    async def _look(self, channel_id: int | None) -> TransientError | None:
        if channel_id is None:
            is_usable = isinstance(await self.http.request(Route("GET", "/users/@me")), dict)
        else:
            route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
            is_usable = isinstance(await self.http.request(route, params={"limit": 1}), list)
        return None if is_usable else TransientError("no answer of Discord's")

    def word_on(self, channel_id: int, guild_id: int | None) -> Word:
        return self.word(channel_id, guild_id)

    def rest(self, seconds: float) -> None:
        self._rests_until = max(self._rests_until, time.monotonic() + seconds)

    async def _ask(self, request: Request) -> Answer | None:
        """Null where the trace has told the answer."""
        messages = "/channels/{channel_id}/messages"
        ids: dict[str, Any] = {
            "channel_id": request.channel_id,
            "message_id": request.message_id,
        }
        match request.action:
            case Attempt.Action.CREATE:
                self._wait_for_a_timeouts_end(request)
                self._refuse_a_bare_ping(request)
                await self._request(Route("POST", messages, **ids), request)
            case Attempt.Action.EDIT:
                self._wait_for_a_timeouts_end(request)
                self._refuse_a_bare_ping(request)
                await self._request(Route("PATCH", messages + "/{message_id}", **ids), request)
            case Attempt.Action.DELETE:
                await self._delete(Route("DELETE", messages + "/{message_id}", **ids), request)
            case Attempt.Action.LOOK_UP:
                return await self._look_up(request)
        return None

    async def _request(self, route: Route, request: Request) -> None:
        """Once more where it was in an archived thread, which is opened for it."""
        try:
            await self.http.request(route, **_body(request))
        except discord.HTTPException as error:
            if error.code != ARCHIVED_THREAD:
                raise
            await self._open_thread(request.channel_id)
            await self.http.request(route, **_body(request))

    async def _open_thread(self, channel_id: int) -> None:
        """Raise the refusal of what was asked where this is refused, too."""
        exchange = _exchange.get()
        if exchange is not None:
            exchange.has_opened = True
        asker = _exchange.set(None)  # its answer is not the one that is waited for
        try:
            async with asyncio.timeout(self._timeout):
                route = Route("PATCH", "/channels/{channel_id}", channel_id=channel_id)
                await self.http.request(route, json={"archived": False})
        except discord.Forbidden as error:
            detail = f"the thread cannot be opened: {error.text}"
            if not error.code:  # a page of whatever stands before Discord
                raise TransientError(detail, code=ErrorCode.NOT_FROM_DISCORD) from error
            raise PermanentError(detail, code=ARCHIVED_THREAD) from error
        except TimeoutError as error:
            raise TransientError("no answer in time", done=False) from error
        finally:
            _exchange.reset(asker)

    def _wait_for_a_timeouts_end(self, request: Request) -> None:
        """Discord would refuse it for good, and an edit would lose its embed."""
        until = self.timed_out_until(request.channel_id)
        if until is not None:
            seconds = max(0.0, (until - timezone.now()).total_seconds())
            detail = f"timed out until {until:%Y-%m-%d %H:%M:%S} UTC"
            raise TransientError(
                detail, code=ErrorCode.TIMED_OUT, retry_after=seconds, rests=Rests.MESSAGE
            )

    def _refuse_a_bare_ping(self, request: Request) -> None:
        """Without Embed Links Discord drops the embed, and shows the ping that is left."""
        if not (request.payload or {}).get("content"):
            return
        bits = self.permissions_in(request.channel_id)
        if bits is None or bits & EMBED_LINKS:
            return
        raise PermanentError("the bot may not embed links", code=50013)

    async def _delete(self, route: Route, request: Request) -> None:
        try:
            await self._request(route, request)
        except discord.NotFound:
            exchange = _exchange.get()
            if exchange is None or exchange.answer is None:
                raise

    async def _look_up(self, request: Request) -> Answer:
        """Read on from where the lost create began until the marker, or the end, is found."""
        if request.unknown_since is None:
            raise ValueError(f"delivery {request.delivery_id}: nothing of it is unknown")
        bits = self.permissions_in(request.channel_id)
        if bits is not None and bits & VIEW_AND_READ_HISTORY != VIEW_AND_READ_HISTORY:
            # Discord would answer with an empty list, which says nothing.
            raise PermanentError("the bot may not read the channel's history", code=50013)
        after = discord.utils.time_snowflake(request.unknown_since - CLOCK_SKEW)
        is_readable = bits is not None
        for _page in range(HISTORY_PAGES):
            page = await self._history(request.channel_id, after=str(after), limit=HISTORY_PAGE)
            for message in page:
                if (found := read_marker(message)) and found[0] == request.nonce:
                    return Answer(int(message["id"]), found[1])
            is_readable = is_readable or bool(page)
            if len(page) < HISTORY_PAGE:
                if not is_readable:
                    await self._refuse_if_not_readable(request.channel_id)
                return Answer()
            after = max(int(message["id"]) for message in page)
        raise PermanentError("too many messages came after it", code=50013)

    async def _history(self, channel_id: int, **params: Any) -> list[dict[str, Any]]:
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel_id)
        page = await self.http.request(route, params=params)
        if not isinstance(page, list):
            # Not Discord's own answer: that nothing is in it does not make the channel empty.
            raise TransientError("the history is not readable", done=None)
        return page

    async def _refuse_if_not_readable(self, channel_id: int) -> None:
        """Return where an empty history is one, though the gateway does not list the channel.

        It does not list archived threads. One message proves that the bot may read; where there is
        none, a thread has the permissions of its channel.
        """
        if await self._history(channel_id, limit=1):
            return
        route = Route("GET", "/channels/{channel_id}", channel_id=channel_id)
        channel = await self.http.request(route)
        parent_id = channel.get("parent_id") if isinstance(channel, dict) else None
        bits = self.permissions_in(int(parent_id)) if parent_id else None
        if bits is not None and bits & VIEW_AND_READ_HISTORY == VIEW_AND_READ_HISTORY:
            return
        if self.word_on(channel_id, None) is Word.NONE:
            raise TransientError("the bot does not know yet what it may read", done=None)
        raise PermanentError("nobody tells whether the bot may read the history", code=50013)

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
        """Every request takes its turn, discord.py's own repetitions too; interactions do not."""
        if "/interactions/" in params.url.path or "/webhooks/" in params.url.path:
            return
        if params.url.path.startswith("/gateway") or params.url.scheme in {"ws", "wss"}:
            return
        exchange = _exchange.get()
        await self.brake.hold()
        await self.pacer.turn(yields=exchange is not None and exchange.yields)
        if (rest := self._rests_until - time.monotonic()) > 0:
            raise TransientError(
                "rate limited", code=TOO_MANY_REQUESTS, retry_after=rest, rests=Rests.EVERYTHING
            )
        if exchange is not None:
            if not self.active:
                raise TransientError("another bot is the active one now", done=False)
            if time.time() - exchange.made_at > self._stale:
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
        """The answer is here. discord.py may go on to sleep or to repeat: neither is waited for."""
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
        """Tell it, and raise what discord.py would sleep on or repeat for longer than is good.

        What it raises itself it first counts against its buckets: that is left to it.
        """
        status, headers = context.status, context.headers
        is_limit = status == TOO_MANY_REQUESTS
        # A probe that is cut off in the sleep for a global limit would leave that limit standing in
        # discord.py for good: no request went out any more.
        if (
            is_limit
            and not _is_probe.get()
            and can_be_slept_out(headers, body, LONGEST_SLEEP_SECONDS)
        ):
            return
        is_page_at_login = status == UNAUTHORIZED and not is_json(headers, body)
        if exchange is None and not (is_limit or _is_probe.get() or is_page_at_login):
            return
        # What discord.py or a probe asks is about a channel like a look-up, or about nothing.
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
    """For discord.py's `request`, which may make it several times and rewinds the files then."""
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
    """What the channel shows is what the answer says, which may be an older revision.

    Somebody may have removed the embeds from a message: then it is the one we sent.
    """
    message_id = int(message["id"])
    if not 0 < message_id <= LARGEST_ID:
        raise ValueError(f"no message has the id {message_id}")
    marker = read_marker(message) or read_marker(request.payload or {})
    keeps_files = request.message_id is not None and not request.brings_files
    if keeps_files and request.attachments and not are_shown(message, request.attachments):
        # The words are new and the files are not: it counts as older than any revision.
        return Answer(message_id, OLDER_THAN_ANY)
    return Answer(message_id, marker[1] if marker else None)


@contextlib.asynccontextmanager
async def _our_errors(exchange: _Exchange) -> AsyncIterator[None]:
    """Whatever goes wrong becomes one of the two errors of transport.py."""
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
        if not exchange.begun and isinstance(error, DATA_ERRORS):
            # Nothing but its own data can have stopped it.
            log.exception("delivery %s: cannot be sent", exchange.request.delivery_id)
            raise PermanentError(repr(error), code=ErrorCode.UNSENDABLE) from error
        # The request may have been read before the connection ended, or the answer made no sense.
        raise TransientError(f"no usable answer: {error!r}", done=None) from error
