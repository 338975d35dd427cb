"""The way of a bot's requests to Discord, under the real transport and the real discord.py."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord.http
import orjson
import yarl
from aiohttp.client_reqrep import ConnectionKey

from notices.bot.pace import REFUSALS_WINDOW_SECONDS
from tests.simulation.discord import CHANGES, Call, Discord, Reply, limited
from tests.simulation.loop import Loop
from tests.simulation.world import World

# A request whose answer is lost may take effect so much later, as `outcomes.LOOK_AFTER` says.
LATEST_EFFECT_SECONDS = 5.0
NOBODY = ConnectionKey("discord.com", 443, True, True, None, None, None)
NOTHING: Any = None
PAGE = "<html>Bad gateway</html>"
KINDS = {"POST": "create", "PATCH": "edit", "DELETE": "delete", "GET": "read"}


def no_connection() -> Exception:
    return aiohttp.ClientConnectorError(NOBODY, OSError("refused"))


def page(status: int, **headers: object) -> Callable[[], Reply]:
    """Return what a proxy in front of Discord answers."""
    return lambda: Reply(status, PAGE, Content_Type="text/html", **headers)


def server_error() -> Reply:
    return Reply(500, {"message": "Internal Server Error", "code": 0})


@dataclass(frozen=True)
class Fate:
    """What becomes of a request, and how often: of a thousand, of 26 while Discord is away, and
    of 12 where one notice has no luck in one channel."""

    often: int
    in_outage: int = 0
    unlucky: int = 0
    arrives: bool = True
    is_late: bool = False
    """Nobody waits for it any more, so it may take its time."""
    is_silent: bool = False
    kills: bool = False
    closes: bool = False
    """Right before it arrives a moderator takes the channel from the bot, for a while."""
    error: Callable[[], Exception] | None = None
    answer: Callable[[], Reply] | None = None
    """Comes in place of Discord's own."""


FATES = {
    "answered": Fate(820, unlucky=1),
    "no connection": Fate(15, 6, arrives=False, error=no_connection),
    "lost on its way": Fate(10, 2, arrives=False, is_silent=True),
    "its answer is lost": Fate(45, 3, 3, is_late=True, is_silent=True),
    "the bot dies meanwhile": Fate(25, 1, is_late=True, kills=True),
    "the connection ends before it": Fate(10, arrives=False, error=aiohttp.ServerDisconnectedError),
    "the connection ends after it": Fate(10, error=aiohttp.ServerDisconnectedError),
    "500": Fate(15, 8, 3, arrives=False, answer=server_error),
    "500 after it": Fate(5, 0, 3, answer=server_error),
    "the bot may not send any more": Fate(2, 0, 2, closes=True),
    "503 of a proxy": Fate(10, 6, arrives=False, answer=page(503)),
    "502 of a proxy after it": Fate(15, answer=page(502)),
    "403 of a proxy": Fate(5, arrives=False, answer=page(403)),
    "200 of a proxy": Fate(3, arrives=False, answer=page(200)),
    "429 of a proxy": Fate(2, arrives=False, answer=page(429, Retry_After=7)),
    "429 for this channel": Fate(8, arrives=False, answer=partial(limited, 1.5, scope="shared")),
    "429 for a long while": Fate(4, arrives=False, answer=partial(limited, 20.0, scope="shared")),
    "429 for everything": Fate(3, arrives=False, answer=partial(limited, 3.0, scope="global")),
}
OFTEN = [fate.often for fate in FATES.values()]
OFTEN_IN_OUTAGE = [fate.in_outage for fate in FATES.values()]
OFTEN_WITHOUT_LUCK = [fate.unlucky for fate in FATES.values()]
# So many of a notice's channels, for so many requests, of which each may be a try.
SHARE_WITHOUT_LUCK, REQUESTS_WITHOUT_LUCK = 0.04, 8


def http_client(wire: "Wire", loop: Loop) -> discord.http.HTTPClient:
    """discord.py's, as it is after the login, over this wire."""
    http = discord.http.HTTPClient(loop, http_trace=wire.trace)
    http._HTTPClient__session = wire  # type: ignore[attr-defined]
    http._global_over = asyncio.Event()
    http._global_over.set()
    return http


