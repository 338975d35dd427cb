"""The routes of messages: create once, read, edit, delete, publish, pin."""

import time

from fakediscord import permissions
from fakediscord.backend import Backend
from fakediscord.errors import ApiError
from fakediscord.forms import invalid
from fakediscord.history import History
from fakediscord.messages import REPLY_TYPE, refuse_empty
from fakediscord.paging import page_limit, queried_id
from fakediscord.payload import CROSSPOSTED, check_message
from fakediscord.privacy import is_hidden, without_content
from fakediscord.routes import CROSSPOST, MESSAGES, Call, Route
from fakediscord.snowflake import made_at
from fakediscord.threads import (
    changed_thread,
    is_archived,
    is_thread,
    refuse_to_touch,
    refuse_to_write,
)
from fakediscord.uploads import Upload
from fakediscord.windows import SlidingWindow
from fakediscord.wire import Json

TEXT_CHANNELS = (0, 2, 5, 13)
VOICE_CHANNELS = (2, 13)
ANNOUNCEMENT = 5
DEFAULT_PAGE, LARGEST_PAGE = 50, 100
OLD_EDITS_SECONDS = 3600.0
CHANNEL = "/channels/{channel_id}/messages"
MESSAGE = CHANNEL + "/{message_id}"
PINS = CHANNEL + "/pins"


