"""Holds guilds with channels, roles and members, and tells the listeners of every change."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from fakediscord import permissions
from fakediscord.errors import ApiError
from fakediscord.snowflake import Snowflakes
from fakediscord.threads import is_archived
from fakediscord.timestamps import is_past
from fakediscord.wire import Json


class Event(NamedTuple):
    """A change that the gateway and the page tell of, by the gateway's name for it."""

    name: str
    guild_id: str
    data: Json
    channel_id: str | None = None
    nonce: str | int | None = None


@dataclass(slots=True)
class Guild:
    """A guild; `about` is what Discord says of the guild itself, without what is in it."""

    about: Json
    roles: dict[str, Json] = field(default_factory=dict)
    channels: dict[str, Json] = field(default_factory=dict)
    members: dict[str, Json] = field(default_factory=dict)
    threads: dict[str, Json] = field(default_factory=dict)

    @property
    def id(self) -> str:
        guild_id: str = self.about["id"]
        return guild_id

    def json(self) -> Json:
        """Return the guild as REST and GUILD_UPDATE write it."""
        return {**self.about, "roles": list(self.roles.values())}

    def full_json(self) -> Json:
        """Return the guild with all that is in it, as GUILD_CREATE writes it."""
        return {
            **self.json(),
            "member_count": len(self.members),
            "members": list(self.members.values()),
            "channels": list(self.channels.values()),
            "threads": list(self.threads.values()),
        }

    def available_json(self) -> Json:
        """Return a guild that the bot was in before. A new one does not have `unavailable`."""
        return {**self.full_json(), "unavailable": False}


GUILD_DEFAULTS: Json = {
    "icon": None,
    "icon_text": None,
    "splash": None,
    "banner": None,
    "description": None,
    "region": "south-korea",
    "preferred_locale": "ko",
    "features": [],
    "emojis": [],
    "stickers": [],
    "verification_level": 1,
    "default_message_notifications": 1,
    "explicit_content_filter": 0,
    "mfa_level": 0,
    "nsfw_level": 0,
    "afk_channel_id": None,
    "afk_timeout": 300,
    "system_channel_id": None,
    "system_channel_flags": 0,
    "rules_channel_id": None,
    "public_updates_channel_id": None,
    "premium_tier": 0,
    "premium_subscription_count": 0,
    "max_members": 500_000,
    "vanity_url_code": None,
}
# People have had none since 2023; bots still have one.
BOT_DISCRIMINATOR = "7291"
INSIDE = ("roles", "members", "channels", "threads")


