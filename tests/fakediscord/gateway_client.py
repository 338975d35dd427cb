"""A bare client of the gateway, to say to it what discord.py never would."""

from typing import Any, Self

import aiohttp

from tests.fakediscord.served import Served

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 15
DEFAULT_INTENTS = GUILDS | GUILD_MESSAGES
HEARTBEAT_ACK = 11
RECEIVE_SECONDS = 10.0

Json = dict[str, Any]


class GatewayClient:
    def __init__(self, discord: Served) -> None:
        self._discord = discord
        self.seq = 0
        self.session_id = ""

    async def __aenter__(self) -> Self:
        url = f"{self._discord.fake.gateway_url}?v=10&encoding=json"
        self.socket = await self._discord.session.ws_connect(url)
        self.hello = await self.receive()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close(code=4000)

    async def receive(self) -> Json:
        frame: Json = await self.socket.receive_json(timeout=RECEIVE_SECONDS)
        self.seq = frame["s"] or self.seq
        return frame

    async def event(self, name: str) -> Json:
        """The data of the next event of that name; what comes before it is passed over."""
        while (frame := await self.receive())["t"] != name:
            pass
        data: Json = frame["d"]
        return data

    async def frame(self, op: int) -> Json:
        while (frame := await self.receive())["op"] != op:
            pass
        return frame

    async def is_quiet(self) -> bool:
        """Return true if nothing was sent: the next frame is the answer to a heartbeat."""
        await self.send(1, self.seq)
        frame = await self.receive()
        return bool(frame["op"] == HEARTBEAT_ACK)

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, **changes: Any) -> Json:
        """READY's data; the guilds follow."""
        data = {"token": "token", "intents": DEFAULT_INTENTS, "properties": {}, **changes}
        await self.send(2, data)
        ready = await self.event("READY")
        self.session_id = ready["session_id"]
        for _ in ready["guilds"]:
            await self.event("GUILD_CREATE")
        return ready

    async def resume(self, session_id: str, seq: int) -> None:
        await self.send(6, {"token": "token", "session_id": session_id, "seq": seq})

    async def close_code(self) -> int | None:
        while True:
            message = await self.socket.receive(timeout=RECEIVE_SECONDS)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return self.socket.close_code
