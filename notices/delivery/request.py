"""The interface to whatever sends: a request, its answer, two errors, and `Transport`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import Any, Protocol

from notices.advice.error_codes import Rests


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
    """When the first create went out whose outcome is unknown; null if none is."""
    resend_until: datetime | None = None
    """Until when it may go out, if it repeats a create whose outcome is unknown."""
    revision: int | None = None
    """The revision that its payload shows."""
    attachments: Sequence[dict[str, Any]] = ()
    """The files that the message is to have; see `files/attached.py`."""
    brings_files: bool = False
    """Whether the request uploads them. If not, the message keeps the files that it has."""
    files: tuple[File, ...] = ()
    """Their bytes, which are read right before the request goes out."""

    def is_late(self, now: datetime) -> bool:
        """Return whether Discord may have forgotten the nonce by which it would know it again."""
        return self.resend_until is not None and now >= self.resend_until


@dataclass(frozen=True, slots=True)
class Answer:
    """The message that the channel shows now, with the revision read off it, or nothing."""

    message_id: int | None = None
    revision: int | None = None
    is_emptied: bool = False
    """Whether the message is there and shows nothing of the notice."""

    @property
    def shown(self) -> bool:
        return self.message_id is not None


class TransientError(Exception):
    """The request may work later. `code` is Discord's, ours or HTTP's, or 0 without an answer.

    `done` is None if the request may have had its effect, and False if it surely had none.
    `retry_after` is the pause that Discord named, in seconds, and `rests` says what has to pause.
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
    """The request will not work, however often it is tried. `code` is Discord's or ours."""

    def __init__(self, detail: str, *, code: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


Told = Answer | TransientError | PermanentError


class Word(Enum):
    """The gateway's word on a channel."""

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
    """The number of requests that were handed over and have not gone out yet."""

    def remember(self, begun: Iterable[datetime]) -> None:
        """Count requests that others have made, which Discord counts as ours."""
        ...

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        """Carry the request out; raise TransientError or PermanentError.

        `answered` is called the moment the answer is known, or the error. The return may come
        seconds later: until then the channel takes no further request.
        """
        ...

    async def trouble(
        self, channel_id: int | None = None
    ) -> TransientError | PermanentError | None:
        """Make a request that changes nothing, and return its error, or None if it works."""
        ...

    def word_on(self, channel_id: int, guild_id: int | None) -> Word:
        """Return what the gateway has told so far, without a request."""
        ...

    def rest(self, seconds: float) -> None:
        """Send nothing for so many seconds."""
        ...
