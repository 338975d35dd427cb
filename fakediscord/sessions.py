"""Keeps a gateway session: which events it sees, and which it can replay."""

import secrets
import time
from collections import deque
from typing import Protocol

from fakediscord import permissions
from fakediscord.privacy import is_hidden, without_content
from fakediscord.snowflake import TIMESTAMP_SHIFT
from fakediscord.wire import Json, dumps
from fakediscord.world import Event, Guild, World, displayed_name

GUILDS, MEMBERS, GUILD_MESSAGES = 1 << 0, 1 << 1, 1 << 9
MESSAGE_CONTENT = 1 << 15


class Socket(Protocol):
    def push(self, text: str) -> None: ...

    def abort(self) -> None: ...


class Session:
    def __init__(self, intents: int, shard: tuple[int, int], replayed_events: int) -> None:
        self.id = secrets.token_hex(16)
        self.intents = intents
        self.shard = shard
        self.seq = 0
        self.socket: Socket | None = None
        self.detached_at = 0.0
        self._replay: deque[tuple[int, str]] = deque(maxlen=replayed_events)

    def has_guild(self, guild_id: str) -> bool:
        shard_id, shard_count = self.shard
        return (int(guild_id) >> TIMESTAMP_SHIFT) % shard_count == shard_id

    def send(self, name: str, body: str) -> None:
        """Send an event; without a connection it is kept for the replay. `body` is JSON."""
        self.seq += 1
        text = f'{{"op":0,"t":"{name}","s":{self.seq},"d":{body}}}'
        self._replay.append((self.seq, text))
        if self.socket:
            self.socket.push(text)

    def detach(self) -> None:
        self.socket = None
        self.detached_at = time.monotonic()

    def can_replay(self, seq: int) -> bool:
        return seq >= self.seq - len(self._replay)

    def replay(self, seq: int) -> list[str]:
        """Return the events after the `seq`-th."""
        return [text for number, text in self._replay if number > seq]


class EventView:
    """One event as sessions see it, written once for all that see the same."""

    def __init__(self, world: World, event: Event) -> None:
        self._world = world
        self._event = event
        self._written: dict[bool, str] = {}

    def body_for(self, session: Session) -> str | None:
        """Return the JSON, or None if this session does not see the event."""
        event = self._event
        if not session.has_guild(event.guild_id):
            return None
        if event.name.startswith("MESSAGE_"):
            return self._message_for(session)
        if event.name.startswith("GUILD_MEMBER_"):
            return self._member_for(session)
        if event.name == "INTERACTION_CREATE":
            return self._write(event.data)
        if not session.intents & GUILDS or not self._sees_thread():
            return None
        if event.name == "GUILD_CREATE":
            return guild_create(self._world, event.data, session)
        return self._write(event.data)

    def _sees_thread(self) -> bool:
        if not self._event.name.startswith("THREAD_"):
            return True
        held = self._world.permissions(self._event.channel_id or "", self._world.me)
        return bool(held & permissions.VIEW_CHANNEL)

    def _message_for(self, session: Session) -> str | None:
        event, world = self._event, self._world
        sees = world.permissions(event.channel_id or "", world.me) & permissions.VIEW_CHANNEL
        if not session.intents & GUILD_MESSAGES or not sees:
            return None
        if event.name in ("MESSAGE_DELETE", "MESSAGE_DELETE_BULK"):
            return self._write(event.data)
        hidden = not session.intents & MESSAGE_CONTENT and is_hidden(event.data, world.me)
        if hidden not in self._written:
            shown = without_content(event.data) if hidden else event.data
            self._written[hidden] = dumps(self._with_origin(shown))
        return self._written[hidden]

    def _with_origin(self, message: Json) -> Json:
        event = self._event
        guild = self._world.guilds[event.guild_id]
        data = {**message, "guild_id": event.guild_id}
        if member := guild.members.get(message["author"]["id"]):
            data["member"] = {key: value for key, value in member.items() if key != "user"}
        if event.nonce is not None:
            data["nonce"] = event.nonce
        return data

    def _member_for(self, session: Session) -> str | None:
        is_own = self._event.data["user"]["id"] == self._world.me
        if session.intents & MEMBERS or (is_own and self._event.name == "GUILD_MEMBER_UPDATE"):
            return self._write(self._event.data)
        return None

    def _write(self, data: Json) -> str:
        if False not in self._written:
            self._written[False] = dumps(data)
        return self._written[False]


def guild_create(world: World, described: Json, session: Session) -> str:
    """Return a guild. Without the members intent its only member is the bot itself."""
    guild = world.guilds[described["id"]]
    sees_all = session.intents & MEMBERS
    members = guild.members.values() if sees_all else [guild.members[world.me]]
    data = {
        **described,
        "members": list(members),
        "joined_at": guild.members[world.me]["joined_at"],
        "large": False,
        "voice_states": [],
        "presences": [],
        "threads": world.active_threads(guild),
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
    return dumps(data)


def members_chunk(guild: Guild, asked: Json) -> str:
    """Answer a request for members, by their ids or by how their names begin."""
    wanted = asked.get("user_ids")
    ids = set(map(str, wanted if isinstance(wanted, list) else [wanted])) if wanted else None
    begin = (asked.get("query") or "").lower()
    members = [
        member
        for user_id, member in guild.members.items()
        if (user_id in ids if ids else displayed_name(member).lower().startswith(begin))
    ]
    limit = asked.get("limit") or len(members)
    chunk: Json = {
        "guild_id": guild.id,
        "members": members[:limit],
        "chunk_index": 0,
        "chunk_count": 1,
        "not_found": sorted(ids - set(guild.members)) if ids else [],
    }
    if "nonce" in asked:
        chunk["nonce"] = asked["nonce"]
    return dumps(chunk)
