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

from notices.attachments import are_shown
from notices.embeds import read_marker
from notices.models import Attempt, ErrorCode
from notices.pace import Brake, Pacer
from notices.permissions import EMBED_LINKS, READ_MESSAGE_HISTORY, VIEW_CHANNEL
from notices.transport import Answer, PermanentError, Request, Told, TransientError

log = logging.getLogger(__name__)

# Discord's answers that no repetition changes.
REFUSALS = frozenset({400, 401, 403, 404, 405, 413})
OLDER_THAN_ANY = 0
VIEW_AND_READ_HISTORY = VIEW_CHANNEL | READ_MESSAGE_HISTORY
# Clocks differ: a message's id holds Discord's time, an attempt ours. Looking further back costs
# a page or so, looking too little would double the notice.
CLOCK_SKEW = timedelta(minutes=10)
# A request that could not go out for so long is claimed anew: its nonce's window may be over.
STALE_SECONDS = 30.0
# How long discord.py may sleep on a 429. What has to wait longer is claimed anew, and is seen to.
LONGEST_SLEEP_SECONDS = 30.0
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
        self.status = 0
        self.response: aiohttp.ClientResponse | None = None
        self.answer: Answer | None = None
        self.has_opened = False

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

    def tell_refusal(self, body: bytes) -> None:
        if self.response is None or self._is_gone_already():
            return
        try:
            data = orjson.loads(body)
        except ValueError:
            data = body.decode(errors="replace")
        error = _from_answer(discord.HTTPException(self.response, data))
        if error.code != ARCHIVED_THREAD or self.has_opened:
            self.answered(error)

    def _is_gone_already(self) -> bool:
        return self.status == 404 and self.request.action == Attempt.Action.DELETE

    def answer_told(self) -> Answer:
        if self.answer is None:
            raise ValueError(f"delivery {self.request.delivery_id}: an answer without a message")
        return self.answer

    def cut_off(self) -> None:
        self.timed_out = True
        if self.task is not None:
            self.task.cancel()

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
        self.waiting = 0
        self.active = True
        self._timeout = request_timeout
        self._stale = stale

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        exchange = _Exchange(request, answered)
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

    async def is_up(self) -> bool:
        """Ask what costs nothing and touches no channel. Nothing that comes back is an error."""
        token, asker = _is_probe.set(True), _exchange.set(None)
        try:
            async with asyncio.timeout(self._timeout):
                return isinstance(await self.http.request(Route("GET", "/users/@me")), dict)
        except Exception as error:
            log.info("Discord does not answer as it should: %r", error)
            return False
        finally:
            _is_probe.reset(token)
            _exchange.reset(asker)

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
                route = Route("DELETE", messages + "/{message_id}", **ids)
                return await self._delete(route, request)
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
            raise TransientError(detail, code=ErrorCode.TIMED_OUT, retry_after=seconds)

    def _refuse_a_bare_ping(self, request: Request) -> None:
        """Without Embed Links Discord drops the embed, and shows the ping that is left."""
        if not (request.payload or {}).get("content"):
            return
        bits = self.permissions_in(request.channel_id)
        if bits is None or bits & EMBED_LINKS:
            return
        raise PermanentError("the bot may not embed links", code=50013)

    async def _delete(self, route: Route, request: Request) -> Answer | None:
        try:
            await self._request(route, request)
        except discord.NotFound:
            return Answer()  # gone already
        return None

    async def _look_up(self, request: Request) -> Answer:
        """Read on from where the lost create began until the marker, or the end, is found."""
        if request.unknown_since is None:
            raise ValueError(f"delivery {request.delivery_id}: nothing of it is unknown")
        bits = self.permissions_in(request.channel_id)
        if bits is not None and bits & VIEW_AND_READ_HISTORY != VIEW_AND_READ_HISTORY:
            # Discord would answer with an empty list, which says nothing.
            raise PermanentError("the bot may not read the channel's history", code=50013)
        after = discord.utils.time_snowflake(request.unknown_since - CLOCK_SKEW)
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=request.channel_id)
        for _page in range(HISTORY_PAGES):
            page = await self.http.request(
                route, params={"after": str(after), "limit": HISTORY_PAGE}
            )
            if not isinstance(page, list):
                # Not Discord's own answer: that nothing is in it does not make the channel empty.
                raise TransientError("the history is not readable", done=None)
            for message in page:
                if (found := read_marker(message)) and found[0] == request.nonce:
                    return Answer(int(message["id"]), found[1])
            if len(page) < HISTORY_PAGE:
                if bits is None:
                    # Without the gateway's word for it, "empty" may mean "not allowed".
                    raise TransientError("the bot does not know yet what it may read", done=None)
                return Answer()
            after = max(int(message["id"]) for message in page)
        raise PermanentError("too many messages came after it", code=50013)

    # --- aiohttp's trace -------------------------------------------------------------------

    def _make_trace(self) -> aiohttp.TraceConfig:
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._before_request)
        trace.on_request_end.append(self._on_headers)
        trace.on_response_chunk_received.append(_on_body)
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
        if exchange is not None:
            if not self.active:
                raise TransientError("another bot is the active one now", done=False)
            if time.time() - exchange.made_at > self._stale:
                raise TransientError("it waited too long to go out", done=False)
            if not exchange.begun:
                exchange.begun = True
                self.waiting -= 1
            loop = asyncio.get_running_loop()
            seconds = self._timeout + exchange.size / SLOWEST_LINE
            exchange.timer = loop.call_later(seconds, exchange.cut_off)

    async def _on_headers(
        self, _session: Any, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        status, headers = params.response.status, params.response.headers
        if status in {401, 403} or (status == 429 and headers.get("X-RateLimit-Scope") != "shared"):
            self.brake.count()
        context.status = status
        if exchange := _exchange.get():
            exchange.status = status
            exchange.response = params.response


async def _on_body(
    _session: Any, context: SimpleNamespace, params: aiohttp.TraceResponseChunkReceivedParams
) -> None:
    """The answer is here. discord.py may go on to sleep or to repeat: neither is waited for."""
    if _is_probe.get() and context.status != 200:
        # A probe that is cut off in the sleep for a global limit would leave that limit standing
        # in discord.py for good: no request went out any more.
        raise TransientError(f"HTTP {context.status}", code=context.status)
    exchange = _exchange.get()
    if exchange is not None:
        exchange.stop_timer()
    if context.status == 429 and (pause := _retry_after(params.chunk)) > LONGEST_SLEEP_SECONDS:
        raise TransientError("rate limited", code=429, retry_after=pause)
    if exchange is None:
        return
    if exchange.status >= 500:
        # discord.py would repeat it for up to 25 s; when to try again is decided by us.
        error = TransientError(f"HTTP {exchange.status}", code=exchange.status, done=None)
        exchange.answered(error)
        raise error
    if exchange.status in REFUSALS:
        exchange.tell_refusal(params.chunk)
    if exchange.status not in {200, 201, 204}:
        return
    if exchange.request.action in (Attempt.Action.CREATE, Attempt.Action.EDIT):
        exchange.tell(_read(orjson.loads(params.chunk), exchange.request))
    elif exchange.request.action == Attempt.Action.DELETE and exchange.status == 204:
        exchange.tell(Answer())


async def _on_exception(
    _session: Any, _context: SimpleNamespace, _params: aiohttp.TraceRequestExceptionParams
) -> None:
    if exchange := _exchange.get():
        exchange.stop_timer()


def _retry_after(body: bytes) -> float:
    """In seconds; 0 where Discord does not say it, which discord.py takes for Cloudflare's ban."""
    try:
        return float(orjson.loads(body)["retry_after"])
    except (ValueError, KeyError, TypeError):
        return 0.0


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
    marker = read_marker(message) or read_marker(request.payload or {})
    keeps_files = request.message_id is not None and not request.brings_files
    if keeps_files and request.attachments and not are_shown(message, request.attachments):
        # The words are new and the files are not: it counts as older than any revision.
        return Answer(int(message["id"]), OLDER_THAN_ANY)
    return Answer(int(message["id"]), marker[1] if marker else None)


@contextlib.asynccontextmanager
async def _our_errors(exchange: _Exchange) -> AsyncIterator[None]:
    """discord.py's and aiohttp's errors become the two of transport.py."""
    try:
        yield
    except asyncio.CancelledError:
        if not exchange.timed_out or exchange.task is None:
            raise
        exchange.task.uncancel()
        raise TransientError("no answer in time", done=None) from None
    except discord.HTTPException as error:
        raise _from_answer(error) from error
    except aiohttp.ClientConnectorError as error:
        raise TransientError(f"no connection: {error}") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # The request may have been read before the connection ended.
        raise TransientError(f"the connection ended: {error!r}", done=None) from error


def _from_answer(error: discord.HTTPException) -> TransientError | PermanentError:
    # Discord's codes have five or six digits; the column holds no more than an int.
    code = error.code if 0 < error.code < 2**31 else error.status
    if error.status == 401:
        return PermanentError(error.text or str(error), code=401)
    if error.status in REFUSALS:
        return PermanentError(error.text or str(error), code=code)
    if error.status == 429:
        # discord.py gave up, or the answer came from Cloudflare (no Via header, no JSON).
        pause = error.response.headers.get("Retry-After", "")
        seconds = float(pause) if pause.replace(".", "", 1).isdigit() else 5.0
        return TransientError("rate limited", code=429, retry_after=seconds)
    return TransientError(f"HTTP {error.status}", code=error.status, done=None)
