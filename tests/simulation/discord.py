"""A simulated Discord: what its channels show, what it allows, and how it answers.

It does what Discord documents. It allows 12 requests a second in place of 50, so that small storms
meet the limit.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
from discord.utils import time_snowflake
from multidict import CIMultiDict

from notices.advice.permissions import (
    ATTACH_FILES,
    EMBED_LINKS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from notices.delivery.identity import Identity, identify
from tests.simulation.loop import BEGINS
from tests.simulation.world import World

# "A few minutes", Discord says, and nobody knows more. studybot counts on one.
NONCE_SECONDS = 60.0
REQUESTS_A_SECOND = 12
MESSAGE_DELETED = 10008
CLOSED_SECONDS = 3.0
CHANGES = ("create", "edit", "delete")
# Unknown channel, missing access, missing permissions, an empty message, an archived thread.
REFUSED = (10003, 50001, 50013, 50006, 50083)
OURS = {"id": "7", "username": "studybot"}
ALL_RIGHTS = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | ATTACH_FILES | READ_MESSAGE_HISTORY
SUPPRESS_EMBEDS = 1 << 2

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A request as it arrives: `kind` is create, edit, delete, read, open, about or ask."""

    kind: str
    channel_id: int = 0
    message_id: int = 0
    body: Json = field(default_factory=dict)
    after: int = 0


class Reply:
    """What discord.py gets to see of aiohttp's answer."""

    def __init__(self, status: int, body: object = None, **headers: object) -> None:
        self.status = status
        self.reason = ""
        self.headers = CIMultiDict({name.replace("_", "-"): str(headers[name]) for name in headers})
        self.body = b"" if status == 204 else orjson.dumps(body)
        if isinstance(body, str):
            self.body = body.encode()
        self.headers.setdefault("Content-Type", "application/json")


def limited(seconds: float, *, scope: str) -> Reply:
    is_global = scope == "global"
    body = {"message": "You are being limited.", "retry_after": seconds, "global": is_global}
    return Reply(429, body, Via="1.1 google", X_RateLimit_Scope=scope)


def refusal(status: int, code: int) -> Reply:
    return Reply(status, {"code": code, "message": f"error {code}"})


@dataclass
class Guild:
    id: int
    is_away: bool = False
    has_us: bool = True
    timed_out_until: float = 0.0
    answer_while_away: tuple[int, int] = (403, 50001)


@dataclass
class Channel:
    id: int
    guild: Guild
    rights: int = ALL_RIGHTS
    is_archived: bool = False
    messages: "dict[int, Message]" = field(default_factory=dict)


@dataclass
class Message:
    id: int
    channel_id: int
    nonce: str
    body: Json
    is_emptied: bool = False

    @property
    def says(self) -> Identity:
        found = identify(self.body)
        assert found is not None
        return found

    @property
    def title(self) -> str:
        """By it everybody here knows the notice."""
        return str(self.body["embeds"][0]["title"])

    def told(self) -> Json:
        embeds = [] if self.is_emptied else self.body["embeds"]
        flags = SUPPRESS_EMBEDS if self.is_emptied else 0
        return {
            "id": str(self.id), "channel_id": str(self.channel_id), "author": OURS,
            "nonce": self.nonce, "content": self.body.get("content", ""), "embeds": embeds,
            "flags": flags, "attachments": [],
        }  # fmt: skip


@dataclass
class Bucket:
    """Lets `most` requests through in `seconds`: of a window that slides, or that is fixed."""

    most: int
    seconds: float
    slides: bool
    gone: deque[float] = field(default_factory=deque)

    def is_full(self, now: float) -> bool:
        while self.gone and now >= self._ends():
            if self.slides:
                self.gone.popleft()
            else:
                self.gone.clear()
        return len(self.gone) >= self.most

    def reset_after(self, now: float) -> float:
        return max(0.0, self._ends() - now) if self.gone else 0.0

    def _ends(self) -> float:
        return self.gone[0] + self.seconds


BUCKETS: dict[str, Callable[[], Bucket]] = {
    "create": lambda: Bucket(5, 5.0, slides=True),
    "edit": lambda: Bucket(5, 5.0, slides=False),
    "delete": lambda: Bucket(3, 1.0, slides=True),
    "read": lambda: Bucket(5, 1.0, slides=False),
}


