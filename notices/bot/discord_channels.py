"""Keeps our list of channels, and what the bot may do in each, in step with Discord."""

import copy
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TypedDict

import discord
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from notices.advice.permissions import (
    ATTACH_FILES,
    EMBED_LINKS,
    MENTION_EVERYONE,
    SEND_MESSAGES_IN_THREADS,
    THREADS,
    VIEW_CHANNEL,
)
from notices.delivery.request import Word
from notices.models import Channel, Delivery, Study
from notices.outside import clock
from notices.text import composed

SEEN_FIELDS = (
    "guild_id", "guild_name", "name", "type", "parent_id", "is_archived", "is_locked",
    "permissions", "timed_out_until", "gone_at", "seen_at",
)  # fmt: skip
# The largest number that the column holds.
LARGEST = 2**63 - 1
# If one of these changes, Discord may allow now what it refused before.
STANDING = ("type", "is_archived", "is_locked", "permissions", "timed_out_until")

AnyChannel = discord.abc.GuildChannel | discord.Thread


class ThreadState(TypedDict):
    parent_id: int | None
    is_archived: bool
    is_locked: bool


class ChannelRow(ThreadState):
    """The fields of `Channel` that the gateway tells."""

    id: int
    guild_id: int
    guild_name: str
    name: str
    type: int
    permissions: int | None
    timed_out_until: datetime | None


def seen_channels(
    guild: discord.Guild, archived: Iterable[discord.Thread] = ()
) -> list[ChannelRow]:
    """Return a guild's channels as the gateway's cache has them, as fields of `Channel`.

    discord.py drops archived threads from its cache, so they come in `archived`.
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


def _of_thread(channel: AnyChannel) -> ThreadState:
    if not isinstance(channel, discord.Thread):
        return {"parent_id": None, "is_archived": False, "is_locked": False}
    return {
        "parent_id": channel.parent_id,
        "is_archived": bool(channel.archived),
        "is_locked": bool(channel.locked),
    }


def seen_in_threads(guild: discord.Guild) -> dict[int, int]:
    """Return what the bot may do in each channel's threads: no event tells it of archived ones."""
    me = _without_timeout(guild)
    base = discord.abc.GuildChannel.permissions_for  # a text channel's own version takes more away
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
    """Return the end of the bot's timeout, or None. It binds no administrators or owners."""
    me = guild.me
    if not me.is_timed_out() or guild.owner_id == me.id:
        return None
    return None if _without_timeout(guild).guild_permissions.administrator else me.timed_out_until


def timed_out_in(
    client: discord.Client, channel_id: int, known: Mapping[int, datetime]
) -> datetime | None:
    """Return until when the bot may not write there; `known` counts until the gateway tells."""
    channel = client.get_channel(channel_id)
    until = known.get(channel_id)
    if isinstance(channel, AnyChannel) and channel.guild.me is not None:
        until = timed_out_until(channel.guild)
    return until if until is not None and until > clock.now() else None


def _without_timeout(guild: discord.Guild) -> discord.Member:
    """Return the bot's member as it is after its timeout, whose end no event tells."""
    me = copy.copy(guild.me)
    me.timed_out_until = None
    return me


def permissions_in(client: discord.AutoShardedClient, channel_id: int) -> int | None:
    """Return the bot's permissions in a channel, or None if the gateway does not tell them now."""
    channel = client.get_channel(channel_id)
    if not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return None
    shard = client.get_shard(channel.guild.shard_id)
    if shard is None or shard.is_closed():
        return None  # while it is cut off, it misses changes
    if None in (channel.guild.me, channel.guild.default_role):
        return None
    return _permissions(channel, _without_timeout(channel.guild))


def _permissions(channel: AnyChannel, me: discord.Member) -> int | None:
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None  # a thread has no permissions of its own
    return channel.permissions_for(me).value & LARGEST


