"""Asks Discord about channels which somebody named by id and the gateway does not list.

Those are threads that were archived before the bot came, and ids of something else.
"""

import logging
from datetime import timedelta
from typing import Any

import discord
from django.db.models import F, Q

from notices.advice.error_codes import MISSING_PERMISSIONS
from notices.advice.permissions import THREADS
from notices.bot.database_thread import InDatabase
from notices.bot.discord_channels import as_name, seen_in_threads, timed_out_until
from notices.delivery.due import Shards
from notices.models import Channel, ErrorCode
from notices.outside import clock

log = logging.getLogger(__name__)

ASKED_EVERY = timedelta(hours=1)
MOST_AT_ONCE = 20

# Older versions kept no parents, and took threads for gone when they were archived.
_UNKNOWN = Q(seen_at=None) | Q(type__in=THREADS, parent_id=None, gone_at__isnull=False)

Json = dict[str, Any]
Facts = dict[str, object]


async def look_up_channels(client: discord.Client, in_database: InDatabase, shards: Shards) -> None:
    """Ask about the studies' unknown channels, each once an hour until Discord knows it."""
    for channel_id in await in_database(channels_to_look_up, shards):
        facts = _not_a_channel(client, channel_id)
        facts = facts or await _told_by_discord(client, channel_id, shards)
        await in_database(write_facts, channel_id, facts)


def channels_to_look_up(shards: Shards) -> list[int]:
    asked_long_ago = Q(refused_at=None) | Q(refused_at__lt=clock.now() - ASKED_EVERY)
    # This code came from a message, perhaps during a timeout, and not from this question.
    is_to_be_asked = asked_long_ago | Q(refused_code=MISSING_PERMISSIONS)
    unknown = Channel.objects.filter(_UNKNOWN, is_to_be_asked, studies__isnull=False)
    ordered = unknown.order_by(F("refused_at").asc(nulls_first=True), "pk").distinct()
    # As with deliveries, a channel of which nobody knows the guild is the first shard's.
    found = ordered.values_list("pk", "guild_id")
    return [pk for pk, guild_id in found if shards.own(guild_id or 0)][:MOST_AT_ONCE]


def write_facts(channel_id: int, facts: Facts) -> None:
    """Write what Discord said, unless the gateway told of the channel meanwhile.

    After a refusal the channel is asked about again in an hour. Where its guild is another bot's,
    that is all that is kept, and the other bot asks.
    """
    if "refused_code" in facts:
        moment = "seen_at" if facts["refused_code"] is None else "refused_at"
        facts = {**facts, moment: clock.now()}
    Channel.objects.filter(_UNKNOWN, pk=channel_id).update(**facts)


def _not_a_channel(client: discord.Client, channel_id: int) -> Facts | None:
    if client.get_guild(channel_id) is not None:
        return {"refused_code": ErrorCode.A_SERVER}
    if any(guild.get_role(channel_id) for guild in client.guilds):
        return {"refused_code": ErrorCode.A_ROLE}
    return None


async def _told_by_discord(client: discord.Client, channel_id: int, shards: Shards) -> Facts:
    try:
        told: Any = await client.http.get_channel(channel_id)
        guild_id = int(told.get("guild_id") or 0)
        return _shown(client, told) if shards.own(guild_id) else {"guild_id": guild_id or None}
    except (discord.Forbidden, discord.NotFound) as error:
        log.warning("channel %s: Discord does not show it: %s", channel_id, error)
        return {"refused_code": error.code or error.status}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        log.warning("channel %s: what Discord says of it is not readable: %r", channel_id, error)
        return {"refused_code": 0}


def _shown(client: discord.Client, told: Json) -> Facts:
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


def _of_thread(told: Json, guild: discord.Guild | None) -> Facts:
    state = told.get("thread_metadata") or {}
    parent_id = int(told["parent_id"])
    return {
        "parent_id": parent_id,
        "is_archived": bool(state.get("archived")),
        "is_locked": bool(state.get("locked")),
        "permissions": seen_in_threads(guild).get(parent_id) if guild else None,
        "timed_out_until": timed_out_until(guild) if guild else None,
    }
