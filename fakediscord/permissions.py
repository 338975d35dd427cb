"""Computes a member's permissions in a channel, from roles and overwrites, as Discord does."""

from collections.abc import Iterable

from fakediscord.wire import Json

BITS: dict[str, int] = {
    "KICK_MEMBERS": 1,
    "ADMINISTRATOR": 3,
    "MANAGE_CHANNELS": 4,
    "MANAGE_GUILD": 5,
    "ADD_REACTIONS": 6,
    "VIEW_CHANNEL": 10,
    "SEND_MESSAGES": 11,
    "MANAGE_MESSAGES": 13,
    "EMBED_LINKS": 14,
    "ATTACH_FILES": 15,
    "READ_MESSAGE_HISTORY": 16,
    "MENTION_EVERYONE": 17,
    "USE_EXTERNAL_EMOJIS": 18,
    "CONNECT": 20,
    "MANAGE_ROLES": 28,
    "MANAGE_WEBHOOKS": 29,
    "USE_APPLICATION_COMMANDS": 31,
    "MANAGE_EVENTS": 33,
    "MANAGE_THREADS": 34,
    "CREATE_PUBLIC_THREADS": 35,
    "SEND_MESSAGES_IN_THREADS": 38,
    "CREATE_EVENTS": 44,
    "SEND_POLLS": 49,
    "PIN_MESSAGES": 51,
}

ADMINISTRATOR = 1 << BITS["ADMINISTRATOR"]
VIEW_CHANNEL = 1 << BITS["VIEW_CHANNEL"]
SEND_MESSAGES = 1 << BITS["SEND_MESSAGES"]
MANAGE_MESSAGES = 1 << BITS["MANAGE_MESSAGES"]
EMBED_LINKS = 1 << BITS["EMBED_LINKS"]
ATTACH_FILES = 1 << BITS["ATTACH_FILES"]
READ_MESSAGE_HISTORY = 1 << BITS["READ_MESSAGE_HISTORY"]
MENTION_EVERYONE = 1 << BITS["MENTION_EVERYONE"]
CONNECT = 1 << BITS["CONNECT"]
MANAGE_THREADS = 1 << BITS["MANAGE_THREADS"]
SEND_MESSAGES_IN_THREADS = 1 << BITS["SEND_MESSAGES_IN_THREADS"]
PIN_MESSAGES = 1 << BITS["PIN_MESSAGES"]
# The permissions that a member keeps while a moderator has timed it out.
LEFT_BY_A_TIMEOUT = VIEW_CHANNEL | READ_MESSAGE_HISTORY

ALL = (1 << 53) - 1

ROLE_OVERWRITE = 0
MEMBER_OVERWRITE = 1


def bits_of(names: str | int | Iterable[str]) -> int:
    """Return the bits of names in `BITS`, or of a number as Discord writes it (`"2048"`)."""
    if isinstance(names, (str, int)):
        return int(names)
    return sum(1 << BITS[name] for name in set(names))


def of_member(roles: dict[str, Json], everyone_id: str, member: Json) -> int:
    """Return what the member's roles allow in the whole guild."""
    held = int(roles[everyone_id]["permissions"])
    for role_id in member["roles"]:
        held |= int(roles[role_id]["permissions"]) if role_id in roles else 0
    return ALL if held & ADMINISTRATOR else held


def in_channel(
    base: int,
    overwrites: list[Json],
    everyone_id: str,
    member: Json,
    *,
    send: int = SEND_MESSAGES,
) -> int:
    """Return what `base`, the member's permissions in the guild, come to in a channel.

    Without `send`, the permission to write there, all that goes with writing is denied.
    """
    if base & ADMINISTRATOR:
        return ALL
    held = base
    for ids, kind in (
        ({everyone_id}, ROLE_OVERWRITE),
        (set(member["roles"]), ROLE_OVERWRITE),
        ({member["user"]["id"]}, MEMBER_OVERWRITE),
    ):
        held = _overwritten(held, [o for o in overwrites if o["type"] == kind and o["id"] in ids])
    return _without_what_is_implied(held, send)


def _overwritten(held: int, overwrites: list[Json]) -> int:
    deny = allow = 0
    for overwrite in overwrites:
        deny |= int(overwrite["deny"])
        allow |= int(overwrite["allow"])
    return (held & ~deny) | allow


def _without_what_is_implied(held: int, send: int) -> int:
    if not held & VIEW_CHANNEL:
        return 0
    if not held & send:
        return held & ~(MENTION_EVERYONE | EMBED_LINKS | ATTACH_FILES)
    return held