def as_name(text: object) -> str:
    """Return any name from Discord in a form that every database takes."""
    clean = str("" if text is None else text).encode(errors="replace").decode().replace("\0", "")
    return composed(clean)[:100]


def is_timed_out(guild_id: int) -> bool:
    """Return whether the table has the bot as timed out in this guild."""
    return Channel.objects.filter(guild_id=guild_id, timed_out_until__isnull=False).exists()


def word_on(client: discord.AutoShardedClient, channel_id: int, guild_id: int | None) -> Word:
    """Return what the gateway says of a channel. `guild_id` helps if it does not list it."""
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
    # Discord treats a voice channel without Connect as one that the bot cannot see.
    is_voice = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    needed = discord.Permissions(view_channel=True, connect=is_voice).value
    bits = permissions_in(client, channel_id)
    if bits is None and channel is not None:
        return Word.NONE  # nobody has told what the bot may do in its guild
    bits = bits or 0
    return Word.REACHABLE if bits & needed == needed else Word.UNREACHABLE


def write_channels(
    guild_id: int,
    seen: list[ChannelRow],
    now: datetime,
    *,
    in_threads: Mapping[int, int] = MappingProxyType({}),
    timed_out_until: datetime | None = None,
    deleted: Collection[int] = (),
    is_whole: bool = True,
) -> None:
    """Make the table say what was seen of this guild, writing only what changed.

    Channels that were not seen are gone or archived, if all could be read (`is_whole`).
    """
    with transaction.atomic():
        ids = [row["id"] for row in seen]
        known = {channel.pk: channel for channel in Channel.objects.filter(pk__in=ids)}
        changed = [
            _updated(known.get(row["id"]), row, now)
            for row in seen
            # Categories and forums are listed only if somebody asked for them.
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
        _write_archived(archived, in_threads, timed_out_until)


def _archived(unseen: QuerySet[Channel], in_threads: Mapping[int, int]) -> list[Channel]:
    """Return the unseen threads to keep as archived, because Discord does not list those.

    A thread that no study or delivery uses is left out, and counts as gone.
    """
    used = Q(Exists(Study.channels.through.objects.filter(channel=OuterRef("pk")))) | Q(
        Exists(Delivery.objects.filter(channel=OuterRef("pk")))
    )
    parents = Q(parent_id=None) | Q(parent_id__in=in_threads)
    return list(unseen.filter(used, parents, type__in=THREADS))


def _write_archived(
    threads: list[Channel], in_threads: Mapping[int, int], timed_out_until: datetime | None
) -> None:
    changed = []
    for thread in threads:
        held = in_threads.get(thread.parent_id or 0, thread.permissions)
        known = (thread.is_archived, thread.permissions, thread.timed_out_until)
        if known != (True, held, timed_out_until):
            thread.is_archived, thread.permissions = True, held
            thread.timed_out_until = timed_out_until
            thread.refused_at = thread.refused_code = None
            changed.append(thread)
    fields = ["is_archived", "permissions", "timed_out_until", "refused_at", "refused_code"]
    Channel.objects.bulk_update(changed, fields)


def write_channels_gone(guild_id: int, now: datetime) -> None:
    """Mark all channels of a guild that the bot has left as gone."""
    Channel.objects.filter(guild_id=guild_id, gone_at=None).update(gone_at=now, permissions=0)


def _updated(known: Channel | None, row: ChannelRow, now: datetime) -> Channel | None:
    """Return the row to write, or None if the table says the same."""
    if known is None:
        return Channel(**row, seen_at=now)
    told: Mapping[str, object] = row
    same = all(getattr(known, name) == value for name, value in told.items())
    if same and known.gone_at is None and known.seen_at is not None:
        return None
    if any(getattr(known, name) != told[name] for name in STANDING):
        known.refused_at = known.refused_code = None
    for name, value in told.items():
        setattr(known, name, value)
    known.gone_at = None
    known.seen_at = now
    return known
