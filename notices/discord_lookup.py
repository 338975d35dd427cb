"""Asks Discord about channels that somebody named by their ids, and that the gateway never lists.

Such are threads that were archived before the bot came, and ids of something else.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import discord
from django.db.models import F, Q
from django.utils import timezone

from notices.discord_channels import as_name, seen_in_threads
from notices.models import Channel, ErrorCode
from notices.permissions import THREADS

log = logging.getLogger(__name__)

ASKED_EVERY = timedelta(hours=1)
MOST_AT_ONCE = 20

# The last are threads that counted as gone when they were archived, before parents were kept.
_UNKNOWN = Q(seen_at=None) | Q(type__in=THREADS, parent_id=None, gone_at__isnull=False)

InDatabase = Callable[..., Awaitable[Any]]
Facts = dict[str, Any]


async def look_up_channels(client: discord.Client, in_database: InDatabase) -> None:
    """Those of studies, each once an hour until Discord knows it."""
    for channel_id in await in_database(channels_to_look_up):
        facts = _not_a_channel(client, channel_id) or await _told_by_discord(client, channel_id)
        await in_database(write_facts, channel_id, facts)


def channels_to_look_up() -> list[int]:
    asked_long_ago = Q(refused_at=None) | Q(refused_at__lt=timezone.now() - ASKED_EVERY)
    unknown = Channel.objects.filter(_UNKNOWN, asked_long_ago, studies__isnull=False)
    ordered = unknown.order_by(F("refused_at").asc(nulls_first=True), "pk").distinct()
    return list(ordered.values_list("pk", flat=True)[:MOST_AT_ONCE])


def write_facts(channel_id: int, facts: Facts) -> None:
    """What was refused is asked again in an hour; what the gateway tells meanwhile stands."""
    now = timezone.now()
    moment = "seen_at" if facts["refused_code"] is None else "refused_at"
    Channel.objects.filter(_UNKNOWN, pk=channel_id).update(**facts, **{moment: now})


def _not_a_channel(client: discord.Client, channel_id: int) -> Facts | None:
    if client.get_guild(channel_id) is not None:
        return {"refused_code": ErrorCode.A_SERVER}
    if any(guild.get_role(channel_id) for guild in client.guilds):
        return {"refused_code": ErrorCode.A_ROLE}
    return None


async def _told_by_discord(client: discord.Client, channel_id: int) -> Facts:
    try:
        told: Any = await client.http.get_channel(channel_id)
        return _shown(client, told)
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("channel %s: Discord does not show it: %s", channel_id, error)
        return {"refused_code": error.code or error.status}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("channel %s: what Discord says of it is not readable: %r", channel_id, error)
        return {"refused_code": 0}


def _shown(client: discord.Client, told: Facts) -> Facts:
    guild = client.get_guild(int(told.get("guild_id") or 0))
    facts: Facts = {
        "name": as_name(told.get("name")),
        "type": int(told["type"]),
        "guild_id": guild.id if guild else None,
        "guild_name": as_name(guild.name) if guild else "",
        "refused_code": None,
        "refused_at": None,
        "gone_at": None,
    }
    return facts | _of_thread(told, guild) if facts["type"] in THREADS else facts


def _of_thread(told: Facts, guild: discord.Guild | None) -> Facts:
    state = told.get("thread_metadata") or {}
    parent_id = int(told["parent_id"])
    return {
        "parent_id": parent_id,
        "is_archived": bool(state.get("archived")),
        "is_locked": bool(state.get("locked")),
        "permissions": seen_in_threads(guild).get(parent_id) if guild else None,
    }
