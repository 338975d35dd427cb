"""Keeps all channels' messages, and tells the listeners of each change."""

from collections.abc import Iterable, Sequence

from fakediscord import permissions
from fakediscord.components import numbered
from fakediscord.embeds import as_shown, uses
from fakediscord.errors import ApiError
from fakediscord.files import Files
from fakediscord.history import History
from fakediscord.mentions import pinged
from fakediscord.nonces import Nonces
from fakediscord.payload import COMPONENTS_V2, SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS
from fakediscord.settings import Settings
from fakediscord.timestamps import now_text
from fakediscord.wire import Json
from fakediscord.world import Event, World

DEFAULT_TYPE, REPLY_TYPE = 0, 19
SENDABLE_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2
SHOWN_PARTS = ("content", "embeds", "components", "attachments", "sticker_items")
MOST_PINS = 250


def refuse_empty(message: Json) -> None:
    if not any(message.get(part) for part in SHOWN_PARTS):
        raise ApiError(50006)


class Messages:
    def __init__(self, world: World, settings: Settings, files: Files) -> None:
        self._world = world
        self._files = files
        self._nonces = Nonces(settings)
        self.channels: dict[str, History] = {}
        self.pins: dict[str, dict[str, str]] = {}
        self.nonce_of: dict[str, str | int] = {}
        # By message, the attachments that its embeds show. The message does not list these.
        self.embedded: dict[str, list[Json]] = {}
        # By message, the embeds that its flags suppress.
        self.suppressed: dict[str, list[Json]] = {}
        world.listeners.append(self._forget_channel)

    def history(self, channel_id: str) -> History:
        history = self.channels.get(channel_id)
        if history is None:
            history = self.channels[channel_id] = History()
        return history

    def count(self) -> int:
        return sum(len(history.by_id) for history in self.channels.values())

    def get(self, channel_id: str, message_id: str) -> Json:
        history = self.channels.get(channel_id)
        message = history.by_id.get(message_id) if history else None
        if message is None:
            raise ApiError(10008)
        return message

    def find(self, message_id: str) -> Json:
        """Return the message, in whatever channel it is."""
        for history in self.channels.values():
            if message_id in history.by_id:
                return history.by_id[message_id]
        raise ApiError(10008)

    def sent_with(self, author_id: str, nonce: str | int) -> Json | None:
        """Return the message for which the nonce was used lately, as it is now."""
        place = self._nonces.place_of(author_id, str(nonce))
        return self.get(*place) if place else None

    def compose(
        self, channel: Json, author: Json, payload: Json, attachments: Iterable[Json] = ()
    ) -> Json:
        """Return a message that is not in its channel yet."""
        content = (payload.get("content") or "").strip()
        message_id = self._world.snowflakes.make()
        attachments = list(attachments)
        embeds = as_shown(payload.get("embeds") or (), attachments)
        return {
            "id": message_id,
            "type": DEFAULT_TYPE,
            "channel_id": channel["id"],
            "author": author,
            "content": content,
            "timestamp": now_text(),
            "edited_timestamp": None,
            "tts": bool(payload.get("tts")),
            **self._pinged(channel, author, content, payload.get("allowed_mentions")),
            "attachments": self._beside(embeds, attachments, message_id),
            "embeds": embeds,
            "components": numbered(payload.get("components") or []),
            "pinned": False,
            "flags": (payload.get("flags") or 0) & SENDABLE_FLAGS,
        }

    def add(self, message: Json, nonce: str | int | None = None) -> None:
        channel_id, message_id = message["channel_id"], message["id"]
        self.history(channel_id).put(message)
        channel = self._world.channel(channel_id)
        channel["last_message_id"] = message_id
        if nonce is not None:
            self._nonces.use(message["author"]["id"], str(nonce), (channel_id, message_id))
            self.nonce_of[message_id] = nonce
        self._world.tell(Event("MESSAGE_CREATE", channel["guild_id"], message, channel_id, nonce))

    def _beside(self, embeds: list[Json], attachments: list[Json], message_id: str) -> list[Json]:
        """Return the attachments beside the embeds, and remember the others."""
        embedded = [one for one in attachments if uses(embeds, one)]
        if embedded or message_id in self.embedded:
            self.embedded[message_id] = embedded
        return [one for one in attachments if one not in embedded]

    def revise(self, message: Json, payload: Json, files: Sequence[Json] = ()) -> Json:
        """Return the message as a change would leave it. What the payload does not name stays.

        `files` are new. If some come and no list says which old ones stay, none of them does.
        """
        revised = {**message, "edited_timestamp": now_text()}
        if "content" in payload:
            content = revised["content"] = (payload["content"] or "").strip()
            channel = self._world.channel(message["channel_id"])
            allowed = payload.get("allowed_mentions")
            revised |= self._pinged(channel, message["author"], content, allowed)
        attachments = [*self._kept(message, payload, files), *files]
        revised["embeds"] = self.suppressed.get(message["id"], message["embeds"])
        if "embeds" in payload:
            revised["embeds"] = as_shown(payload["embeds"] or (), attachments)
        if "components" in payload:
            revised["components"] = numbered(payload["components"] or [])
        if payload.get("flags") is not None:
            lasting = message["flags"] & ~SUPPRESS_EMBEDS
            revised["flags"] = lasting | payload["flags"] & (SUPPRESS_EMBEDS | COMPONENTS_V2)
        refuse_empty({**revised, "attachments": attachments})
        gone = {one["id"] for one in self._attached(message)} - {one["id"] for one in attachments}
        self._files.drop(gone)
        revised["attachments"] = self._beside(revised["embeds"], attachments, message["id"])
        self._suppress(revised)
        return revised

    def set_flags(self, channel_id: str, message_id: str, flags: int) -> Json:
        """Suppress or restore embeds. A moderator may change no more of another's message."""
        message = self.get(channel_id, message_id)
        revised = self.revise(message, {"flags": flags})
        revised["edited_timestamp"] = message["edited_timestamp"]
        self.replace(revised)
        return revised

    def _suppress(self, message: Json) -> None:
        """Keep embeds while the flags suppress them, and bring them back afterwards."""
        self.suppressed.pop(message["id"], None)
        if message["flags"] & SUPPRESS_EMBEDS:
            self.suppressed[message["id"]] = message["embeds"]
            message["embeds"] = []

    def _attached(self, message: Json) -> list[Json]:
        """Return all attachments, the embedded ones too."""
        return [*message["attachments"], *self.embedded.get(message["id"], ())]

    def _kept(self, message: Json, payload: Json, files: Sequence[Json]) -> list[Json]:
        if "attachments" not in payload:
            return [] if files else self._attached(message)
        kept = {str(one["id"]) for one in payload["attachments"] or ()}
        return [one for one in self._attached(message) if one["id"] in kept]

    def replace(self, message: Json) -> None:
        """Replace the message with this id by the one handed in."""
        channel_id = message["channel_id"]
        self.history(channel_id).put(message)
        guild_id = self._world.guild_of[channel_id].id
        self._world.tell(Event("MESSAGE_UPDATE", guild_id, message, channel_id))

    def delete(self, channel_id: str, message_id: str) -> None:
        self._forget(channel_id, message_id)
        guild_id = self._world.guild_of[channel_id].id
        data = {"id": message_id, "channel_id": channel_id, "guild_id": guild_id}
        self._world.tell(Event("MESSAGE_DELETE", guild_id, data, channel_id))

    def _forget(self, channel_id: str, message_id: str) -> None:
        message = self.get(channel_id, message_id)
        self._files.drop(one["id"] for one in self._attached(message))
        self.embedded.pop(message_id, None)
        self.suppressed.pop(message_id, None)
        self.channels[channel_id].remove(message_id)
        self.pins.get(channel_id, {}).pop(message_id, None)
        self.nonce_of.pop(message_id, None)

    def delete_many(self, channel_id: str, message_ids: Sequence[str]) -> None:
        """Delete many, as a moderator's purge does. Like Discord, pass over unknown ids."""
        known = self.history(channel_id).by_id
        there = [message_id for message_id in message_ids if message_id in known]
        for message_id in there:
            self._forget(channel_id, message_id)
        guild_id = self._world.guild_of[channel_id].id
        data = {"ids": there, "channel_id": channel_id, "guild_id": guild_id}
        if there:
            self._world.tell(Event("MESSAGE_DELETE_BULK", guild_id, data, channel_id))

    def pin(self, message: Json, *, pinned: bool) -> None:
        pins = self.pins.setdefault(message["channel_id"], {})
        if pinned == (message["id"] in pins):
            return
        if pinned and len(pins) >= MOST_PINS:
            raise ApiError(30003)
        if pinned:
            pins[message["id"]] = now_text()
        else:
            del pins[message["id"]]
        self.replace({**message, "pinned": pinned})
        self._tell_pins(message["channel_id"], pins)

    def _tell_pins(self, channel_id: str, pins: dict[str, str]) -> None:
        guild_id = self._world.guild_of[channel_id].id
        data = {
            "guild_id": guild_id,
            "channel_id": channel_id,
            "last_pin_timestamp": max(pins.values(), default=None),
        }
        self._world.tell(Event("CHANNEL_PINS_UPDATE", guild_id, data, channel_id))

    def _pinged(self, channel: Json, author: Json, content: str, allowed: Json | None) -> Json:
        guild = self._world.guild_of[channel["id"]]
        may = self._world.permissions(channel["id"], author["id"]) & permissions.MENTION_EVERYONE
        return pinged(content, allowed, guild, may_mention_everyone=bool(may))

    def _forget_channel(self, event: Event) -> None:
        if event.name in ("CHANNEL_DELETE", "THREAD_DELETE") and event.channel_id:
            self.channels.pop(event.channel_id, None)
            self.pins.pop(event.channel_id, None)

    # Keeping things across a restart

    def dump(self) -> Json:
        return {
            "channels": {
                channel_id: list(history.by_id.values())
                for channel_id, history in self.channels.items()
            },
            "pins": self.pins,
            "nonce_of": self.nonce_of,
            "embedded": self.embedded,
            "suppressed": self.suppressed,
            "nonces": self._nonces.dump(),
        }

    def load(self, dumped: Json) -> None:
        self.pins, self.nonce_of = dumped["pins"], dumped["nonce_of"]
        self.embedded = dumped.get("embedded", {})
        self.suppressed = dumped.get("suppressed", {})
        self._nonces.load(dumped["nonces"])
        for channel_id, messages in dumped["channels"].items():
            history = self.history(channel_id)
            for message in messages:
                history.put(message)

    def state(self) -> dict[str, list[Json]]:
        """Return the messages by channel, oldest first, each with its nonce."""
        return {channel_id: self.with_nonces(channel_id) for channel_id in self.channels}

    def with_nonces(self, channel_id: str) -> list[Json]:
        history = self.history(channel_id)
        oldest_first: list[Json] = history.newest(len(history.by_id))[::-1]
        return [{**one, "nonce": self.nonce_of.get(one["id"])} for one in oldest_first]
