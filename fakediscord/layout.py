"""Reads a Discord from a JSON file: who is there, in which guilds, with what rights."""

import json
from pathlib import Path

from fakediscord.permissions import bits_of
from fakediscord.threads import thread_json
from fakediscord.wire import Json
from fakediscord.world import World

DEFAULT_LAYOUT = Path(__file__).with_name("layout.json")

CHANNEL_TYPES = {
    "text": 0,
    "voice": 2,
    "category": 4,
    "announcement": 5,
    "stage": 13,
    "forum": 15,
    "media": 16,
}
EVERYONE_MAY = [
    "VIEW_CHANNEL",
    "SEND_MESSAGES",
    "EMBED_LINKS",
    "ATTACH_FILES",
    "READ_MESSAGE_HISTORY",
    "ADD_REACTIONS",
    "USE_APPLICATION_COMMANDS",
    "CONNECT",
    "SEND_MESSAGES_IN_THREADS",
]


class LayoutError(Exception):
    """A layout that cannot be laid out, with the place and the reason."""


def read_layout(path: Path) -> World:
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LayoutError(f"cannot read the layout {path}: {error.strerror}") from error
    except ValueError as error:
        raise LayoutError(f"the layout {path} is no JSON: {error}") from error
    try:
        return lay_out(described)
    except KeyError as error:
        raise LayoutError(f"the layout {path} lacks, or does not know, {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise LayoutError(f"the layout {path} has something out of place: {error}") from error


def lay_out(described: Json) -> World:
    world = World()
    world.application = {"description": "", **described["application"]}
    world.me = world.add_user({**described["bot"], "bot": True})["id"]
    for person in described.get("people", []):
        world.add_user(person)
    world.acting = described.get("acting") or next(
        (user["id"] for user in world.users.values() if not user["bot"]), world.me
    )
    for guild in described.get("guilds", []):
        added = world.add_guild(guild_json(world, guild))
        for thread in guild.get("threads", []):
            parent = added.channels[thread["parent_id"]]
            world.put_thread(thread_json(world.snowflakes, parent, thread, world.acting))
    return world


def guild_json(world: World, described: Json) -> Json:
    """Return a guild as Discord writes it; if it names no members, all people are members."""
    guild_id = described.get("id") or world.snowflakes.make()
    members = described.get("members") or [
        {"id": user_id} for user_id in world.users if user_id != world.me
    ]
    bot = {"id": world.me, "roles": [], **described.get("bot", {})}
    everyone = {"id": guild_id, "name": "@everyone", "permissions": EVERYONE_MAY}
    described_roles = {role.get("id"): role for role in [everyone, *described.get("roles", [])]}
    return {
        "id": guild_id,
        "name": described["name"],
        "icon_text": described.get("icon_text"),
        "owner_id": described.get("owner") or members[0]["id"],
        "roles": [role_json(world, r, n) for n, r in enumerate(described_roles.values())],
        "members": [member_json(world, member) for member in [bot, *members]],
        "channels": [
            channel_json(world, guild_id, channel, position)
            for position, channel in enumerate(described.get("channels", []))
        ],
    }


def role_json(world: World, described: Json, position: int) -> Json:
    return {
        "id": described.get("id") or world.snowflakes.make(),
        "name": described["name"],
        "color": described.get("color", 0),
        "colors": {"primary_color": described.get("color", 0)},
        "hoist": described.get("hoist", False),
        "icon": None,
        "unicode_emoji": None,
        "position": described.get("position", position),
        "permissions": str(bits_of(described.get("permissions", []))),
        "managed": described.get("managed", False),
        "mentionable": described.get("mentionable", False),
        "flags": 0,
        **({"tags": described["tags"]} if "tags" in described else {}),
    }


def member_json(world: World, described: Json) -> Json:
    return {
        "user": world.users[described["id"]],
        "nick": described.get("nick"),
        "avatar": None,
        "banner": None,
        "roles": described.get("roles", []),
        "joined_at": described.get("joined_at", "2025-03-02T09:00:00.000000+00:00"),
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "communication_disabled_until": None,
        "flags": 0,
    }


def channel_json(world: World, guild_id: str, described: Json, position: int) -> Json:
    kind = described.get("type", "text")
    overwrites = list(described.get("overwrites", []))
    if "bot_denied" in described:
        overwrites.append({"id": world.me, "deny": described["bot_denied"]})
    return {
        "id": described.get("id") or world.snowflakes.make(),
        "type": CHANNEL_TYPES[kind] if isinstance(kind, str) else kind,
        "guild_id": guild_id,
        "name": described["name"],
        "topic": described.get("topic"),
        "position": described.get("position", position),
        "parent_id": described.get("parent_id"),
        "nsfw": False,
        "rate_limit_per_user": 0,
        "bitrate": 64000,
        "user_limit": 0,
        "last_message_id": None,
        "flags": 0,
        "permission_overwrites": [overwrite_json(world, one) for one in overwrites],
    }


def overwrite_json(world: World, described: Json) -> Json:
    """Return an overwrite: of a member if the id is a user's, else of a role."""
    return {
        "id": described["id"],
        "type": int(described.get("type", described["id"] in world.users)),
        "allow": str(bits_of(described.get("allow", []))),
        "deny": str(bits_of(described.get("deny", []))),
    }
