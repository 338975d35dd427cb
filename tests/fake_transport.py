"""A Discord of a few lines, for the engine's tests: it keeps messages by nonce, as Discord does."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from notices.delivery.identity import identify
from notices.delivery.request import Answer, PermanentError, Request, TransientError, Word
from notices.models import Attempt


@dataclass
class FakeTransport:
    """`script` holds, per channel, what the next requests meet: an error, "lose" or an event."""

    waiting: int = 0
    up: bool = True
    down: TransientError = field(default_factory=lambda: TransientError("no answer"))
    """The error of each request while it is not up."""
    closed: dict[int, TransientError | PermanentError] = field(default_factory=dict)
    """channel -> what is wrong with all its routes."""
    words: dict[int, Word] = field(default_factory=dict)
    """channel -> what the gateway says of it."""
    emptied: set[int] = field(default_factory=set)
    """The channels in which messages show nothing of their notices."""
    asked: list[int | None] = field(default_factory=list)
    """The questions whether it is up, each with its channel."""
    rests_for: float = 0.0
    shown: dict[int, dict[int, int]] = field(default_factory=dict)
    """channel -> message id -> revision."""
    attached: dict[int, dict[str, bytes]] = field(default_factory=dict)
    """message id -> its files by name."""
    script: dict[int, list[object]] = field(default_factory=dict)
    rests: dict[int, Callable[[], None]] = field(default_factory=dict)
    """channel -> what happens between its next answer and the end of its lane."""
    requests: list[Request] = field(default_factory=list)
    by_nonce: dict[str, int] = field(default_factory=dict)
    on_request: Callable[[Request], None] = lambda request: None
    made: Callable[[], None] = lambda: None
    """It is called between a request's effect and its answer."""
    remembered: list[datetime] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(9_000_000_000))

    async def perform(self, request: Request, answered: Callable[[Answer], None]) -> Answer:
        self.requests.append(request)
        self.on_request(request)
        if request.channel_id in self.closed:
            raise self.closed[request.channel_id]
        step = next(iter(self.script.get(request.channel_id, [])), None)
        if step is not None:
            self.script[request.channel_id].pop(0)
        if isinstance(step, asyncio.Event):
            await step.wait()
        elif isinstance(step, Exception):
            raise step
        answer = self._carry_out(request)
        if answer.shown and request.channel_id in self.emptied:
            answer = replace(answer, is_emptied=True)
        self.made()
        if step == "lose":
            raise TransientError("no answer", done=None)
        answered(answer)
        if rest := self.rests.pop(request.channel_id, None):
            rest()
        return answer

    async def trouble(
        self, channel_id: int | None = None
    ) -> TransientError | PermanentError | None:
        self.asked.append(channel_id)
        if channel_id is None:
            return None if self.up else self.down
        return self.closed.get(channel_id) or (None if self.up else self.down)

    def word_on(self, channel_id: int, _guild_id: int | None) -> Word:
        return self.words.get(channel_id, Word.UNREACHABLE)

    def remember(self, begun: Iterable[datetime]) -> None:
        self.remembered = list(begun)

    def rest(self, seconds: float) -> None:
        self.rests_for = seconds

    def _carry_out(self, request: Request) -> Answer:
        channel = self.shown.setdefault(request.channel_id, {})
        if request.action == Attempt.Action.CREATE:
            if request.nonce in self.by_nonce:
                return self._again(channel, self.by_nonce[request.nonce])
            message_id = self.by_nonce[request.nonce] = next(self._ids)
            channel[message_id] = self._revision(request)
            self._attach(message_id, request)
            return Answer(message_id, channel[message_id])
        if request.action == Attempt.Action.LOOK_UP:
            found = self.by_nonce.get(request.nonce)
            return Answer(found, channel[found]) if found in channel else Answer()
        if request.action == Attempt.Action.DELETE:
            channel.pop(request.message_id or 0, None)
            return Answer()
        if request.message_id not in channel:
            raise PermanentError("Unknown Message", code=10008)
        channel[request.message_id] = self._revision(request)
        if "attachments" in (request.payload or {}):
            self._attach(request.message_id, request)
        return Answer(request.message_id, channel[request.message_id])

    def _attach(self, message_id: int, request: Request) -> None:
        listed = (request.payload or {}).get("attachments", [])
        assert [one["filename"] for one in listed] == [file.name for file in request.files]
        self.attached[message_id] = {file.name: file.data for file in request.files}

    def _again(self, channel: dict[int, int], message_id: int) -> Answer:
        if message_id not in channel:
            raise PermanentError("Unknown Message", code=10008)
        return Answer(message_id, channel[message_id])

    def _revision(self, request: Request) -> int:
        found = identify(request.payload or {})
        assert found is not None
        return found.revision
