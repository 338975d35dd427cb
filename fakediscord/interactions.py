"""Makes interactions: a person presses a button or gives a command, and waits for the bot."""

import asyncio
import contextlib
import secrets
import time
from dataclasses import dataclass, field

from fakediscord.components import BUTTON, find_control
from fakediscord.errors import ApiError
from fakediscord.messages import Messages
from fakediscord.payload import LOADING
from fakediscord.settings import Settings
from fakediscord.wire import Json
from fakediscord.world import Event, Guild, World

COMMAND, COMPONENT, MODAL_SUBMIT = 2, 3, 5
ATTACHMENT_SIZE_LIMIT = 20 * 1024 * 1024
KEPT_INTERACTIONS = 1000


@dataclass
class Interaction:
    id: str
    token: str
    kind: int
    channel: Json
    user: Json
    source: Json | None
    data: Json
    begun: float = field(default_factory=time.monotonic)
    callback: int | None = None
    original: Json | None = None
    modal: Json | None = None
    is_ephemeral: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_until_shown(self, seconds: float) -> None:
        """Wait until it led to a message, or the time is up."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.shown.wait(), seconds)

    def json(self) -> Json:
        """Return what the person sees of it."""
        is_loading = bool(self.original and self.original["flags"] & LOADING)
        return {
            "id": self.id,
            "token": self.token,
            "type": self.callback,
            "ephemeral": self.is_ephemeral,
            "message": None if is_loading else self.original,
            "messages": [one for one in self.messages.values() if not one["flags"] & LOADING],
            "modal": self.modal,
        }


class Interactions:
    def __init__(self, world: World, messages: Messages, settings: Settings) -> None:
        self._world = world
        self._messages = messages
        self._settings = settings
        self._by_id: dict[str, Interaction] = {}
        # Messages that only one person sees. No channel has them.
        self.ephemeral: dict[str, Json] = {}

    def press(
        self, message_id: str, custom_id: str, user_id: str, values: list[str]
    ) -> Interaction:
        """Press a button or select; a ValueError says why nobody could press it."""
        message = self.ephemeral.get(message_id) or self._messages.find(message_id)
        control = find_control(message["components"], custom_id)
        if control is None:
            raise ValueError(f"message {message_id} has no usable control {custom_id!r}")
        data: Json = {
            "custom_id": custom_id,
            "component_type": control["type"],
            "id": control.get("id"),
        }
        if control["type"] != BUTTON:
            data["values"] = values
        channel = self._world.channel(message["channel_id"])
        return self._begin(COMPONENT, channel, user_id, data, message)

    def invoke(
        self, command: Json, channel_id: str, user_id: str, options: list[Json]
    ) -> Interaction:
        channel = self._world.channel(channel_id)
        data = {
            "id": command["id"],
            "name": command["name"],
            "type": command["type"],
            "options": options,
            **({"guild_id": command["guild_id"]} if "guild_id" in command else {}),
        }
        return self._begin(COMMAND, channel, user_id, data, None)

    def submit(self, earlier: Interaction, values: dict[str, str]) -> Interaction:
        """Fill in the modal that an earlier interaction opened."""
        if earlier.modal is None:
            raise ValueError(f"interaction {earlier.id} opened no modal")
        rows = [
            {"type": 1, "components": [{"type": 4, "custom_id": name, "value": value}]}
            for name, value in values.items()
        ]
        data = {"custom_id": earlier.modal["custom_id"], "components": rows}
        return self._begin(MODAL_SUBMIT, earlier.channel, earlier.user["id"], data, earlier.source)

    async def wait_for_answer(self, interaction: Interaction) -> bool:
        """Return whether the bot answered in time."""
        try:
            await asyncio.wait_for(interaction.answered.wait(), self._settings.interaction_seconds)
        except TimeoutError:
            return False
        return True

    def _begin(
        self, kind: int, channel: Json, user_id: str, data: Json, source: Json | None
    ) -> Interaction:
        guild = self._world.guild_of[channel["id"]]
        if user_id not in guild.members:
            raise ValueError(f"user {user_id} is no member of guild {guild.id}")
        member = guild.members[user_id]
        token = secrets.token_urlsafe(96)
        interaction = Interaction(
            self._world.snowflakes.make(), token, kind, channel, member["user"], source, data
        )
        self._keep(interaction)
        payload = self._payload(interaction, guild, member)
        self._world.tell(Event("INTERACTION_CREATE", guild.id, payload, channel["id"]))
        return interaction

    def _keep(self, interaction: Interaction) -> None:
        self._by_id[interaction.id] = interaction
        if len(self._by_id) > KEPT_INTERACTIONS:
            del self._by_id[next(iter(self._by_id))]

    def _payload(self, interaction: Interaction, guild: Guild, member: Json) -> Json:
        channel_id = interaction.channel["id"]
        may = self._world.permissions(channel_id, interaction.user["id"])
        payload: Json = {
            "version": 1,
            "id": interaction.id,
            "type": interaction.kind,
            "token": interaction.token,
            "application_id": self._world.application["id"],
            "guild_id": guild.id,
            "guild": {"id": guild.id, "features": [], "locale": "ko"},
            "guild_locale": "ko",
            "locale": "ko",
            "channel_id": channel_id,
            "channel": {**interaction.channel, "permissions": str(may)},
            "member": {**member, "permissions": str(may)},
            "app_permissions": str(self._world.permissions(channel_id, self._world.me)),
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild.id},
            "context": 0,
            "attachment_size_limit": ATTACHMENT_SIZE_LIMIT,
            "data": interaction.data,
        }
        if interaction.source:
            payload["message"] = interaction.source
        return payload

    def get(self, interaction_id: str, token: str | None = None) -> Interaction:
        """Return the interaction, if the token is its own or not given."""
        interaction = self._by_id.get(interaction_id)
        if interaction is None or token not in (None, interaction.token):
            raise ApiError(10062)
        return interaction

    def with_token(self, token: str) -> Interaction:
        """Return the interaction whose webhook this is: answered, and not too long ago."""
        for interaction in reversed(self._by_id.values()):
            if interaction.token == token:
                age = time.monotonic() - interaction.begun
                if age > self._settings.interaction_token_seconds:
                    raise ApiError(50027)
                if interaction.callback is None:
                    raise ApiError(10015)
                return interaction
        raise ApiError(10015)
