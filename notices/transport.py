"""What sending means to the rest: a request, its answer, and two errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


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
    """It may work later. `code` is Discord's or HTTP's, or 0 where nobody answered.

    `done` is None where the request may have had its effect and nobody knows; False where surely
    not. `retry_after` is in seconds, where Discord named one.
    """

    def __init__(
        self, detail: str, *, code: int = 0, done: bool | None = False, retry_after: float = 0
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.done = done
        self.retry_after = retry_after


class PermanentError(Exception):
    """It will not work, however often it is tried. `code` is Discord's, or else HTTP's."""

    def __init__(self, detail: str, *, code: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code


Told = Answer | TransientError | PermanentError


class Transport(Protocol):
    waiting: int
    """How many requests were handed over and have not gone out yet."""

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        """Carry the request out; raise TransientError or PermanentError.

        `answered` is called the moment the answer is known, or the error. The return may come
        seconds later: until then the channel takes no further request.
        """
        ...

    async def is_up(self) -> bool:
        """Whether the other side answers at all."""
        ...
