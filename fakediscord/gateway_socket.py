"""Serves one connection to the gateway: HELLO, heartbeats, IDENTIFY or RESUME, and its end."""

import asyncio
import json
import time
from collections import deque
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from fakediscord.gateway import SESSION_ENDING_CODES, Gateway
from fakediscord.sessions import MEMBERS, Session, members_chunk
from fakediscord.settings import PRIVILEGED_INTENTS
from fakediscord.windows import SlidingWindow
from fakediscord.wire import Json, dumps

HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME = 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, AUTHENTICATION_FAILED = 4001, 4002, 4003, 4004
ALREADY_AUTHENTICATED, INVALID_SEQ, RATE_LIMITED, TIMED_OUT = 4005, 4007, 4008, 4009
INVALID_SHARD, INVALID_INTENTS, DISALLOWED_INTENTS = 4010, 4013, 4014

ALL_INTENTS = (1 << 26) - 1
ALL_PRIVILEGED = sum(PRIVILEGED_INTENTS.values())
FRAMES, FRAMES_SECONDS = 120, 60.0
LARGEST_FRAME = 4096
MISSED_HEARTBEATS = 1.5
# A network takes as long. discord.py notes the moment of sending only after its thread hears of it,
# and would take an earlier answer for one that is a whole interval late.
ACK_SECONDS = 0.02


