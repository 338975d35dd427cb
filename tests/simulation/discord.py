"""A simulated Discord: what its channels show, what it remembers, and how it answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any, Protocol

from notices.bot.pace import Pacer
from notices.delivery.identity import identify
from notices.delivery.request import Answer, PermanentError, Request, TransientError, Word
from notices.models import Attempt, ErrorCode
from tests.simulation.loop import Loop

# "A few minutes", Discord says. A create with the same nonce within them makes no second message.
NONCE_SECONDS = 120.0
TIMEOUT_SECONDS = 2.0
# A request whose answer is lost may take effect so much later.
LATEST_EFFECT_SECONDS = 5.0
UNKNOWN_MESSAGE = 10008


class BrokenPromiseError(AssertionError):
    """studybot did what it promises not to do."""


@dataclass
class Message:
    id: int
    channel_id: int
    notice: int
    nonce: str
    revision: int


class Listener(Protocol):
    """A bot that is connected to the gateway."""

    def echo(self, nonce: str, message_id: int, revision: int) -> None: ...
    def removed(self, channel_id: int, message_ids: list[int], code: int) -> None: ...


@dataclass
class Discord:
    loop: Loop
    chance: Random
    tell: Callable[[str], None]
    nonce_seconds: float = NONCE_SECONDS
    messages: dict[int, Message] = field(default_factory=dict)
    made: dict[str, tuple[int, float]] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)
    deleted_unseen: set[int] = field(default_factory=set)
    """Messages that were deleted while no bot was connected, which nobody tells it later."""
    is_away: bool = False
    calm: bool = False
    """Nothing goes wrong any more."""
    _ids: "count[int]" = field(default_factory=lambda: count(9_000_000_000))

    def in_channel(self, channel_id: int) -> list[Message]:
        return [one for one in self.messages.values() if one.channel_id == channel_id]

    def delete(self, message: Message) -> None:
        """A moderator deletes it."""
        self.tell(f"a moderator deletes {message}")
        del self.messages[message.id]
        if not self.listeners:
            self.deleted_unseen.add(message.id)
        for listener in self.listeners:
            self._later(2.0, listener.removed, message.channel_id, [message.id],
                        ErrorCode.MESSAGE_DELETED)  # fmt: skip

    def fate(self) -> str:
        if self.calm:
            return "answered"
        if self.is_away:
            return self.chance.choice(("lost", "failed"))
        fates = ("answered", "lost", "answer lost", "failed", "failed after all", "limited")
        return self.chance.choices(fates, (82, 4, 5, 3, 2, 4))[0]

    def carry_out(self, request: Request) -> Answer | PermanentError:
        """The request takes effect."""
        match request.action:
            case Attempt.Action.CREATE:
                return self._create(request)
            case Attempt.Action.EDIT:
                return self._edit(request)
            case Attempt.Action.DELETE:
                self.messages.pop(request.message_id or 0, None)
                return Answer()
        found = [one for one in self.in_channel(request.channel_id) if one.nonce == request.nonce]
        return Answer(found[0].id, found[0].revision) if found else Answer()

    def _create(self, request: Request) -> Answer | PermanentError:
        known = self.made.get(request.nonce)
        if known and self.loop.time() - known[1] < self.nonce_seconds:
            message = self.messages.get(known[0])
            if message is None:
                return PermanentError("Unknown Message", code=UNKNOWN_MESSAGE)
            return Answer(message.id, message.revision)
        for other in self.in_channel(request.channel_id):
            if other.notice == request.notice_id:
                raise BrokenPromiseError(f"shown twice: {other} and {request}")
        message = Message(
            next(self._ids), request.channel_id, request.notice_id, request.nonce,
            _revision(request),
        )  # fmt: skip
        self.messages[message.id] = message
        self.made[request.nonce] = (message.id, self.loop.time())
        self._echo(message)
        return Answer(message.id, message.revision)

    def _edit(self, request: Request) -> Answer | PermanentError:
        message = self.messages.get(request.message_id or 0)
        if message is None:
            return PermanentError("Unknown Message", code=UNKNOWN_MESSAGE)
        message.revision = _revision(request)
        self._echo(message)
        return Answer(message.id, message.revision)

    def _echo(self, message: Message) -> None:
        for listener in self.listeners:
            if self.calm or self.chance.random() < 0.9:
                self._later(1.0, listener.echo, message.nonce, message.id, message.revision)

    def _later(self, most: float, what: Callable[..., None], *args: Any) -> None:
        """What a bot is told reaches it even if whoever caused it is dead, and not if it is."""

        def told() -> None:
            if getattr(what, "__self__", None) in self.listeners:
                what(*args)
            elif what.__name__ == "removed":
                self.deleted_unseen.update(args[1])

        self.loop.call_later(self.chance.uniform(0, most), told, context=self.loop.world)


def _revision(request: Request) -> int:
    found = identify(request.payload or {})
    assert found is not None
    return found.revision


class Wire:
    """The transport of one bot. What went out takes its way without the bot."""

    def __init__(self, discord: Discord, rate: float) -> None:
        self._discord = discord
        self._pacer = Pacer(rate)
        self.waiting = 0

    async def perform(self, request: Request, answered: Callable[[Any], None]) -> Answer:
        self.waiting += 1
        try:
            await self._pacer.turn(yields=request.action in ("edit", "delete"))
        finally:
            self.waiting -= 1
        answer = await self._send(request)
        answered(answer)
        return answer

    async def _send(self, request: Request) -> Answer:
        discord, fate = self._discord, self._discord.fate()
        loop, chance = discord.loop, discord.chance
        discord.tell(f"{request.action} of delivery {request.delivery_id}: {fate}")
        there = chance.uniform(0.01, 0.2)
        if fate == "failed":
            await asyncio.sleep(there)
            raise TransientError("Internal Server Error", code=500, done=None)
        if fate == "limited":
            await asyncio.sleep(there)
            raise TransientError("rate limited", code=429, retry_after=1.0)
        if fate == "lost":
            await asyncio.sleep(TIMEOUT_SECONDS)
            raise TransientError("no answer in time", done=None)
        if fate == "answer lost":
            there = chance.uniform(0.01, LATEST_EFFECT_SECONDS)
        taken: asyncio.Future[Answer | PermanentError] = loop.create_future()

        def take_effect() -> None:
            result = discord.carry_out(request)
            if not taken.done():
                taken.set_result(result)

        loop.call_later(there, take_effect, context=loop.world)
        if fate == "answer lost":
            await asyncio.sleep(TIMEOUT_SECONDS)
            raise TransientError("no answer in time", done=None)
        result = await taken
        await asyncio.sleep(chance.uniform(0.01, 0.1))
        if fate == "failed after all":
            raise TransientError("Bad Gateway", code=502, done=None)
        if isinstance(result, PermanentError):
            if request.action == Attempt.Action.DELETE:
                return Answer()
            raise result
        return result

    async def trouble(self, channel_id: int | None = None) -> TransientError | None:
        await asyncio.sleep(0.05)
        return TransientError("no answer", code=503) if self._discord.is_away else None

    def word_on(self, channel_id: int, guild_id: int | None) -> Word:
        return Word.REACHABLE

    def rest(self, seconds: float) -> None:
        """The engine itself leaves everything alone for so long."""
