"""Keeps our list of channels, and what the bot may do in each, in step with Discord."""

import copy
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import discord
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from notices.models import Channel, Delivery, Study
from notices.permissions import (
    ATTACH_FILES,
    EMBED_LINKS,
    MENTION_EVERYONE,
    SEND_MESSAGES_IN_THREADS,
    THREADS,
    VIEW_CHANNEL,
)
from notices.text import composed
from notices.transport import Word

SEEN_FIELDS = (
    "guild_id", "guild_name", "name", "type", "parent_id", "is_archived", "is_locked",
    "permissions", "timed_out_until", "gone_at", "seen_at",
)  # fmt: skip
# Where one of these is another than it was, what was refused may be allowed now.
STANDING = ("type", "is_archived", "is_locked", "permissions", "timed_out_until")

AnyChannel = discord.abc.GuildChannel | discord.Thread


def seen_channels(
    guild: discord.Guild, archived: Iterable[discord.Thread] = ()
) -> list[dict[str, Any]]:
    """What the gateway's cache knows of a guild's channels, as the fields of `Channel`.

    And of threads that were archived just now, which the cache drops.
    """
    me, until = _without_timeout(guild), timed_out_until(guild)
    return [
        {
            "id": channel.id,
            "guild_id": guild.id,
            "guild_name": as_name(guild.name),
            "name": as_name(channel.name),
            "type": channel.type.value,
            "permissions": _permissions(channel, me),
            "timed_out_until": until,
            **_of_thread(channel),
        }
        for channel in (*guild.channels, *guild.threads, *archived)
    ]


def _of_thread(channel: AnyChannel) -> dict[str, Any]:
    if not isinstance(channel, discord.Thread):
        return {"parent_id": None, "is_archived": False, "is_locked": False}
    return {
        "parent_id": channel.parent_id,
        "is_archived": bool(channel.archived),
        "is_locked": bool(channel.locked),
    }


def seen_in_threads(guild: discord.Guild) -> dict[int, int]:
    """By channel, what the bot may do in its threads: of an archived one nothing is told."""
    me = _without_timeout(guild)
    base = discord.abc.GuildChannel.permissions_for  # a channel's own takes more away
    with_threads = (
        channel
        for channel in guild.channels
        if isinstance(channel, discord.TextChannel | discord.ForumChannel)
    )
    return {channel.id: _in_threads(base(channel, me).value) for channel in with_threads}


def _in_threads(bits: int) -> int:
    if not bits & VIEW_CHANNEL:
        return 0
    if not bits & SEND_MESSAGES_IN_THREADS:
        return bits & ~(MENTION_EVERYONE | EMBED_LINKS | ATTACH_FILES)
    return bits


def timed_out_until(guild: discord.Guild) -> datetime | None:
    """Null where the bot is not timed out; administrators and owners never are."""
    me = guild.me
    if not me.is_timed_out() or guild.owner_id == me.id:
        return None
    return None if _without_timeout(guild).guild_permissions.administrator else me.timed_out_until


def timed_out_in(
    client: discord.Client, channel_id: int, known: Mapping[int, datetime]
) -> datetime | None:
    """Until when the bot may not write there; `known` stands until the gateway tells."""
    channel = client.get_channel(channel_id)
    until = known.get(channel_id)
    if isinstance(channel, AnyChannel) and channel.guild.me is not None:
        until = timed_out_until(channel.guild)
    return until if until is not None and until > timezone.now() else None


def _without_timeout(guild: discord.Guild) -> discord.Member:
    """No event tells of a timeout's end: what the bot may do then is what is written."""
    me = copy.copy(guild.me)
    me.timed_out_until = None
    return me


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
    return _permissions(channel, _without_timeout(channel.guild))


def _permissions(channel: AnyChannel, me: discord.Member) -> int | None:
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None  # it has none of its own
    return channel.permissions_for(me).value


