"""Keeps our list of roles, and how many people have each, in step with Discord."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import discord
from django.db import transaction
from django.utils import timezone

from notices.discord_channels import as_name
from notices.models import Role

log = logging.getLogger(__name__)

# Without the privileged members intent no event tells who joins, leaves or is given a role.
COUNTED_EVERY = timedelta(hours=1)
SEEN_FIELDS = ("guild_name", "name", "mentionable")

InDatabase = Callable[..., Awaitable[Any]]


def seen_roles(guild: discord.Guild) -> list[dict[str, Any]]:
    """What the gateway's cache knows of a guild's roles, as the fields of `Role`."""
    return [
        {
            "id": role.id,
            "guild_id": guild.id,
            "guild_name": as_name(guild.name),
            "name": as_name(role.name),
            "mentionable": role.mentionable,
            # Right when the gateway connected: it stands until the people are counted.
            "member_count": guild.member_count if role.is_default() else None,
        }
        for role in guild.roles
    ]


def write_roles(guild_id: int, seen: list[dict[str, Any]]) -> None:
    """Make the table say what was seen of this guild. Only what changed is written."""
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


def _is_known(known: Role | None, row: dict[str, Any]) -> bool:
    return known is not None and all(getattr(known, name) == row[name] for name in SEEN_FIELDS)


async def count_people(
    client: discord.Client, in_database: InDatabase, *, since: datetime | None = None
) -> None:
    """Ask, guild by guild, how many people a ping would reach, where that was long ago.

    Or before `since`: who came while no bot ran is counted at its start.
    """
    for guild_id in await in_database(guilds_to_count, since):
        guild = client.get_guild(guild_id)
        if guild is not None and not guild.unavailable:
            await in_database(write_counts, guild_id, await _counts(client, guild_id))


def guilds_to_count(since: datetime | None = None) -> list[int]:
    """Those with a study, as nobody else's people are pinged."""
    before = timezone.now() - COUNTED_EVERY
    return list(
        Role.objects.to_count(max(before, since) if since else before)
        .order_by("counted_at")
        .values_list("guild_id", flat=True)
    )


async def _counts(client: discord.Client, guild_id: int) -> dict[int, int | None]:
    """By the role's id. Discord leaves @everyone out, who are all people of the guild."""
    try:
        counts = await client.http.get_role_member_counts(guild_id)
        guild = await client.fetch_guild(guild_id, with_counts=True)
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("guild %s: its people cannot be counted: %s", guild_id, error)
        return {}
    told = {int(role_id): count for role_id, count in counts.items()}
    return {**told, guild_id: guild.approximate_member_count}


def write_counts(guild_id: int, counts: dict[int, int | None]) -> None:
    """What was not told is left unknown, or as it was told last."""
    now: datetime = timezone.now()
    with transaction.atomic():
        roles = list(Role.objects.select_for_update().filter(guild_id=guild_id))
        for role in roles:
            if (count := counts.get(role.pk)) is not None:
                role.member_count = count
            role.counted_at = now
        Role.objects.bulk_update(roles, ["member_count", "counted_at"])
