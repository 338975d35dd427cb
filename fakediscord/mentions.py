"""Computes whom a message pings: what its text names, as far as `allowed_mentions` lets it."""

import re

from fakediscord.forms import FormErrors
from fakediscord.wire import Json
from fakediscord.world import Guild

MENTION = re.compile(r"<@(&?)!?(\d{1,20})>|@(everyone|here)\b")
KINDS = ("roles", "users", "everyone")
MOST_IDS = 100
NOBODY: Json = {"mentions": [], "mention_roles": [], "mention_everyone": False}


def check_allowed_mentions(errors: FormErrors, value: Json | None) -> None:
    allowed = errors.mapping(("allowed_mentions",), value)
    parse = errors.items(("allowed_mentions", "parse"), allowed.get("parse"), len(KINDS))
    for position, kind in enumerate(parse):
        if kind not in KINDS:
            path = ("allowed_mentions", "parse", position)
            errors.add(path, "BASE_TYPE_CHOICES", f"Value must be one of {KINDS}.")
    for kind in ("users", "roles"):
        ids = errors.items(("allowed_mentions", kind), allowed.get(kind), MOST_IDS)
        if ids and kind in parse:
            errors.add(
                ("allowed_mentions",),
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )


def pinged(content: str, allowed: Json | None, guild: Guild, *, may_mention_everyone: bool) -> Json:
    """Return a message's three fields of mentions. Without `allowed` everything named pings."""
    if not content or ("@" not in content):
        return NOBODY.copy()
    users: dict[str, Json] = {}
    roles: list[str] = []
    everyone = False
    for is_role, snowflake, crowd in MENTION.findall(content):
        if crowd:
            everyone = everyone or (may_mention_everyone and _allows(allowed, "everyone", ""))
        elif is_role:
            role = guild.roles.get(snowflake)
            may = role and (role["mentionable"] or may_mention_everyone)
            if may and snowflake not in roles and _allows(allowed, "roles", snowflake):
                roles.append(snowflake)
        elif snowflake in guild.members and _allows(allowed, "users", snowflake):
            users[snowflake] = guild.members[snowflake]["user"]
    return {
        "mentions": list(users.values()),
        "mention_roles": roles,
        "mention_everyone": everyone,
    }


def _allows(allowed: Json | None, kind: str, snowflake: str) -> bool:
    if allowed is None or kind in (allowed.get("parse") or ()):
        return True
    return snowflake in map(str, allowed.get(kind) or ()) if snowflake else False