def as_name(text: str | None) -> str:
    """A name of Discord's as every database takes it."""
    clean = (text or "").encode(errors="replace").decode().replace("\0", "")
    return composed(clean)[:100]


def is_timed_out(guild_id: int) -> bool:
    """For all that is written."""
    return Channel.objects.filter(guild_id=guild_id, timed_out_until__isnull=False).exists()


def word_on(client: discord.AutoShardedClient, channel_id: int, guild_id: int | None) -> Word:
    """What the gateway says of a channel, whose guild may be known from elsewhere."""
    channel = client.get_channel(channel_id)
    if isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        guild: discord.Guild | None = channel.guild
    else:
        guild = client.get_guild(guild_id) if guild_id else None
    if guild is not None:
        shard = client.get_shard(guild.shard_id)
        if shard is None or shard.is_closed():
            return Word.NONE
    if not client.is_ready():
        return Word.NONE
    if guild is not None and guild.unavailable:
        return Word.AWAY
    # Without Connect a voice channel answers as if the bot could not see it.
    is_voice = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    needed = discord.Permissions(view_channel=True, connect=is_voice).value
    bits = permissions_in(client, channel_id) or 0
    return Word.REACHABLE if bits & needed == needed else Word.UNREACHABLE


def write_channels(
    guild_id: int,
    seen: list[dict[str, Any]],
    now: datetime,
    *,
    in_threads: Mapping[int, int] = MappingProxyType({}),
    deleted: Collection[int] = (),
    is_whole: bool = True,
) -> None:
    """Make the table say what was seen of this guild. Only what changed is written.

    What is not among it is gone, or archived; unless some of it could not be read.
    """
    with transaction.atomic():
        ids = [row["id"] for row in seen]
        known = {channel.pk: channel for channel in Channel.objects.filter(pk__in=ids)}
        changed = [
            _updated(known.get(row["id"]), row, now)
            for row in seen
            # Of a category or a forum somebody has to have asked.
            if row["type"] in Channel.TYPES_WITH_MESSAGES or row["id"] in known
        ]
        Channel.objects.bulk_create(
            [channel for channel in changed if channel is not None],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=[*SEEN_FIELDS, "refused_at", "refused_code"],
        )
        unseen = Channel.objects.filter(guild_id=guild_id, gone_at=None).exclude(pk__in=ids)
        if not is_whole:
            unseen = unseen.filter(pk__in=deleted)
        archived = _archived(unseen.exclude(pk__in=deleted), in_threads)
        unseen.exclude(pk__in=[thread.pk for thread in archived]).update(gone_at=now, permissions=0)
        _write_archived(archived, in_threads)


def _archived(unseen: QuerySet[Channel], in_threads: Mapping[int, int]) -> list[Channel]:
    """Discord lists no archived threads. Those that nobody uses are as good as gone."""
    used = Q(Exists(Study.channels.through.objects.filter(channel=OuterRef("pk")))) | Q(
        Exists(Delivery.objects.filter(channel=OuterRef("pk")))
    )
    parents = Q(parent_id=None) | Q(parent_id__in=in_threads)
    return list(unseen.filter(used, parents, type__in=THREADS))


def _write_archived(threads: list[Channel], in_threads: Mapping[int, int]) -> None:
    changed = []
    for thread in threads:
        held = in_threads.get(thread.parent_id or 0, thread.permissions)
        if not thread.is_archived or thread.permissions != held:
            thread.is_archived, thread.permissions = True, held
            thread.refused_at = thread.refused_code = None
            changed.append(thread)
    fields = ["is_archived", "permissions", "refused_at", "refused_code"]
    Channel.objects.bulk_update(changed, fields)


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
    if any(getattr(known, name) != row[name] for name in STANDING):
        known.refused_at = known.refused_code = None
    for name, value in row.items():
        setattr(known, name, value)
    known.gone_at = None
    known.seen_at = now
    return known