class Discord:
    def __init__(self, world: World, nonce_seconds: float = NONCE_SECONDS) -> None:
        self.world = world
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.has_shown: set[tuple[int, int]] = set()
        """(message id, revision) of all that anybody can have seen."""
        self.reasons: set[tuple[int, int]] = set()
        """(channel id, code) of all that people gave for a refusal. An outage gives none."""
        self.excuses: Counter[int] = Counter()
        """How many requests too many there may be in a channel: discord.py goes by the answers,
        and has to guess where one was lost, or where another bot has asked before."""
        self.requests: Counter[str] = Counter()
        """How many were made of each."""
        self.unheard: dict[int, Json] = {}
        """By message, what was told last of its deletion or its stripping, of which no bot has
        heard. None asks later."""
        self.is_away = False
        self.look_at_message: Callable[[Message], None] = lambda _message: None
        """It is called when a message is made or edited."""
        self.tell_bots: Callable[..., None] = lambda *_event: None
        self._nonce_seconds = nonce_seconds
        self._made: dict[str, tuple[int, float]] = {}
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._second: deque[float] = deque(maxlen=REQUESTS_A_SECOND)
        self._numbers = count()

    def shown(self, channel_id: int, title: str) -> list[Message]:
        """What readers see of the notice there, who see nothing in a message without its embed."""
        return [
            one
            for one in self.channels[channel_id].messages.values()
            if one.title == title and not one.is_emptied
        ]

    # --- what it answers ----------------------------------------------------------------------

    def admit(self, call: Call) -> Reply | None:
        """Count the request, and refuse it if it is one too many."""
        now = self.world.loop.time()
        is_full = len(self._second) == REQUESTS_A_SECOND
        is_over = is_full and now - self._second[0] < 1.0
        self.world.promise(not is_over, f"more than {REQUESTS_A_SECOND} requests in a second")
        self._second.append(now)
        if call.kind not in BUCKETS:
            return None
        bucket = self._buckets.setdefault((call.kind, call.channel_id), BUCKETS[call.kind]())
        if not bucket.is_full(now):
            bucket.gone.append(now)
            return None
        self.excuses[call.channel_id] -= 1
        place = f"channel {call.channel_id}"
        is_excused = self.excuses[call.channel_id] >= 0
        self.world.promise(is_excused, f"more requests to {call.kind} in {place} than it allows")
        return limited(bucket.reset_after(now), scope="user")

    def answer(self, call: Call) -> Reply:
        """Carry it out, if that is allowed."""
        reply = self._refused(call) or getattr(self, f"_{call.kind}")(call)
        if bucket := self._buckets.get((call.kind, call.channel_id)):
            now = self.world.loop.time()
            reply.headers.update(
                {
                    "X-RateLimit-Limit": str(bucket.most),
                    "X-RateLimit-Remaining": str(bucket.most - len(bucket.gone)),
                    "X-RateLimit-Reset-After": f"{bucket.reset_after(now):.3f}",
                    "X-RateLimit-Bucket": call.kind,
                }
            )
        return reply

    def _refused(self, call: Call) -> Reply | None:
        if call.kind == "ask":
            return None
        channel = self.channels[call.channel_id]
        if not channel.guild.has_us:
            return refusal(403, 50001)
        if channel.guild.is_away:
            return refusal(*channel.guild.answer_while_away)
        if not channel.rights & VIEW_CHANNEL:
            return refusal(403, 50001)
        if call.kind == "create" and self._may_not_send(channel):
            return refusal(403, 50013)
        if call.kind == "create" and not channel.rights & EMBED_LINKS:
            return refusal(400, 50006)  # nothing would be left of it
        if call.kind in ("edit", "delete") and channel.is_archived:
            return refusal(400, 50083)
        return None

    def _may_not_send(self, channel: Channel) -> bool:
        return self._is_timed_out(channel) or not channel.rights & SEND_MESSAGES

    def _is_timed_out(self, channel: Channel) -> bool:
        return channel.guild.timed_out_until > self.world.loop.time()

    def _ask(self, _call: Call) -> Reply:
        return Reply(200, OURS)

    def _open(self, call: Call) -> Reply:
        channel = self.channels[call.channel_id]
        if self._is_timed_out(channel):
            return refusal(403, 50013)
        channel.is_archived = False
        return Reply(200, {"id": str(channel.id)})

    def _about(self, call: Call) -> Reply:
        return Reply(200, {"id": str(call.channel_id)})

    def _read(self, call: Call) -> Reply:
        channel = self.channels[call.channel_id]
        readable = channel.messages if channel.rights & READ_MESSAGE_HISTORY else {}
        found = [one.told() for one in readable.values() if one.id > call.after]
        return Reply(200, found[:100])

    def _create(self, call: Call) -> Reply:
        nonce = call.body["nonce"]
        made_id, made_at = self._made.get(nonce, (0, 0.0))
        if made_id and self.world.loop.time() - made_at < self._nonce_seconds:
            known = self.messages.get(made_id)
            return Reply(200, known.told()) if known else refusal(404, 10008)
        message = Message(self._new_id(), call.channel_id, nonce, call.body)
        others = self.shown(call.channel_id, message.title)
        self.world.promise(not others, f"notice {message.title} is shown twice in a channel")
        channel = self.channels[call.channel_id]
        channel.is_archived = False
        channel.messages[message.id] = self.messages[message.id] = message
        self._made[nonce] = (message.id, self.world.loop.time())
        self._show(message)
        return Reply(200, message.told())

    def _edit(self, call: Call) -> Reply:
        message = self.messages.get(call.message_id)
        if message is None:
            return refusal(404, 10008)
        channel = self.channels[call.channel_id]
        message.body = call.body
        is_cut_short = self._is_timed_out(channel) or not channel.rights & EMBED_LINKS
        message.is_emptied = is_cut_short or (message.is_emptied and "flags" not in call.body)
        self._show(message)
        return Reply(200, message.told())

    def _delete(self, call: Call) -> Reply:
        message = self.messages.get(call.message_id)
        if message is None:
            return refusal(404, 10008)
        self._take_away(message)
        self.tell_bots("deleted", message.told())
        return Reply(204)

    def _take_away(self, message: Message) -> None:
        del self.messages[message.id]
        del self.channels[message.channel_id].messages[message.id]

    def _show(self, message: Message) -> None:
        self.has_shown.add((message.id, message.says.revision))
        self.look_at_message(message)
        self.tell_bots("message", message.told())

    def _new_id(self) -> int:
        moment = BEGINS + timedelta(seconds=self.world.loop.time())
        return time_snowflake(moment) + next(self._numbers)

    # --- what people do there -----------------------------------------------------------------

    def remove(self, message: Message) -> None:
        self.reasons.add((message.channel_id, MESSAGE_DELETED))
        self._take_away(message)
        self._tell_of_people("deleted", message)

    def strip(self, message: Message) -> None:
        """Somebody removes its embed."""
        message.is_emptied = True
        self._tell_of_people("message", message)

    def _tell_of_people(self, event: str, message: Message) -> None:
        told = self.unheard[message.id] = message.told()
        self.tell_bots(event, told)

    def close_for_a_while(self, channel_id: int) -> None:
        channel = self.channels.get(channel_id)
        if channel is None or channel.rights != ALL_RIGHTS:
            return

        def open_again() -> None:
            channel.rights = ALL_RIGHTS
            self.change(channel.guild)

        channel.rights = ALL_RIGHTS & ~SEND_MESSAGES
        self.change(channel.guild)
        self.world.loop.in_world(CLOSED_SECONDS, open_again)

    def change(self, guild: Guild) -> None:
        """Something of this guild is not as it was."""
        for channel in self.channels.values():
            if channel.guild is guild and not self._is_open(channel):
                self.reasons |= {(channel.id, code) for code in REFUSED}
        self.tell_bots("guild", guild)

    def _is_open(self, channel: Channel) -> bool:
        is_timed_out = self._is_timed_out(channel)
        return channel.guild.has_us and channel.rights == ALL_RIGHTS and not is_timed_out

    def until(self, guild: Guild) -> datetime | None:
        """The end of the bot's timeout there, if it is timed out."""
        is_over = guild.timed_out_until <= self.world.loop.time()
        return None if is_over else BEGINS + timedelta(seconds=guild.timed_out_until)
