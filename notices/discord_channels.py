"""Keeps our list of channels, and what the bot may do in each, in step with Discord."""

from datetime import datetime
from typing import Any

import discord
from django.db import transaction

from notices.models import Channel

# Forum and media channels take threads only; categories take nothing.
SENDABLE = frozenset(Channel.Type.values)
SEEN_FIELDS = ("guild_id", "guild_name", "name", "type", "permissions", "gone_at", "seen_at")


def seen_channels(guild: discord.Guild) -> list[dict[str, Any]]:
    """What the gateway's cache knows of a guild's channels, as the fields of `Channel`."""
    return [
        {
            "id": channel.id,
            "guild_id": guild.id,
            "guild_name": as_name(guild.name),
            "name": as_name(channel.name),
            "type": channel.type.value,
            "permissions": _permissions(channel, guild.me),
        }
        for channel in (*guild.channels, *guild.threads)
        if channel.type.value in SENDABLE
    ]


def permissions_in(client: discord.AutoShardedClient, channel_id: int) -> int | None:
    """The bot's permissions in a channel; null where the gateway does not tell them now."""
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return None
    shard = client.get_shard(channel.guild.shard_id)
    if shard is None or shard.is_closed():
        return None  # what was changed while it is cut off is not known
    if None in (channel.guild.me, channel.guild.default_role):
        return None
    return _permissions(channel, channel.guild.me)


def _permissions(
    channel: discord.abc.GuildChannel | discord.Thread, me: discord.Member
) -> int | None:
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None  # it has none of its own
    return channel.permissions_for(me).value


def as_name(text: str | None) -> str:
    """A name of Discord's as every database takes it."""
    clean = (text or "").encode(errors="replace").decode().replace("\0", "")
    return clean[:100]


def write_channels(guild_id: int, seen: list[dict[str, Any]], now: datetime) -> None:
    """Make the table say what was seen of this guild. Only what changed is written."""
    with transaction.atomic():
        ids = [row["id"] for row in seen]
        known = {channel.pk: channel for channel in Channel.objects.filter(pk__in=ids)}
        changed = [_updated(known.get(row["id"]), row, now) for row in seen]
        Channel.objects.bulk_create(
            [channel for channel in changed if channel is not None],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*SEEN_FIELDS, "refused_at", "refused_code"],
        )
        Channel.objects.filter(guild_id=guild_id, gone_at=None).exclude(pk__in=ids).update(
            gone_at=now, permissions=0
        )


def write_channels_gone(guild_id: int, now: datetime) -> None:
    """The bot is no longer in this guild."""
    Channel.objects.filter(guild_id=guild_id, gone_at=None).update(gone_at=now, permissions=0)


def _updated(known: Channel | None, row: dict[str, Any], now: datetime) -> Channel | None:
    """The row to write, or null where the table says it already."""
    if known is None:
        return Channel(**row, seen_at=now)
    same = all(getattr(known, name) == value for name, value in row.items())
    if same and known.gone_at is None and known.seen_at is not None:
        return None
    if known.permissions != row["permissions"]:
        known.refused_at = known.refused_code = None  # what was refused may be allowed now
    for name, value in row.items():
        setattr(known, name, value)
    known.gone_at = None
    known.seen_at = now
    return known