class Wire:
    """Stands for aiohttp's session. `goes_out` is told of each request that does."""

    def __init__(
        self,
        world: World,
        discord: Discord,
        trace: aiohttp.TraceConfig,
        *,
        goes_out: Callable[[Call, str, bool], None],
        dies: Callable[[], None],
        most_refusals: int,
    ) -> None:
        self.trace = trace
        self._world = world
        self._discord = discord
        self._goes_out = goes_out
        self._dies = dies
        self._refusals: deque[float] = deque(maxlen=most_refusals)
        self._known: set[tuple[object, str]] = set()
        self._busy: set[int] = set()
        trace.freeze()

    @asynccontextmanager
    async def request(self, method: str, url: str, **options: Any) -> AsyncIterator[Reply]:
        session: Any = self
        context = self.trace.trace_config_ctx()
        begun: Any = SimpleNamespace(url=yarl.URL(url))
        await self.trace.on_request_start.send(session, context, begun)
        try:
            call = _call(method, yarl.URL(url).path, options)
            with self._alone_in_its_channel(call):
                reply = await self._carry(call)
        except Exception:
            await self.trace.on_request_exception.send(session, context, NOTHING)
            raise
        headers: Any = SimpleNamespace(response=reply)
        await self.trace.on_request_end.send(session, context, headers)

        async def text(encoding: str) -> str:
            read: Any = SimpleNamespace(chunk=reply.body)
            await self.trace.on_response_chunk_received.send(session, context, read)
            return reply.body.decode(encoding)

        reply.text = text  # type: ignore[attr-defined]
        yield reply

    @contextmanager
    def _alone_in_its_channel(self, call: Call) -> Iterator[None]:
        """As a channel's notices are shown in order, no change there overtakes another."""
        if call.kind not in CHANGES:
            yield
            return
        place = f"channel {call.channel_id}"
        self._world.promise(call.channel_id not in self._busy, f"two changes at once in {place}")
        self._busy.add(call.channel_id)
        try:
            yield
        finally:
            self._busy.discard(call.channel_id)

    async def _carry(self, call: Call) -> Reply:
        title = self._title_of(call)
        fate, chance = self._fate(call, title)
        self._goes_out(call, title, self._is_repeated(call))
        there = chance.uniform(0.005, 0.04)
        late = chance.uniform(0, LATEST_EFFECT_SECONDS) if fate.is_late else 0.0
        arrived = self._arrive(call, there, late) if fate.arrives else None
        if fate.closes:
            self._discord.close_for_a_while(call.channel_id)
        if fate.kills:
            self._world.loop.in_world(chance.choice((0.0, 0.03, 0.5, 3.0)), self._dies)
        if fate.is_silent:
            await asyncio.Event().wait()
        reply = await arrived if arrived else None
        await asyncio.sleep(chance.uniform(0.01, 0.1))
        if fate.error:
            raise fate.error()
        reply = fate.answer() if fate.answer else reply
        assert reply is not None
        if reply.status in (401, 403) or reply.headers.get("X-RateLimit-Scope") == "user":
            self._count_refusal()
        return reply

    def _count_refusal(self) -> None:
        """Discord counts by the address, with room for several bots, and these by themselves."""
        now = self._world.loop.time()
        is_full = len(self._refusals) == self._refusals.maxlen
        is_banned = is_full and now - self._refusals[0] < REFUSALS_WINDOW_SECONDS
        self._world.promise(not is_banned, "so many refusals in ten minutes that it is a ban")
        self._refusals.append(now)

    def _is_repeated(self, call: Call) -> bool:
        """Each claimed request has a task of its own, in which it may go out more than once."""
        task = (asyncio.current_task(), call.kind)
        is_known = task in self._known
        self._known.add(task)
        return is_known

    def _arrive(self, call: Call, there: float, late: float) -> asyncio.Future[Reply]:
        """It takes effect, perhaps late, whether or not the bot that sent it is still there."""
        loop = self._world.loop
        arrived: asyncio.Future[Reply] = loop.create_future()

        def arrive() -> None:
            if over := self._discord.admit(call):
                tell(over)
            else:
                loop.in_world(late, take_effect)

        def take_effect() -> None:
            if late:
                self._world.tell(f"this {call.kind} takes effect late")
            tell(self._discord.answer(call))

        def tell(reply: Reply) -> None:
            if not arrived.done():
                arrived.set_result(reply)

        loop.in_world(there, arrive)
        return arrived

    def _title_of(self, call: Call) -> str:
        if call.body.get("embeds"):
            return str(call.body["embeds"][0]["title"])
        message = self._discord.messages.get(call.message_id)
        return message.title if message else ""

    def _fate(self, call: Call, title: str) -> tuple[Fate, Random]:
        """Each notice has a stream of its own in each channel."""
        about = f"{call.kind} of notice {title}" if title else call.kind
        place = f"{about} in channel {call.channel_id}" if call.channel_id else about
        self._requests[place] += 1
        number, is_away = self._requests[place], self._discord.is_away
        chance = self._world.stream("wire", place, number)
        (name,) = chance.choices(list(FATES), self._often(title, call.channel_id, number))
        if self._world.is_calm:
            return FATES["answered"], chance
        if name != "answered":
            self._discord.excuses[call.channel_id] += 1
            # An outage is left out as a whole.
            if not is_away and not self._world.happens(f"{name}: {place}, request {number}"):
                name = "answered"
        self._world.tell(f"{place}: {name}")
        return FATES[name], chance

    def _often(self, title: str, channel_id: int, number: int) -> list[int]:
        if self._discord.is_away:
            return OFTEN_IN_OUTAGE
        luck = self._world.stream("luck", title, channel_id).random()
        is_unlucky = title and luck < SHARE_WITHOUT_LUCK and number <= REQUESTS_WITHOUT_LUCK
        return OFTEN_WITHOUT_LUCK if is_unlucky else OFTEN

    @property
    def _requests(self) -> Counter[str]:
        """How many there were, of whatever bot."""
        return self._discord.requests


def _call(method: str, path: str, options: dict[str, Any]) -> Call:
    parts = path.partition("/channels/")[2].split("/")
    body = orjson.loads(options.get("data") or b"{}")
    if not parts[0]:
        return Call("ask")
    if len(parts) == 1:
        return Call("open" if method == "PATCH" else "about", int(parts[0]), body=body)
    message_id = int(parts[2]) if len(parts) > 2 else 0
    after = int((options.get("params") or {}).get("after", 0))
    return Call(KINDS[method], int(parts[0]), message_id, body, after)
