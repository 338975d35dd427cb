"""The routes of slash commands, of interaction callbacks, and of what follows them up."""

from fakediscord.backend import Backend
from fakediscord.errors import ApiError
from fakediscord.forms import invalid
from fakediscord.interactions import Interaction
from fakediscord.payload import EPHEMERAL
from fakediscord.routes import UNLIMITED, Call, Handler, Route
from fakediscord.wire import Json

COMMANDS = "/applications/{application_id}/commands"
GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"
WEBHOOK = "/webhooks/{application_id}/{token}"


class InteractionRoutes:
    def __init__(self, backend: Backend) -> None:
        self._world = backend.world
        self._commands = backend.commands
        self._interactions = backend.interactions
        self._answers = backend.answers
        self._uploads = backend.uploads

    def routes(self) -> list[Route]:
        callback = "/interactions/{interaction_id}/{token}/callback"
        return [
            *self._command_routes(COMMANDS),
            *self._command_routes(GUILD_COMMANDS),
            _open("POST", callback, self._call_back),
            _open("POST", WEBHOOK, self._follow_up),
            _open("GET", WEBHOOK + "/messages/{message_id}", self._read),
            _open("PATCH", WEBHOOK + "/messages/{message_id}", self._edit),
            _open("DELETE", WEBHOOK + "/messages/{message_id}", self._delete),
        ]

    def _command_routes(self, path: str) -> list[Route]:
        return [
            Route("GET", path, self._list_commands),
            Route("PUT", path, self._replace_commands),
            Route("POST", path, self._add_command),
            Route("GET", path + "/{command_id}", self._read_command),
            Route("PATCH", path + "/{command_id}", self._change_command),
            Route("DELETE", path + "/{command_id}", self._remove_command),
        ]

    # Commands

    def _scope(self, call: Call) -> str | None:
        """Return the guild's id, or None for the global commands."""
        if call.params["application_id"] != self._world.application["id"]:
            raise ApiError(10002)
        guild_id = call.params.get("guild_id")
        return self._world.guild(guild_id).id if guild_id else None

    def _list_commands(self, call: Call) -> list[Json]:
        return self._commands.listed(self._scope(call))

    def _replace_commands(self, call: Call) -> list[Json]:
        return self._commands.replace(self._scope(call), call.data)

    def _add_command(self, call: Call) -> Json:
        return self._commands.add(self._scope(call), call.payload)

    def _read_command(self, call: Call) -> Json:
        return self._commands.get(self._scope(call), call.params["command_id"])

    def _change_command(self, call: Call) -> Json:
        return self._commands.change(self._scope(call), call.params["command_id"], call.payload)

    def _remove_command(self, call: Call) -> None:
        self._commands.remove(self._scope(call), call.params["command_id"])

    # Answers to interactions

    def _call_back(self, call: Call) -> Json | None:
        params = call.params
        interaction = self._interactions.get(params["interaction_id"], params["token"])
        data = call.payload.get("data") or {}
        if not isinstance(data, dict):
            raise invalid(("data",), "MODEL_TYPE_CONVERT", "Only dictionaries may be used")
        files = self._attached(call, interaction, data)
        self._answers.answer(interaction, call.payload, files)
        wants_answer = call.query.get("with_response") in ("1", "true")
        return _callback_json(interaction) if wants_answer else None

    def _follow_up(self, call: Call) -> Json:
        interaction = self._meant(call)
        files = self._attached(call, interaction, call.payload)
        return self._answers.follow_up(interaction, call.payload, files)

    def _read(self, call: Call) -> Json:
        return self._answers.message(self._meant(call), call.params["message_id"])

    def _edit(self, call: Call) -> Json:
        interaction = self._meant(call)
        message = self._answers.message(interaction, call.params["message_id"])
        return self._answers.edit(interaction, message, call.payload)

    def _delete(self, call: Call) -> None:
        interaction = self._meant(call)
        message = self._answers.message(interaction, call.params["message_id"])
        self._answers.delete(interaction, message)

    def _meant(self, call: Call) -> Interaction:
        if call.params["application_id"] != self._world.application["id"]:
            raise ApiError(10015)
        return self._interactions.with_token(call.params["token"])

    def _attached(self, call: Call, interaction: Interaction, data: Json) -> list[Json]:
        return self._uploads.attached(call.uploads, data, interaction.channel["id"])


def _open(method: str, path: str, handler: Handler) -> Route:
    """Return a route that needs only the token in its path, and has no limit."""
    return Route(method, path, handler, UNLIMITED, needs_token=False)


def _callback_json(interaction: Interaction) -> Json:
    original = interaction.original
    about: Json = {"id": interaction.id, "type": interaction.kind}
    resource: Json = {"type": interaction.callback}
    if original:
        about["response_message_id"] = original["id"]
        about["response_message_loading"] = interaction.json()["message"] is None
        about["response_message_ephemeral"] = bool(original["flags"] & EPHEMERAL)
        resource["message"] = original
    return {"interaction": about, "resource": resource}
