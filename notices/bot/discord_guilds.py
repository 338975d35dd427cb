"""Gathers what the gateway tells of guilds, and has their channels and roles written."""

import asyncio
import logging
from collections.abc import Container, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

import discord
from django.db import transaction

from notices.bot.discord_channels import (
    ChannelRow,
    is_timed_out,
    seen_channels,
    seen_in_threads,
    timed_out_until,
    write_channels,
    write_channels_gone,
)
from notices.bot.discord_roles import RoleRow, seen_roles, write_roles
from notices.delivery.poison import DATA_ERRORS
from notices.delivery.recovery import end_timeouts, known_timeouts
from notices.outside import clock

log = logging.getLogger(__name__)


class GuildSnapshot(NamedTuple):
    """A guild as the gateway's cache has it, as fields of `Channel` and `Role`."""

    channels: list[ChannelRow]
    roles: list[RoleRow]
    in_threads: Mapping[int, int] = MappingProxyType({})
    """The bot's permissions in the threads of each channel."""
    timed_out_until: datetime | None = None
    deleted: frozenset[int] = frozenset()
    """Threads that were deleted, and not only archived."""
    is_whole: bool = True
    """Whether a channel that is not listed is gone."""


# By the guild's id; None if the bot has left the guild.
Changes = dict[int, GuildSnapshot | None]


class GuildSync:
    """Gathers which guilds changed, so that the worker writes a burst of events once."""

    def __init__(self, client: discord.Client, *, gaps: Container[int] = ()) -> None:
        self._client = client
        self._gaps = gaps
        self._changed: set[int] = set()
        self._archived: dict[int, discord.Thread] = {}
        self._deleted: set[tuple[int, int]] = set()
        self._timeout_ends: dict[int, asyncio.TimerHandle] = {}
        self._any = asyncio.Event()

    def mark(self, *guild_ids: int) -> None:
        """Note that these guilds differ from what was written."""
        self._changed.update(guild_ids)
        if guild_ids:
            self._any.set()

    def see_thread(self, thread: discord.Thread) -> None:
        """Note a new or changed thread. An archived one is kept, as discord.py drops it."""
        if thread.archived:
            self._archived[thread.id] = thread
        else:
            self._archived.pop(thread.id, None)
        self.mark(thread.guild.id)

    def lose_thread(self, guild_id: int, thread_id: int) -> None:
        """Note that a thread was deleted."""
        self._archived.pop(thread_id, None)
        self._deleted.add((guild_id, thread_id))
        self.mark(guild_id)

    async def wait(self) -> None:
        """Wait until there is something to take."""
        await self._any.wait()

    def take(self) -> Changes:
        """Return the guilds that changed as they are now."""
        changed, self._changed = self._changed, set()
        self._any.clear()
        changes: Changes = {}
        for guild_id in changed:
            guild = self._client.get_guild(guild_id)
            if guild is None:
                changes[guild_id] = None
                continue
            try:
                if _is_known(guild):
                    changes[guild_id] = self._seen(guild)
            except Exception:
                log.exception("guild %s: what is known of it cannot be read", guild_id)
        return changes

    def put_back(self, changes: Changes) -> None:
        """Keep what could not be written."""
        for guild_id, seen in changes.items():
            if seen is not None:
                self._deleted.update((guild_id, one) for one in seen.deleted)
        self.mark(*changes)

    def _seen(self, guild: discord.Guild) -> GuildSnapshot:
        archived = [one for one in self._archived.values() if one.guild.id == guild.id]
        deleted = frozenset(one for place, one in self._deleted if place == guild.id)
        for thread in archived:
            del self._archived[thread.id]
        self._deleted -= {(guild.id, one) for one in deleted}
        self._look_again_after_a_timeout(guild)
        channels = seen_channels(guild, archived)
        is_whole = guild.id not in self._gaps
        until = timed_out_until(guild)
        return GuildSnapshot(
            channels, seen_roles(guild), seen_in_threads(guild), until, deleted, is_whole
        )

    def _look_again_after_a_timeout(self, guild: discord.Guild) -> None:
        """Mark the guild when its timeout ends, which no event tells."""
        if timer := self._timeout_ends.pop(guild.id, None):
            timer.cancel()
        if (until := timed_out_until(guild)) is not None:
            seconds = (until - clock.now()).total_seconds()
            loop = asyncio.get_running_loop()
            self._timeout_ends[guild.id] = loop.call_later(seconds, self.mark, guild.id)


def _is_known(guild: discord.Guild) -> bool:
    """Return whether the cache has what the bot's permissions are computed from."""
    return not guild.unavailable and None not in (guild.me, guild.default_role)


def write(changes: Changes) -> dict[int, datetime]:
    """Write in the database thread; return until when the bot is timed out, by channel."""
    now = clock.now()
    for guild_id, seen in changes.items():
        try:
            with transaction.atomic():
                _write_guild(guild_id, seen, now)
        except DATA_ERRORS:
            log.exception("guild %s: what is known of it cannot be written", guild_id)
    return known_timeouts(now)


def _write_guild(guild_id: int, seen: GuildSnapshot | None, now: datetime) -> None:
    if seen is None:
        write_channels_gone(guild_id, now)
        write_roles(guild_id, [])
        return
    was_timed_out = is_timed_out(guild_id)
    write_channels(
        guild_id,
        seen.channels,
        now,
        in_threads=seen.in_threads,
        timed_out_until=seen.timed_out_until,
        deleted=seen.deleted,
        is_whole=seen.is_whole,
    )
    if was_timed_out and not is_timed_out(guild_id):
        end_timeouts(guild_id, now)
    write_roles(guild_id, seen.roles)
