"""Takes tests' orders over HTTP, under /_fake/: faults, settings, and questions."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from fakediscord.backend import Backend
from fakediscord.errors import ApiError
from fakediscord.interactions import Interaction
from fakediscord.wire import Json, dumps

Act = Callable[[web.Request], Awaitable[object]]


def acted(act: Act) -> Handler:
    """Answer with what `act` returns as JSON; a ValueError or ApiError becomes `{"error": ...}`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return _json(200, await act(request))
        except ApiError as error:
            return _json(error.status, {"error": str(error), **error.body()})
        except KeyError as error:
            return _json(400, {"error": f"lacks, or does not know, {error}"})
        except (ValueError, TypeError) as error:
            return _json(400, {"error": str(error)})

    return handle


def _json(status: int, data: object) -> web.Response:
    headers = {"Content-Type": "application/json"}
    return web.Response(status=status, body=dumps(data).encode(), headers=headers)


async def press(backend: Backend, order: Json) -> Json:
    """Press a button as a person does, and return what came of it."""
    interaction = backend.interactions.press(
        str(order["message_id"]),
        order["custom_id"],
        str(order.get("user_id") or backend.world.acting),
        list(map(str, order.get("values") or [])),
    )
    return await outcome(backend, interaction, order)


async def outcome(backend: Backend, interaction: Interaction, order: Json) -> Json:
    """Wait for the answer, and `follow_seconds` for the message after a deferral."""
    if not await backend.interactions.wait_for_answer(interaction):
        seconds = backend.settings.interaction_seconds
        return {"id": interaction.id, "error": f"the bot did not answer within {seconds:g} s"}
    await interaction.wait_until_shown(float(order.get("follow_seconds", 0)))
    return interaction.json()


class Control:
    def __init__(self, backend: Backend, forget: Callable[[], None]) -> None:
        self._backend = backend
        self._forget = forget

    def add_to(self, app: web.Application) -> None:
        for method, path, act in (
            ("POST", "faults", self._order_fault),
            ("GET", "faults", self._list_faults),
            ("DELETE", "faults", self._take_back_faults),
            ("DELETE", "faults/{fault_id}", self._take_back_fault),
            ("POST", "gateway", self._break_gateway),
            ("GET", "gateway", self._show_gateway),
            ("PATCH", "settings", self._change_settings),
            ("GET", "settings", self._show_settings),
            ("GET", "state", self._show_state),
            ("GET", "requests", self._show_requests),
            ("GET", "chronicle", self._show_chronicle),
            ("GET", "stats", self._show_stats),
            ("POST", "reset", self._reset),
            ("POST", "interactions", self._interact),
            ("GET", "interactions/{interaction_id}", self._show_interaction),
        ):
            app.router.add_route(method, f"/_fake/{path}", acted(act))

    async def _order_fault(self, request: web.Request) -> Json:
        return self._backend.faults.order(await request.json()).json()

    async def _list_faults(self, _request: web.Request) -> list[Json]:
        return self._backend.faults.json()

    async def _take_back_faults(self, _request: web.Request) -> Json:
        self._backend.faults.take_back()
        return {}

    async def _take_back_fault(self, request: web.Request) -> Json:
        fault_id = request.match_info["fault_id"]
        if not fault_id.isdecimal() or not self._backend.faults.take_back(int(fault_id)):
            raise ValueError(f"no fault {fault_id}")
        return {}

    async def _break_gateway(self, request: web.Request) -> Json:
        return await self._backend.connections.act(await request.json())

    async def _show_gateway(self, _request: web.Request) -> Json:
        gateway = self._backend.gateway
        return {"sessions": self._backend.connections.json(), "identifies": gateway.identifies}

    async def _change_settings(self, request: web.Request) -> Json:
        self._backend.settings.change(await request.json())
        self._backend.limits.forget()
        return asdict(self._backend.settings)

    async def _show_settings(self, _request: web.Request) -> Json:
        return asdict(self._backend.settings)

    async def _show_state(self, request: web.Request) -> Json:
        """Return everything, or the messages of one channel with `?channel_id=`."""
        messages, world = self._backend.messages, self._backend.world
        if channel_id := request.query.get("channel_id"):
            return {"messages": {channel_id: messages.with_nonces(channel_id)}}
        return {
            **world.dump(),
            "messages": messages.state(),
            "pins": messages.pins,
            "commands": self._backend.commands.dump(),
        }

    async def _show_requests(self, request: web.Request) -> list[Json]:
        return self._backend.journal.since(int(request.query.get("since", 0)))

    async def _show_chronicle(self, request: web.Request) -> list[Json]:
        return self._backend.chronicle.since(int(request.query.get("since", 0)))

    async def _show_stats(self, _request: web.Request) -> Json:
        return self._backend.journal.stats()

    async def _reset(self, _request: web.Request) -> Json:
        self._forget()
        return {}

    async def _interact(self, request: web.Request) -> Json:
        order = await request.json()
        if "command" in order:
            return await self._invoke(order)
        if "modal_of" in order:
            earlier = self._backend.interactions.get(str(order["modal_of"]))
            submitted = self._backend.interactions.submit(earlier, order["values"])
            return await outcome(self._backend, submitted, order)
        return await press(self._backend, order)

    async def _invoke(self, order: Json) -> Json:
        """Invoke a command; `options` are as Discord's, or a plain object of texts and numbers."""
        backend = self._backend
        channel_id = str(order["channel_id"])
        guild_id = backend.world.channel(channel_id)["guild_id"]
        command = backend.commands.named(guild_id, order["command"])
        if command is None:
            raise ValueError(f"command: guild {guild_id} has no command {order['command']!r}")
        options = _options(command, order.get("options") or [])
        user_id = str(order.get("user_id") or backend.world.acting)
        interaction = backend.interactions.invoke(command, channel_id, user_id, options)
        return await outcome(backend, interaction, order)

    async def _show_interaction(self, request: web.Request) -> Json:
        return self._backend.interactions.get(request.match_info["interaction_id"]).json()


def _options(command: Json, given: Any) -> list[Json]:
    if isinstance(given, list):
        return given
    kinds = {option["name"]: option["type"] for option in command["options"]}
    return [{"name": name, "type": kinds[name], "value": value} for name, value in given.items()]
