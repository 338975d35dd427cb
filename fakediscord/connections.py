"""Accepts or refuses connections to the gateway, and breaks them on order."""

from typing import Any

from aiohttp import web

from fakediscord.gateway import Gateway
from fakediscord.gateway_socket import GatewaySocket
from fakediscord.wire import Json, dumps

ACTIONS = (
    "drop",
    "close",
    "reconnect",
    "invalid_session",
    "refuse",
    "accept",
    "mute_echo",
    "unmute_echo",
    "silence",
    "unsilence",
    "event",
    "frame",
)
DEFAULT_CLOSE_CODE = 4000


class Connections:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._sockets: set[GatewaySocket] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if self._gateway.is_refusing:
            return web.Response(status=503, text="The gateway refuses connections on order.")
        socket = GatewaySocket(self._gateway, request)
        self._sockets.add(socket)
        try:
            return await socket.serve()
        finally:
            self._sockets.discard(socket)

    def json(self) -> list[Json]:
        return [
            {
                "id": session.id,
                "shard": list(session.shard),
                "intents": session.intents,
                "seq": session.seq,
                "connected": session.socket is not None,
            }
            for session in self._gateway.sessions.values()
        ]

    async def act(self, order: Any) -> Json:
        """Carry out an order; a ValueError says what is wrong with it."""
        action = order.get("action") if isinstance(order, dict) else None
        if action not in ACTIONS:
            raise ValueError(f"action: {action!r} is not one of {', '.join(ACTIONS)}")
        self._set_door(action)
        sockets = self._meant_by(order.get("shard"))
        for socket in sockets:
            await self._do(action, order, socket)
        return {"action": action, "connections": len(sockets)}

    def _set_door(self, action: str) -> None:
        if action in ("refuse", "accept"):
            self._gateway.is_refusing = action == "refuse"
        if action in ("mute_echo", "unmute_echo"):
            self._gateway.is_echo_muted = action == "mute_echo"

    def _meant_by(self, shard: int | None) -> list[GatewaySocket]:
        return [
            socket
            for socket in self._sockets
            if shard is None or (socket.session and socket.session.shard[0] == shard)
        ]

    async def _do(self, action: str, order: Json, socket: GatewaySocket) -> None:
        is_resumable = order.get("resumable", True)
        if action in ("drop", "close") and socket.session and not is_resumable:
            self._gateway.forget(socket.session)
        match action:
            case "drop":
                socket.abort()
            case "close":
                await socket.close(int(order.get("code") or DEFAULT_CLOSE_CODE))
            case "reconnect":
                socket.ask_to_reconnect()
            case "invalid_session":
                socket.invalidate(is_resumable=bool(order.get("resumable", False)))
            case "silence" | "unsilence":
                socket.is_silent = action == "silence"
            case "event" if socket.session:
                socket.session.send(order["event"], dumps(order["data"]))
            case "frame":
                socket.push(order["text"])

    def close(self) -> None:
        """Close all connections as Discord does it, telling them to reconnect."""
        for socket in list(self._sockets):
            socket.abort()
