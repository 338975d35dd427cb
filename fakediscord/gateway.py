"""Keeps the gateway's sessions, dispatches events to them, and fails on order."""

import time

from fakediscord.sessions import EventView, Session, guild_create
from fakediscord.settings import PRIVILEGED_INTENTS, Settings
from fakediscord.tokens import Tokens
from fakediscord.wire import Json, dumps
from fakediscord.world import Event, World

SESSION_ENDING_CODES = {1000, 1001, 4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014}
IDENTIFIES_A_DAY = 1000
APPLICATION_FLAGS = {"presences": 1 << 13, "members": 1 << 15, "message_content": 1 << 19}


class Gateway:
    def __init__(self, world: World, settings: Settings, tokens: Tokens) -> None:
        self.world = world
        self.settings = settings
        self.tokens = tokens
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.identifies = 0
        self.is_refusing = False
        self.is_echo_muted = False
        world.listeners.append(self.dispatch)

    def dispatch(self, event: Event) -> None:
        if not self.sessions or self._is_muted(event):
            return
        self._forget_expired()
        view = EventView(self.world, event)
        for session in self.sessions.values():
            body = view.body_for(session)
            if body is not None:
                session.send(event.name, body)

    def identify(self, intents: int, shard: tuple[int, int]) -> Session:
        session = Session(intents, shard, self.settings.replayed_events)
        self.sessions[session.id] = session
        self.identifies += 1
        return session

    def greet(self, session: Session, *, is_sharded: bool) -> None:
        """Send READY, then each guild in full."""
        guilds = [
            guild
            for guild in self.world.guilds.values()
            if self.world.me in guild.members and session.has_guild(guild.id)
        ]
        ready: Json = {
            "v": 10,
            "user": {**self.world.users[self.world.me], "verified": True, "mfa_enabled": False},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "application": {"id": self.world.application["id"], "flags": self.application_flags()},
            **({"shard": list(session.shard)} if is_sharded else {}),
        }
        session.send("READY", dumps(ready))
        for guild in guilds:
            session.send("GUILD_CREATE", guild_create(self.world, guild.available_json(), session))

    def resumable(self, session_id: object) -> Session | None:
        self._forget_expired()
        return self.sessions.get(session_id) if isinstance(session_id, str) else None

    def forget(self, session: Session) -> None:
        self.sessions.pop(session.id, None)

    def allowed_privileged_intents(self) -> int:
        return sum(PRIVILEGED_INTENTS[name] for name in set(self.settings.privileged_intents))

    def application_flags(self) -> int:
        return sum(APPLICATION_FLAGS[name] for name in set(self.settings.privileged_intents))

    def start_limit(self) -> Json:
        return {
            "total": IDENTIFIES_A_DAY,
            "remaining": max(0, IDENTIFIES_A_DAY - self.identifies),
            "reset_after": 86_400_000,
            "max_concurrency": 1,
        }

    def _is_muted(self, event: Event) -> bool:
        is_echo = event.name == "MESSAGE_CREATE" and event.data["author"]["id"] == self.world.me
        return self.is_echo_muted and is_echo

    def _forget_expired(self) -> None:
        oldest = time.monotonic() - self.settings.resume_seconds
        for session in list(self.sessions.values()):
            if session.socket is None and session.detached_at < oldest:
                self.forget(session)
