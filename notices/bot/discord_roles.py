"""Keeps our list of roles, and how many people have each, in step with Discord."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TypedDict

import discord
from django.db import transaction

from notices.bot.database_thread import InDatabase
from notices.bot.discord_channels import as_name
from notices.models import Role
from notices.outside import clock

log = logging.getLogger(__name__)

# Without the privileged members intent, no event tells who joins, leaves or is given a role.
COUNTED_EVERY = timedelta(hours=1)
SEEN_FIELDS = ("guild_name", "name", "mentionable")


class RoleRow(TypedDict):
    """The fields of `Role` that the gateway tells."""

    id: int
    guild_id: int
    guild_name: str
    name: str
    mentionable: bool
    member_count: int | None


def seen_roles(guild: discord.Guild) -> list[RoleRow]:
    """Return a guild's roles as the gateway's cache has them, as fields of `Role`."""
    return [
        {
            "id": role.id,
            "guild_id": guild.id,
            "guild_name": as_name(guild.name),
            "name": as_name(role.name),
            "mentionable": role.mentionable,
            # This is the number when the gateway connected; it holds until the people are counted.
            "member_count": guild.member_count if role.is_default() else None,
        }
        for role in guild._roles.values()  # guild.roles sorts by positions, which may be missing
    ]


def write_roles(guild_id: int, seen: list[RoleRow]) -> None:
    """Make the table say what was seen of this guild, writing only what changed."""
    known = {role.pk: role for role in Role.objects.filter(guild_id=guild_id)}
    Role.objects.bulk_create(
        [Role(**row) for row in seen if not _is_known(known.get(row["id"]), row)],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=SEEN_FIELDS,
    )
    gone = known.keys() - {row["id"] for row in seen}
    if gone:
        Role.objects.filter(pk__in=gone).delete()


def _is_known(known: Role | None, row: Mapping[str, object]) -> bool:
    return known is not None and all(getattr(known, name) == row[name] for name in SEEN_FIELDS)


async def count_people(
    client: discord.Client, in_database: InDatabase, *, since: datetime | None = None
) -> None:
    """Ask for each guild how many people have its roles, if that was asked an hour ago or more.

    Guilds counted before `since` are asked too: nobody counted while no bot ran.
    """
    for guild_id in await in_database(guilds_to_count, since):
        guild = client.get_guild(guild_id)
        if guild is not None and not guild.unavailable:
            await in_database(write_counts, guild_id, await _counts(client, guild_id))


def guilds_to_count(since: datetime | None = None) -> list[int]:
    """Return the guilds with a study, because only their people can be pinged."""
    before = clock.now() - COUNTED_EVERY
    return list(
        Role.objects.to_count(max(before, since) if since else before)
        .order_by("counted_at")
        .values_list("guild_id", flat=True)
    )


async def _counts(client: discord.Client, guild_id: int) -> dict[int, int | None]:
    """Return the counts by role. Discord leaves out @everyone, which is all people of the guild."""
    try:
        counts = await client.http.get_role_member_counts(guild_id)
        guild = await client.fetch_guild(guild_id, with_counts=True)
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("guild %s: its people cannot be counted: %s", guild_id, error)
        return {}
    told = {int(role_id): count for role_id, count in counts.items()}
    return {**told, guild_id: guild.approximate_member_count}


def write_counts(guild_id: int, counts: dict[int, int | None]) -> None:
    """Write the counts; a role without one keeps the number it had."""
    now: datetime = clock.now()
    with transaction.atomic():
        roles = list(Role.objects.select_for_update().filter(guild_id=guild_id))
        for role in roles:
            if (count := counts.get(role.pk)) is not None:
                role.member_count = count
            role.counted_at = now
        Role.objects.bulk_update(roles, ["member_count", "counted_at"])