class MessageRoutes:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._world = backend.world
        self._messages = backend.messages
        self._old_edits: dict[str, SlidingWindow] = {}

    def routes(self) -> list[Route]:
        return [
            Route("POST", CHANNEL, self._create, MESSAGES),
            Route("GET", CHANNEL, self._read, MESSAGES),
            Route("GET", PINS, self._read_pins),
            Route("PUT", PINS + "/{message_id}", self._pin),
            Route("DELETE", PINS + "/{message_id}", self._unpin),
            Route("GET", MESSAGE, self._read_one, MESSAGES),
            Route("PATCH", MESSAGE, self._edit, MESSAGES),
            Route("DELETE", MESSAGE, self._delete, MESSAGES),
            Route("POST", MESSAGE + "/crosspost", self._crosspost, CROSSPOST),
            Route("POST", "/channels/{channel_id}/typing", self._type),
        ]

    # Creating

    def _create(self, call: Call) -> Json:
        channel, held = self._channel(call)
        _require_to_send(channel, held)
        payload = call.payload
        check_message(payload)
        nonce = payload.get("nonce")
        if nonce is not None and payload.get("enforce_nonce"):
            first = self._messages.sent_with(self._world.me, nonce)
            if first:
                return {**first, "nonce": nonce}
        return self._written(channel, held, payload, call.uploads)

    def _written(self, channel: Json, held: int, payload: Json, uploads: list[Upload]) -> Json:
        payload = _as_permitted(payload, held)
        if uploads:
            _require(held, permissions.ATTACH_FILES)
        bot = self._world.users[self._world.me]
        files = self._backend.uploads.attached(uploads, payload, channel["id"])
        message = self._messages.compose(channel, bot, payload, files)
        refuse_empty(message)
        if payload.get("message_reference"):
            message.update(self._reply(channel, payload["message_reference"]))
        nonce = payload.get("nonce")
        if is_thread(channel) and is_archived(channel):
            self._world.put_thread(changed_thread(channel, {"archived": False}))
        self._messages.add(message, nonce)
        self._backend.journal.creates += 1
        return message if nonce is None else {**message, "nonce": nonce}

    def _reply(self, channel: Json, reference: Json) -> Json:
        message_id = str(reference.get("message_id"))
        try:
            referenced = self._messages.get(channel["id"], message_id)
        except ApiError:
            if not reference.get("fail_if_not_exists", True):
                return {}
            code = "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"
            raise invalid(("message_reference",), code, "Unknown message") from None
        return {
            "type": REPLY_TYPE,
            "message_reference": {
                "type": 0,
                "message_id": message_id,
                "channel_id": channel["id"],
                "guild_id": channel["guild_id"],
            },
            "referenced_message": referenced,
        }

    # Reading

    def _read(self, call: Call) -> list[Json]:
        channel, held = self._channel(call)
        if not held & permissions.READ_MESSAGE_HISTORY:
            return []
        limit = page_limit(call, DEFAULT_PAGE, LARGEST_PAGE)
        page = _page(self._messages.history(channel["id"]), call, limit)
        return [self._as_read(message) for message in page]

    def _read_one(self, call: Call) -> Json:
        channel, held = self._channel(call)
        _require(held, permissions.READ_MESSAGE_HISTORY, code=50001)
        return self._as_read(self._messages.get(channel["id"], call.params["message_id"]))

    def _as_read(self, message: Json) -> Json:
        settings = self._backend.settings
        may_see_all = "message_content" in settings.privileged_intents
        if not may_see_all and is_hidden(message, self._world.me):
            return without_content(message)
        nonce = self._messages.nonce_of.get(message["id"])
        if settings.nonce_in_get and nonce is not None:
            return {**message, "nonce": nonce}
        return message

    # Changing

    def _edit(self, call: Call) -> Json:
        message, held = self._message(call)
        if message["author"]["id"] != self._world.me:
            raise ApiError(50005)
        refuse_to_touch(self._world.channel(message["channel_id"]))
        payload = call.payload
        check_message(payload, flags=message["flags"])
        self._count_old_edit(message)
        if not held & permissions.EMBED_LINKS and payload.get("embeds"):
            payload = {**payload, "embeds": []}
        if call.uploads:
            _require(held, permissions.ATTACH_FILES)
        files = self._backend.uploads.attached(call.uploads, payload, message["channel_id"])
        revised = self._messages.revise(message, payload, files)
        self._messages.replace(revised)
        return revised

    def _count_old_edit(self, message: Json) -> None:
        settings = self._backend.settings
        most = settings.old_message_edits
        is_old = time.time() - made_at(message["id"]) > settings.old_message_seconds
        if most is None or not is_old:
            return
        window = self._old_edits.setdefault(
            message["channel_id"], SlidingWindow(most, OLD_EDITS_SECONDS)
        )
        now = time.monotonic()
        if window.wait(now) > 0:
            raise ApiError(30046)
        window.take(now)

    def _delete(self, call: Call) -> None:
        message, held = self._message(call)
        if message["author"]["id"] != self._world.me:
            _require(held, permissions.MANAGE_MESSAGES)
        refuse_to_touch(self._world.channel(message["channel_id"]))
        self._messages.delete(message["channel_id"], message["id"])

    def _crosspost(self, call: Call) -> Json:
        channel, held = self._channel(call)
        message, _ = self._message(call)
        if channel["type"] != ANNOUNCEMENT:
            raise ApiError(50024)
        is_own = message["author"]["id"] == self._world.me
        _require(held, permissions.SEND_MESSAGES if is_own else permissions.MANAGE_MESSAGES)
        if message["flags"] & CROSSPOSTED:
            raise ApiError(40033)
        published = {**message, "flags": message["flags"] | CROSSPOSTED}
        self._messages.replace(published)
        return published

    # Pins

    def _read_pins(self, call: Call) -> Json:
        channel, held = self._channel(call)
        if not held & permissions.READ_MESSAGE_HISTORY:
            return {"items": [], "has_more": False}
        limit = page_limit(call, DEFAULT_PAGE, LARGEST_PAGE)
        before = call.query.get("before")
        pins = self._messages.pins.get(channel["id"], {})
        newest_first = sorted(pins.items(), key=lambda pin: pin[1], reverse=True)
        wanted = [pin for pin in newest_first if before is None or pin[1] < before]
        items = [
            {
                "pinned_at": pinned_at,
                "message": self._as_read(self._messages.get(channel["id"], message_id)),
            }
            for message_id, pinned_at in wanted[:limit]
        ]
        return {"items": items, "has_more": len(wanted) > limit}

    def _pin(self, call: Call) -> None:
        self._set_pinned(call, pinned=True)

    def _unpin(self, call: Call) -> None:
        self._set_pinned(call, pinned=False)

    def _set_pinned(self, call: Call, *, pinned: bool) -> None:
        message, held = self._message(call)
        _require(held, permissions.PIN_MESSAGES)
        self._messages.pin(message, pinned=pinned)

    def _type(self, call: Call) -> None:
        channel, held = self._channel(call)
        _require_to_send(channel, held)

    # Looking up

    def _channel(self, call: Call) -> tuple[Json, int]:
        """Return the channel, which the bot must see, and what it may do there."""
        channel = self._world.channel(call.params["channel_id"])
        held = self._world.permissions(channel["id"], self._world.me)
        _require(held, permissions.VIEW_CHANNEL, code=50001)
        if channel["type"] in VOICE_CHANNELS:
            _require(held, permissions.CONNECT, code=50001)
        return channel, held

    def _message(self, call: Call) -> tuple[Json, int]:
        channel, held = self._channel(call)
        return self._messages.get(channel["id"], call.params["message_id"]), held


def _require(held: int, needed: int, *, code: int = 50013) -> None:
    if not held & needed:
        raise ApiError(code)


def _require_to_send(channel: Json, held: int) -> None:
    if is_thread(channel):
        _require(held, permissions.SEND_MESSAGES_IN_THREADS)
        refuse_to_write(channel, held)
        return
    _require(held, permissions.SEND_MESSAGES)
    if channel["type"] not in TEXT_CHANNELS:
        raise ApiError(50008)


def _as_permitted(payload: Json, held: int) -> Json:
    """Drop an embed beside a text without EMBED_LINKS, and refuse an embed alone."""
    if held & permissions.EMBED_LINKS or not payload.get("embeds"):
        return payload
    if not payload.get("content"):
        raise ApiError(50013)
    return {**payload, "embeds": []}


def _page(history: History, call: Call, limit: int) -> list[Json]:
    for name, read in (
        ("around", history.around),
        ("before", history.before),
        ("after", history.after),
    ):
        if name in call.query:
            return read(queried_id(call, name), limit)
    return history.newest(limit)