class World:
    def __init__(self) -> None:
        self.snowflakes = Snowflakes()
        self.application: Json = {}
        self.me = ""
        self.acting = ""
        self.users: dict[str, Json] = {}
        self.guilds: dict[str, Guild] = {}
        self.guild_of: dict[str, Guild] = {}
        self.listeners: list[Callable[[Event], None]] = []
        self._permissions: dict[tuple[str, str], int] = {}

    def tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)

    # Looking things up, and refusing what is not there as Discord does

    def guild(self, guild_id: str) -> Guild:
        """Return a guild that the bot is in."""
        guild = self.guilds.get(guild_id)
        if guild is None or self.me not in guild.members:
            raise ApiError(10004)
        return guild

    def channel(self, channel_id: str) -> Json:
        guild = self.guild_of.get(channel_id)
        if guild is None:
            raise ApiError(10003)
        return guild.channels.get(channel_id) or guild.threads[channel_id]

    def active_threads(self, guild: Guild) -> list[Json]:
        """Return the active threads that the bot sees."""
        return [
            thread
            for thread in guild.threads.values()
            if not is_archived(thread) and self._is_seen(thread["id"])
        ]

    def _is_seen(self, channel_id: str) -> bool:
        """Return whether the bot sees the channel."""
        return bool(self.permissions(channel_id, self.me) & permissions.VIEW_CHANNEL)

    def member(self, guild: Guild, user_id: str) -> Json:
        member = guild.members.get(user_id)
        if member is None:
            raise ApiError(10007)
        return member

    def permissions(self, channel_id: str, user_id: str) -> int:
        """Return what the user may do in the channel; 0 for one who is not a member."""
        key = (channel_id, user_id)
        known = self._permissions.get(key)
        if known is None:
            known = self._permissions[key] = self._computed_permissions(channel_id, user_id)
        # This is not cached, because no event tells of a timeout's end.
        return known & permissions.LEFT_BY_A_TIMEOUT if self._is_timed_out(*key) else known

    def _is_timed_out(self, channel_id: str, user_id: str) -> bool:
        """Return whether the user is timed out, which owners and administrators never are."""
        guild = self.guild_of.get(channel_id)
        member = guild.members.get(user_id) if guild else None
        if guild is None or member is None or is_past(member.get("communication_disabled_until")):
            return False
        return not self.guild_permissions(guild, user_id) & permissions.ADMINISTRATOR

    def _computed_permissions(self, channel_id: str, user_id: str) -> int:
        guild = self.guild_of.get(channel_id)
        if guild is None or user_id not in guild.members:
            return 0
        member = guild.members[user_id]
        thread = guild.threads.get(channel_id)
        channel = guild.channels[thread["parent_id"] if thread else channel_id]
        send = permissions.SEND_MESSAGES_IN_THREADS if thread else permissions.SEND_MESSAGES
        overwrites = channel.get("permission_overwrites", [])
        base = self.guild_permissions(guild, user_id)
        return permissions.in_channel(base, overwrites, guild.id, member, send=send)

    def guild_permissions(self, guild: Guild, user_id: str) -> int:
        if guild.about["owner_id"] == user_id:
            return permissions.ALL
        return permissions.of_member(guild.roles, guild.id, guild.members[user_id])

    # Changing things

    def add_user(self, described: Json) -> Json:
        user: Json = {
            "id": described.get("id") or self.snowflakes.make(),
            "username": described["username"],
            "global_name": described.get("global_name") or described["username"],
            "discriminator": BOT_DISCRIMINATOR if described.get("bot") else "0",
            "avatar": None,
            "avatar_color": described.get("avatar_color"),
            "avatar_decoration_data": None,
            "banner": None,
            "accent_color": None,
            "bot": described.get("bot", False),
            "public_flags": 0,
        }
        return self.users.setdefault(user["id"], user)

    def add_guild(self, described: Json) -> Guild:
        about = {key: value for key, value in described.items() if key not in INSIDE}
        guild = Guild(
            {**GUILD_DEFAULTS, **about},
            {role["id"]: role for role in described["roles"]},
            {channel["id"]: channel for channel in described["channels"]},
            {member["user"]["id"]: member for member in described["members"]},
            {thread["id"]: thread for thread in described.get("threads", [])},
        )
        self.guilds[guild.id] = guild
        self.guild_of.update(dict.fromkeys([*guild.channels, *guild.threads], guild))
        self._changed(Event("GUILD_CREATE", guild.id, guild.full_json()))
        return guild

    def change_guild(self, guild: Guild, changes: Json) -> None:
        guild.about.update(changes)
        self._changed(Event("GUILD_UPDATE", guild.id, guild.json()))

    def remove_guild(self, guild: Guild, *, is_outage: bool = False) -> None:
        """Put the bot out of the guild or, in an outage, make the guild unavailable."""
        data: Json = {"id": guild.id}
        if is_outage:
            data["unavailable"] = True
        else:
            del self.guilds[guild.id]
            for channel_id in (*guild.channels, *guild.threads):
                del self.guild_of[channel_id]
        self._changed(Event("GUILD_DELETE", guild.id, data))

    def bring_back(self, guild: Guild) -> None:
        """End the guild's outage."""
        self._changed(Event("GUILD_CREATE", guild.id, guild.available_json()))

    def put_channel(self, guild: Guild, channel: Json) -> None:
        """Add a channel, or replace a known one."""
        is_new = channel["id"] not in guild.channels
        name = "CHANNEL_CREATE" if is_new else "CHANNEL_UPDATE"
        was_seen = is_new or self._is_seen(channel["id"])
        guild.channels[channel["id"]] = channel
        self.guild_of[channel["id"]] = guild
        self._changed(Event(name, guild.id, channel, channel["id"]))
        if not was_seen and self._is_seen(channel["id"]):
            self.tell(self._thread_list(guild, channel["id"]))

    def _thread_list(self, guild: Guild, parent_id: str) -> Event:
        """Return the event for a channel that comes into the bot's sight."""
        threads = [one for one in self.active_threads(guild) if one["parent_id"] == parent_id]
        data = {
            "guild_id": guild.id, "channel_ids": [parent_id], "threads": threads, "members": [],
        }  # fmt: skip
        return Event("THREAD_LIST_SYNC", guild.id, data, parent_id)

    def remove_channel(self, channel_id: str) -> None:
        """Remove a channel and its threads, of which no event tells."""
        guild = self.guild_of[channel_id]
        inside = [one["id"] for one in guild.threads.values() if one["parent_id"] == channel_id]
        channel = guild.channels.pop(channel_id)
        for gone in (channel_id, *inside):
            guild.threads.pop(gone, None)
            del self.guild_of[gone]
        self._changed(Event("CHANNEL_DELETE", guild.id, channel, channel_id))

    def put_thread(self, thread: Json) -> None:
        """Add a thread, or replace a known one."""
        guild = self.guild_of[thread["parent_id"]]
        is_new = thread["id"] not in guild.threads
        guild.threads[thread["id"]] = thread
        self.guild_of[thread["id"]] = guild
        told = {**thread, "newly_created": True} if is_new else thread
        name = "THREAD_CREATE" if is_new else "THREAD_UPDATE"
        self._changed(Event(name, guild.id, told, thread["id"]))

    def remove_thread(self, thread_id: str) -> None:
        guild = self.guild_of[thread_id]
        thread = guild.threads[thread_id]
        data = {name: thread[name] for name in ("id", "guild_id", "parent_id", "type")}
        # It is told first, while the world still knows who saw the thread.
        self.tell(Event("THREAD_DELETE", guild.id, data, thread_id))
        del guild.threads[thread_id], self.guild_of[thread_id]
        self._permissions.clear()

    def put_role(self, guild: Guild, role: Json) -> None:
        name = "GUILD_ROLE_UPDATE" if role["id"] in guild.roles else "GUILD_ROLE_CREATE"
        guild.roles[role["id"]] = role
        self._changed(Event(name, guild.id, {"guild_id": guild.id, "role": role}))

    def remove_role(self, guild: Guild, role_id: str) -> None:
        del guild.roles[role_id]
        for member in guild.members.values():
            member["roles"] = [other for other in member["roles"] if other != role_id]
        self._changed(
            Event("GUILD_ROLE_DELETE", guild.id, {"guild_id": guild.id, "role_id": role_id})
        )

    def put_member(self, guild: Guild, member: Json) -> None:
        user_id = member["user"]["id"]
        name = "GUILD_MEMBER_UPDATE" if user_id in guild.members else "GUILD_MEMBER_ADD"
        guild.members[user_id] = member
        self._changed(Event(name, guild.id, {"guild_id": guild.id, **member}))

    def remove_member(self, guild: Guild, user_id: str) -> None:
        member = guild.members.pop(user_id)
        data = {"guild_id": guild.id, "user": member["user"]}
        self._changed(Event("GUILD_MEMBER_REMOVE", guild.id, data))

    def _changed(self, event: Event) -> None:
        self._permissions.clear()
        self.tell(event)

    # Keeping things across a restart

    def dump(self) -> Json:
        return {
            "last_id": self.snowflakes.last,
            "application": self.application,
            "me": self.me,
            "acting": self.acting,
            "users": self.users,
            "guilds": [guild.full_json() for guild in self.guilds.values()],
        }

    def load(self, dumped: Json) -> None:
        """Load what `dump` gave; members share their users again."""
        self.snowflakes.last = dumped["last_id"]
        self.application, self.me = dumped["application"], dumped["me"]
        self.acting, self.users = dumped["acting"], dumped["users"]
        for described in dumped["guilds"]:
            for member in described["members"]:
                member["user"] = self.users[member["user"]["id"]]
            del described["member_count"]
            self.add_guild(described)


def displayed_name(member: Json) -> str:
    user: Json = member["user"]
    return str(member["nick"] or user["global_name"] or user["username"])
