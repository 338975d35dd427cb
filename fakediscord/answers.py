"""Handles the bot's answers to interactions: callbacks, follow-ups, and their changes."""

import time
from collections.abc import Callable, Iterable

from fakediscord.errors import ApiError
from fakediscord.forms import invalid
from fakediscord.interactions import COMMAND, Interaction, Interactions
from fakediscord.messages import Messages, refuse_empty
from fakediscord.payload import EPHEMERAL, LOADING, check_message
from fakediscord.settings import Settings
from fakediscord.wire import Json
from fakediscord.world import World, displayed_name

PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL = 1, 4, 5, 6, 7, 9
CALLBACKS = (PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL)
COMMAND_MESSAGE_TYPE, REPLY_MESSAGE_TYPE = 20, 19

# Called with each message that only one person sees, and that person's id.
EphemeralListener = Callable[[Json, str], None]


class Answers:
    def __init__(
        self, world: World, messages: Messages, interactions: Interactions, settings: Settings
    ) -> None:
        self._world = world
        self._messages = messages
        self._ephemeral = interactions.ephemeral
        self._settings = settings
        self.listeners: list[EphemeralListener] = []

    def answer(
        self, interaction: Interaction, payload: Json, attachments: Iterable[Json] = ()
    ) -> None:
        """Take the callback; refuse a late one and a second one."""
        if interaction.callback is not None:
            raise ApiError(40060)
        if time.monotonic() - interaction.begun > self._settings.interaction_seconds:
            raise ApiError(10062)
        kind, data = payload.get("type"), payload.get("data") or {}
        _check_callback(kind, interaction)
        if kind == MODAL:
            interaction.modal = data
        elif kind == UPDATE:
            self._update_source(interaction, data)
        elif kind == DEFERRED_UPDATE:
            interaction.original = interaction.source
        elif kind in (MESSAGE, DEFERRED_MESSAGE):
            self._answer_with_message(interaction, data, attachments, is_loading=kind != MESSAGE)
        interaction.callback = kind
        interaction.answered.set()

    def _answer_with_message(
        self, interaction: Interaction, data: Json, attachments: Iterable[Json], *, is_loading: bool
    ) -> None:
        interaction.is_ephemeral = bool((data.get("flags") or 0) & EPHEMERAL)
        message = self._compose(interaction, data, attachments)
        if is_loading:
            message["flags"] |= LOADING
        else:
            refuse_empty(message)
        interaction.original = message
        self._show(interaction, message)

    def follow_up(
        self, interaction: Interaction, data: Json, attachments: Iterable[Json] = ()
    ) -> Json:
        """Add a message, which replaces the waiting one if it is the first after a deferral."""
        message = self._compose(interaction, data, attachments)
        refuse_empty(message)
        original = interaction.original
        if original and original["flags"] & LOADING:
            message["id"] = original["id"]
            message["flags"] = message["flags"] & ~EPHEMERAL | original["flags"] & EPHEMERAL
            interaction.original = message
            self._replace(interaction, message)
        else:
            self._show(interaction, message)
        return message

    def message(self, interaction: Interaction, message_id: str) -> Json:
        """Return a message; `@original` is the callback's, or the one whose button was pressed."""
        if message_id == "@original":
            message_id = interaction.original["id"] if interaction.original else ""
        is_its_own = message_id in interaction.messages
        is_source = interaction.source and interaction.source["id"] == message_id
        if not is_its_own and not is_source:
            raise ApiError(10008)
        return self._now(interaction, message_id)

    def edit(self, interaction: Interaction, message: Json, data: Json) -> Json:
        check_message(data, flags=message["flags"])
        revised = self._messages.revise(message, data)
        revised["flags"] &= ~LOADING
        if interaction.original and interaction.original["id"] == message["id"]:
            interaction.original = revised
        self._replace(interaction, revised)
        return revised

    def delete(self, interaction: Interaction, message: Json) -> None:
        interaction.messages.pop(message["id"], None)
        if interaction.original and interaction.original["id"] == message["id"]:
            interaction.original = None
        if message["flags"] & EPHEMERAL:
            self._ephemeral.pop(message["id"], None)
        else:
            self._messages.delete(message["channel_id"], message["id"])

    def _compose(self, interaction: Interaction, data: Json, attachments: Iterable[Json]) -> Json:
        check_message(data)
        bot = self._world.users[self._world.me]
        message = self._messages.compose(interaction.channel, bot, data, attachments)
        message["flags"] |= (data.get("flags") or 0) & EPHEMERAL
        is_command = interaction.kind == COMMAND
        message["type"] = COMMAND_MESSAGE_TYPE if is_command else REPLY_MESSAGE_TYPE
        message["webhook_id"] = message["application_id"] = self._world.application["id"]
        message["interaction_metadata"] = self._metadata(interaction)
        return message

    def _metadata(self, interaction: Interaction) -> Json:
        guild = self._world.guild_of[interaction.channel["id"]]
        metadata: Json = {
            "id": interaction.id,
            "type": interaction.kind,
            "user": interaction.user,
            "name": interaction.data.get("name"),
            "user_name": displayed_name(guild.members[interaction.user["id"]]),
            "authorizing_integration_owners": {"0": guild.id},
        }
        if interaction.source:
            metadata["interacted_message_id"] = interaction.source["id"]
        return metadata

    def _update_source(self, interaction: Interaction, data: Json) -> None:
        if interaction.source is None:
            raise ApiError(10008)
        message = interaction.original = self._now(interaction, interaction.source["id"])
        self.edit(interaction, message, data)

    def _now(self, interaction: Interaction, message_id: str) -> Json:
        if message_id in self._ephemeral:
            return self._ephemeral[message_id]
        return self._messages.get(interaction.channel["id"], message_id)

    def _show(self, interaction: Interaction, message: Json) -> None:
        interaction.messages[message["id"]] = message
        if message["flags"] & EPHEMERAL:
            self._tell_person(interaction, message)
        else:
            self._messages.add(message)
        self._note_shown(interaction, message)

    def _replace(self, interaction: Interaction, message: Json) -> None:
        if message["id"] in interaction.messages:
            interaction.messages[message["id"]] = message
        if message["flags"] & EPHEMERAL:
            self._tell_person(interaction, message)
        else:
            self._messages.replace(message)
        self._note_shown(interaction, message)

    def _note_shown(self, interaction: Interaction, message: Json) -> None:
        if not message["flags"] & LOADING:
            interaction.shown.set()

    def _tell_person(self, interaction: Interaction, message: Json) -> None:
        self._ephemeral[message["id"]] = message
        for listener in self.listeners:
            listener(message, interaction.user["id"])


def _check_callback(kind: object, interaction: Interaction) -> None:
    needs_message = kind in (DEFERRED_UPDATE, UPDATE)
    if kind not in CALLBACKS or (needs_message and not interaction.source):
        raise invalid(("type",), "BASE_TYPE_CHOICES", f"Value must be one of {CALLBACKS}.")