class ClosedError(Exception):
    """The connection is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class GatewaySocket:
    def __init__(self, gateway: Gateway, request: web.Request) -> None:
        self._gateway = gateway
        self._request = request
        self._ws = web.WebSocketResponse(compress=False, max_msg_size=2 * LARGEST_FRAME)
        self._outbox: deque[str] = deque()
        self._has_mail = asyncio.Event()
        self._frames = SlidingWindow(FRAMES, FRAMES_SECONDS)
        self._last_heartbeat = time.monotonic()
        self._answers = {
            IDENTIFY: self._identify,
            RESUME: self._resume,
            REQUEST_MEMBERS: self._send_members,
            PRESENCE: self._ignore,
            VOICE_STATE: self._ignore,
        }
        self.session: Session | None = None
        self.is_silent = False

    async def serve(self) -> web.WebSocketResponse:
        await self._ws.prepare(self._request)
        writer = asyncio.create_task(self._write())
        try:
            self._push(HELLO, {"heartbeat_interval": self._heartbeat_ms()})
            await self._converse()
        except ClosedError as closed:
            self._end(closed.code)
            await self._ws.close(code=closed.code, message=closed.reason.encode())
        finally:
            writer.cancel()
            self._end(self._ws.close_code or WSCloseCode.ABNORMAL_CLOSURE)
        return self._ws

    # The gateway's deeds to a connection

    def push(self, text: str) -> None:
        if not self.is_silent:
            self._outbox.append(text)
            self._has_mail.set()

    def abort(self) -> None:
        if self._request.transport:
            self._request.transport.abort()

    async def close(self, code: int) -> None:
        self._end(code)
        await self._ws.close(code=code)

    def ask_to_reconnect(self) -> None:
        self._push(RECONNECT, None)

    def invalidate(self, *, is_resumable: bool) -> None:
        if self.session and not is_resumable:
            self._gateway.forget(self.session)
        self._push(INVALID_SESSION, is_resumable)

    # The conversation

    async def _write(self) -> None:
        while True:
            await self._has_mail.wait()
            self._has_mail.clear()
            while self._outbox:
                try:
                    await self._ws.send_str(self._outbox.popleft())
                except ConnectionError:
                    return

    async def _converse(self) -> None:
        while True:
            try:
                message = await self._ws.receive(timeout=self._patience())
            except TimeoutError:
                raise ClosedError(TIMED_OUT, "Session timed out") from None
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            self._answer(message.data)

    def _patience(self) -> float:
        """Return the seconds that are left for the next heartbeat."""
        longest = self._gateway.settings.heartbeat_seconds * MISSED_HEARTBEATS
        return max(0.001, self._last_heartbeat + longest - time.monotonic())

    def _answer(self, text: str | bytes) -> None:
        op, data = _decoded(text)
        if op == HEARTBEAT:
            self._last_heartbeat = time.monotonic()
            loop = asyncio.get_running_loop()
            loop.call_later(ACK_SECONDS, self._push, HEARTBEAT_ACK, None)
            return
        self._count_frame()
        if op not in self._answers:
            raise ClosedError(UNKNOWN_OPCODE, "Unknown opcode")
        if self.session is None and op not in (IDENTIFY, RESUME):
            raise ClosedError(NOT_AUTHENTICATED, "Not authenticated")
        self._answers[op](data)

    def _count_frame(self) -> None:
        now = time.monotonic()
        if self._frames.wait(now) > 0:
            raise ClosedError(RATE_LIMITED, "Rate limited")
        self._frames.take(now)

    def _identify(self, data: Json) -> None:
        if self.session:
            raise ClosedError(ALREADY_AUTHENTICATED, "Already authenticated")
        self._check_token(data)
        intents = self._checked_intents(data.get("intents"))
        shard = _checked_shard(data.get("shard"))
        session = self._gateway.identify(intents, shard)
        self._attach(session)
        self._gateway.greet(session, is_sharded="shard" in data)

    def _resume(self, data: Json) -> None:
        if self.session:
            raise ClosedError(ALREADY_AUTHENTICATED, "Already authenticated")
        self._check_token(data)
        session = self._gateway.resumable(data.get("session_id"))
        seq = data.get("seq") or 0
        if session is None or not isinstance(seq, int) or not session.can_replay(seq):
            self._push(INVALID_SESSION, False)
            return
        if seq > session.seq:
            raise ClosedError(INVALID_SEQ, "Invalid seq")
        missed = session.replay(seq)
        self._attach(session)
        for text in missed:
            self.push(text)
        session.send("RESUMED", "{}")

    def _send_members(self, data: Json) -> None:
        guild = self._gateway.world.guilds.get(str(data.get("guild_id")))
        if guild is None or self.session is None:
            return
        wants_all = not data.get("user_ids") and not data.get("query")
        if wants_all and not self.session.intents & MEMBERS:
            raise ClosedError(DISALLOWED_INTENTS, "Disallowed intent(s)")
        self.session.send("GUILD_MEMBERS_CHUNK", members_chunk(guild, data))

    def _ignore(self, _data: Json) -> None:
        """Do nothing, because nobody looks at the bot's presence here."""

    def _check_token(self, data: Json) -> None:
        if not self._gateway.tokens.opens(data.get("token")):
            raise ClosedError(AUTHENTICATION_FAILED, "Authentication failed")

    def _checked_intents(self, intents: object) -> int:
        if not isinstance(intents, int) or not 0 <= intents <= ALL_INTENTS:
            raise ClosedError(INVALID_INTENTS, "Invalid intent(s)")
        if intents & ALL_PRIVILEGED & ~self._gateway.allowed_privileged_intents():
            raise ClosedError(DISALLOWED_INTENTS, "Disallowed intent(s)")
        return intents

    def _attach(self, session: Session) -> None:
        if session.socket:
            session.socket.abort()
        session.socket = self
        self.session = session

    def _end(self, code: int) -> None:
        session, self.session = self.session, None
        if session is None or session.socket is not self:
            return
        session.detach()
        if code in SESSION_ENDING_CODES:
            self._gateway.forget(session)

    def _push(self, op: int, data: object) -> None:
        self.push(dumps({"op": op, "d": data, "s": None, "t": None}))

    def _heartbeat_ms(self) -> int:
        return int(self._gateway.settings.heartbeat_seconds * 1000)


def _decoded(text: str | bytes) -> tuple[int, Any]:
    """Return the opcode and its data, an object for everything but a heartbeat."""
    if len(text) > LARGEST_FRAME:
        raise ClosedError(DECODE_ERROR, "Payload too large")
    try:
        frame = json.loads(text)
        op, data = frame["op"], frame.get("d")
    except (ValueError, TypeError, KeyError) as error:
        raise ClosedError(DECODE_ERROR, "Error while decoding payload") from error
    if not isinstance(op, int) or (op != HEARTBEAT and not isinstance(data, dict)):
        raise ClosedError(DECODE_ERROR, "Error while decoding payload")
    return op, data


def _checked_shard(shard: object) -> tuple[int, int]:
    if shard is None:
        return 0, 1
    match shard:
        case [int(number), int(count)] if 0 <= number < count:
            return number, count
    raise ClosedError(INVALID_SHARD, "Invalid shard")
