"""Reads the gateway's events, of which one that discord.py cannot read must stop nothing else.

discord.py relies on fields that Discord documents as optional, and lets the error end the bot. Such
an event is read again, cut down to the fields that we use; and a guild part by part, so that an odd
channel hides none of the others.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, ReconnectWebSocket

log = logging.getLogger(__name__)

Json = dict[str, Any]

MOST_TOLD = 100
IDS = ("id", "guild_id", "channel_id", "parent_id")
# The event as which each part of a guild is read.
PARTS = {"roles": "GUILD_ROLE_CREATE", "channels": "CHANNEL_CREATE", "threads": "THREAD_CREATE"}
OF_A_GUILD = ("id", "name", "unavailable")
LONG_AGO = "2015-05-13T00:00:00+00:00"
# discord.py's shard acts on these errors itself.
FOR_THE_SHARD = (
    ReconnectWebSocket, discord.DiscordException, OSError, aiohttp.ClientError,
)  # fmt: skip


class OnceWarner:
    """Warns of each trouble once, as a guild may send the same odd event every second."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def warn(self, what: str, error: Exception) -> None:
        if what not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(what)
            log.warning("%s: discord.py cannot read it: %r", what, error)


class SteadyWebSocket(DiscordWebSocket):
    """A connection that survives a frame which is not Discord's, or lacks what discord.py needs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._warner = OnceWarner()

    async def received_message(self, msg: Any, /) -> None:
        try:
            await super().received_message(msg)
        except FOR_THE_SHARD:
            raise
        except Exception as error:
            self._warner.warn(f"a frame of shard {self.shard_id}", error)


class EventReader:
    """Replaces discord.py's parsers in its table of events, and calls them."""

    def __init__(self, connection: discord.state.AutoShardedConnectionState[Any]) -> None:
        self._connection = connection
        self._parsers: dict[str, Callable[[Any], Any]] = dict(connection.parsers)
        self._parsers["GUILD_UPDATE"] = partial(self._update_guild, self._parsers["GUILD_UPDATE"])
        update_role = self._parsers["GUILD_ROLE_UPDATE"]
        self._parsers["GUILD_ROLE_UPDATE"] = partial(self._update_role, update_role)
        self._warner = OnceWarner()
        self.gaps: set[int] = set()
        """Guilds of which some channel could not be read, and may exist all the same."""
        self._cuts: dict[str, Callable[[Json], Json]] = {
            "READY": self._ready,
            "CHANNEL_CREATE": self._channel,
            "CHANNEL_UPDATE": self._channel,
            "THREAD_CREATE": self._thread,
            "THREAD_UPDATE": self._thread,
            "THREAD_DELETE": self._thread,
            "GUILD_ROLE_CREATE": self._role,
            "GUILD_ROLE_UPDATE": self._role,
            "GUILD_MEMBER_UPDATE": self._own_member,
        }
        for event in self._parsers:
            connection.parsers[event] = partial(self._see, event)

    def _see(self, event: str, data: Any) -> None:
        self.read(event, data)

    def read(self, event: str, data: Any) -> bool:
        """Return whether anything could be made of the event."""
        try:
            self._parsers[event](data)
        except Exception as error:
            self._warner.warn(f"{event} ({_ids(data)})", error)
            return isinstance(data, dict) and self._read_what_can_be(event, data)
        if event == "GUILD_CREATE":
            self.gaps.discard(int(data["id"]))
        return True

    def _update_guild(self, parse: Callable[[Json], None], data: Json) -> None:
        """Keep the roles, which discord.py forgets first even if the event brings none."""
        guild = self._connection._get_guild(int(data["id"]))
        roles = guild._roles if guild else {}
        try:
            parse(data)
        finally:
            if guild and not guild._roles:
                guild._roles = roles

    def _update_role(self, parse: Callable[[Json], None], data: Json) -> None:
        """Fill in known permissions: discord.py takes all from a role whose own are not told."""
        is_told = _is_number(data["role"].get("permissions"))
        parse(data if is_told else self._role(data))

    def _read_what_can_be(self, event: str, data: Json) -> bool:
        try:
            if event in ("GUILD_CREATE", "GUILD_UPDATE"):
                self._read_guild(event, data)
            elif event == "THREAD_LIST_SYNC":
                self._read_thread_list(data)
            elif event in self._cuts:
                self._parsers[event](self._cuts[event](data))
            else:
                return False
        except Exception as error:
            log.debug("%s (%s): not even in parts: %r", event, _ids(data), error)
            return False
        return True

    def _read_guild(self, event: str, data: Json) -> None:
        guild = {name: data[name] for name in OF_A_GUILD if data.get(name) is not None}
        if _is_number(data.get("owner_id")):
            guild["owner_id"] = data["owner_id"]
        count = data.get("member_count")
        guild["member_count"] = count if _is_number(count) else None
        own = str(self._connection.self_id)
        guild["members"] = [
            self._own_member({**member, "guild_id": data["id"]})
            for member in _listed(data.get("members"))
            if isinstance(member.get("user"), dict) and str(member["user"].get("id")) == own
        ]
        self._parsers[event](guild)
        is_whole = self._read_parts(data, data["id"])
        if event == "GUILD_CREATE" and not (is_whole and isinstance(data.get("channels"), list)):
            self.gaps.add(int(data["id"]))

    def _read_thread_list(self, data: Json) -> None:
        whole = {"guild_id": data["guild_id"], "threads": [], "members": []}
        if isinstance(data.get("channel_ids"), list):
            whole["channel_ids"] = data["channel_ids"]
        self._parsers["THREAD_LIST_SYNC"](whole)
        self._read_parts(data, data["guild_id"])

    def _read_parts(self, data: Json, guild_id: object) -> bool:
        """Read each part, and return whether all could be read."""
        is_whole = True
        for part, event in PARTS.items():
            for one in _listed(data.get(part)):
                piece = {"role": one} if part == "roles" else one
                is_whole &= self.read(event, {**piece, "guild_id": guild_id})
        return is_whole

    # These cut an event down to the fields that we use. A missing field keeps its known value.

    def _ready(self, data: Json) -> Json:
        connection = self._connection
        guilds = [one for one in _listed(data.get("guilds")) if "id" in one]
        return {
            "user": self._own_user(),
            "guilds": [{"id": one["id"], "unavailable": True} for one in guilds],
            # With several shards, Discord itself says which one it is.
            "shard": data.get("shard") or [connection.shard_ids[0], connection.shard_count],
        }

    def _channel(self, data: Json) -> Json:
        known = self._connection.get_channel(int(data["id"]))
        cut = {
            "id": data["id"],
            "guild_id": data["guild_id"],
            "name": data.get("name") or getattr(known, "name", ""),
            "parent_id": data.get("parent_id"),
            "position": 0,
            "bitrate": 64_000,
            "user_limit": 0,
            "permission_overwrites": list(_overwrites(data.get("permission_overwrites"))),
        }
        return cut if data.get("type") is None else {**cut, "type": data["type"]}

    def _thread(self, data: Json) -> Json:
        known = self._connection.get_channel(int(data["id"]))
        told = data.get("thread_metadata")
        state: Json = told if isinstance(told, dict) else {}
        return {
            "id": data["id"],
            "guild_id": data["guild_id"],
            "parent_id": data.get("parent_id") or getattr(known, "parent_id", None),
            "owner_id": 0,
            "name": data.get("name") or getattr(known, "name", ""),
            "type": data.get("type") or discord.ChannelType.public_thread.value,
            "message_count": 0,
            "member_count": 0,
            "newly_created": data.get("newly_created"),
            "thread_metadata": {
                "archived": bool(state.get("archived", getattr(known, "archived", False))),
                "locked": bool(state.get("locked", getattr(known, "locked", False))),
                "auto_archive_duration": 1440,
                "archive_timestamp": LONG_AGO,
            },
        }

    def _role(self, data: Json) -> Json:
        role = data["role"]
        guild = self._connection._get_guild(int(data["guild_id"]))
        known = guild and guild.get_role(int(role["id"]))
        held = known.permissions.value if known else 0
        cut = {
            "id": role["id"],
            "name": role.get("name") or (known.name if known else ""),
            "permissions": role["permissions"] if _is_number(role.get("permissions")) else held,
            "mentionable": bool(role.get("mentionable")),
        }
        return {"guild_id": data["guild_id"], "role": cut}

    def _own_member(self, data: Json) -> Json:
        if str(data["user"]["id"]) != str(self._connection.self_id):
            raise ValueError("nobody else is in the cache")
        guild = self._connection._get_guild(int(data["guild_id"]))
        known = guild and guild.me
        roles = data.get("roles")
        if not isinstance(roles, list):
            roles = list(known._roles) if known else []
        return {
            "guild_id": data["guild_id"],
            "user": self._own_user(),
            "roles": [role_id for role_id in roles if _is_number(role_id)],
            "communication_disabled_until": _moment(data.get("communication_disabled_until")),
            "flags": 0,
        }

    def _own_user(self) -> Json:
        user = self._connection.user
        if user is None:
            raise ValueError("nobody is logged in")
        return {
            "id": str(user.id),
            "username": user.name,
            "discriminator": user.discriminator,
            "global_name": user.global_name,
            "avatar": None,
            "bot": True,
        }


def _listed(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _overwrites(value: object) -> Iterator[Json]:
    for one in _listed(value):
        bits = {name: one.get(name) or 0 for name in ("allow", "deny")}
        if all(map(_is_number, (one.get("id"), *bits.values()))):
            yield {"id": one["id"], "type": int(one.get("type") or 0), **bits}


def _is_number(value: object) -> bool:
    """Return whether the value can be an id, a count or a set of permissions."""
    text = str(value)
    return text.isdecimal() and int(text) < 2**63


def _moment(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value


def _ids(data: object) -> str:
    """Return the ids of what an event is about, for the log."""
    if not isinstance(data, dict):
        return f"no object but {type(data).__name__}"
    found = [f"{name} {data[name]}" for name in IDS if data.get(name)]
    parts = {name: data[name] for name in ("role", "user") if isinstance(data.get(name), dict)}
    found += [f"{name} {part.get('id')}" for name, part in parts.items()]
    return ", ".join(found)
