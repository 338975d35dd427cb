"""What sending means to the rest: a request, its answer, and two errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol

from notices.codes import Rests


@dataclass(frozen=True, slots=True)
class File:
    """A file on its way; `data` is all of it."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of Discord for one delivery; `action` is an `Attempt.Action`."""

    delivery_id: int
    notice_id: int
    claim: int
    action: str
    channel_id: int
    nonce: str
    message_id: int | None = None
    payload: dict[str, Any] | None = None
    unknown_since: datetime | None = None
    """Where the outcome of an earlier create is unknown: when that was first asked."""
    revision: int | None = None
    """What its payload shows."""
    attachments: Sequence[dict[str, Any]] = ()
    """What the message is to have attached; see `attachments`."""
    brings_files: bool = False
    """Whether these go with it: else the message is to keep the ones it has."""
    files: tuple[File, ...] = ()
    """Their bytes, from right before it goes out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the channel shows now: a message and the revision read off it, or nothing."""

    message_id: int | None = None
    revision: int | None = None

    @property
    def shown(self) -> bool:
        return self.message_id is not None


class TransientError(Exception):
    """It may work later. `code` is Discord's, ours or HTTP's, or 0 where nobody answered.

    `done` is None where the request may have had its effect and nobody knows; False where surely
    not. `retry_after` is in seconds, where Discord named a pause, which is for whom it `rests`.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: int = 0,
        done: bool | None = False,
        retry_after: float = 0,
        rests: Rests | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.done = done
        self.retry_after = retry_after
        self.rests = rests


class PermanentError(Exception):
    """It will not work, however often it is tried. `code` is Discord's, or one of ours."""

    def __init__(self, detail: str, *, code: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


Told = Answer | TransientError | PermanentError


class Word(Enum):
    """What the gateway says of a channel."""

    REACHABLE = auto()
    """It is there, and the bot may see it."""
    UNREACHABLE = auto()
    """It is not there, or the bot may not see it, or is not in its guild."""
    AWAY = auto()
    """Its guild is out of reach for now."""
    NONE = auto()
    """Nothing: the gateway is not connected, or not yet ready."""


class Transport(Protocol):
    waiting: int
    """How many requests were handed over and have not gone out yet."""

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        """Carry the request out; raise TransientError or PermanentError.

        `answered` is called the moment the answer is known, or the error. The return may come
        seconds later: until then the channel takes no further request.
        """
        ...

    async def trouble(
        self, channel_id: int | None = None
    ) -> TransientError | PermanentError | None:
        """Ask for what costs nothing, of the channel or of none; null where that works."""
        ...

    def word_on(self, channel_id: int, guild_id: int | None) -> Word:
        """What the gateway says, without asking anybody."""
        ...

    def rest(self, seconds: float) -> None:
        """Let nothing at all go out for so long."""
        ...
