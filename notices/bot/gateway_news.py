"""Keeps the gateway's news of our messages until a step of the engine writes it.

An echo is a message of ours that was shown, new or edited. A removal is a message that somebody
deleted or emptied, so that it shows nothing of its notice.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from notices.delivery.identity import identify
from notices.delivery.message import is_emptied
from notices.delivery.recovery import record_echo, record_removals
from notices.delivery.request import Request
from notices.models import ErrorCode

REMEMBERED_NONCES = 10_000

# (nonce, message id, revision), and (channel id, message ids, an ErrorCode).
Echoed = Callable[[str, int, int], None]
Removed = Callable[[int, Collection[int], int], None]


@dataclass(frozen=True, slots=True)
class Echo:
    nonce: str
    message_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class Removal:
    """`code` is an `ErrorCode`: the message was deleted, or emptied."""

    channel_id: int
    message_id: int
    code: int


@dataclass(frozen=True, slots=True)
class News:
    """The news that one step of the engine writes."""

    echoes: list[Echo]
    removals: list[Removal]

    def __bool__(self) -> bool:
        return bool(self.echoes or self.removals)

    def write(self, now: datetime) -> None:
        """Write in the database thread."""
        for echo in self.echoes:
            record_echo(echo.nonce, echo.message_id, echo.revision, now)
        if self.removals:
            record_removals({one.message_id: one.code for one in self.removals}, now)


class GatewayNews:
    def __init__(self) -> None:
        self._echoes: list[Echo] = []
        self._removals: list[Removal] = []
        self._emptied: set[int] = set()
        self._settled: OrderedDict[str, int | None] = OrderedDict()

    def add_echo(self, nonce: str, message_id: int, revision: int) -> None:
        self._echoes.append(Echo(nonce, message_id, revision))

    def add_removals(self, channel_id: int, message_ids: Collection[int], code: int) -> None:
        if code == ErrorCode.MESSAGE_EMPTIED:
            self._emptied.update(message_ids)
        self._removals += [Removal(channel_id, one, code) for one in message_ids]

    def restore(self, message_id: int) -> bool:
        """The message is shown whole: forget that it was emptied. Returns whether it was."""
        if message_id not in self._emptied:
            return False
        self._emptied.discard(message_id)
        self._removals = [one for one in self._removals if one.message_id != message_id]
        return True

    def remember_settled(self, nonce: str, revision: int | None) -> None:
        """Remember that an answer told of this revision, so that its echo is no news."""
        self._settled[nonce] = revision
        if len(self._settled) > REMEMBERED_NONCES:
            self._settled.popitem(last=False)

    def is_settled(self, nonce: str, revision: int) -> bool:
        return self._settled.get(nonce) == revision

    def take(self, under_way: Iterable[int]) -> News:
        """Take all echoes, and the removals in channels where no request is under way.

        In the other channels the awaited answer tells of the same message: a create may have made
        it, and its id is not known yet.
        """
        echoes, self._echoes = self._echoes, []
        if not self._removals:
            return News(echoes, [])
        channels = set(under_way)
        taken = [one for one in self._removals if one.channel_id not in channels]
        self._removals = [one for one in self._removals if one.channel_id in channels]
        return News(echoes, taken)

    def put_back(self, news: News) -> None:
        """Keep what could not be written."""
        self._echoes = news.echoes + self._echoes
        self._removals = news.removals + self._removals


def read_message(message: dict[str, Any], our_id: int, *, echo: Echoed, removed: Removed) -> None:
    """Tell what Discord says that a message of ours shows.

    An update may hold no more than what changed, and name no author.
    """
    author = message.get("author")
    if author and int(author["id"]) != our_id:
        return
    message_id = int(message["id"])
    if is_emptied(message):
        removed(int(message["channel_id"]), [message_id], ErrorCode.MESSAGE_EMPTIED)
    elif author and (found := identify(message)):
        echo(found.nonce, message_id, found.revision)


def is_told_by(request: Request, revision: int) -> bool:
    """Return whether a message that the gateway shows says how the request ended.

    After an edit that does not bring the files, only the answer says which files it has.
    """
    if request.message_id is None:
        return True
    return request.revision == revision and (request.brings_files or not request.attachments)
