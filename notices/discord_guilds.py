"""Gathers what the gateway tells of guilds, and has their channels and roles written."""

import asyncio
from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import discord
from django.db import transaction
from django.utils import timezone

from notices import ledger
from notices.discord_channels import (
    is_timed_out,
    seen_channels,
    seen_in_threads,
    timed_out_until,
    write_channels,
    write_channels_gone,
)
from notices.discord_roles import seen_roles, write_roles


class Seen(NamedTuple):
    """What the gateway's cache knows of a guild, as the fields of `Channel` and `Role`."""

    channels: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    in_threads: Mapping[int, int] = MappingProxyType({})
    """By channel, what the bot may do in its threads."""
    deleted: frozenset[int] = frozenset()
    """The threads that were deleted, and not only archived."""
    is_whole: bool = True
    """Whether what is not among the channels is gone."""


# By the guild's id; null where the bot is no longer there.
Changes = dict[int, Seen | None]


class GuildSync:
    """Gathers which guilds changed; the worker writes them, each burst of events once."""

    def __init__(self, client: discord.Client, *, gaps: Container[int] = ()) -> None:
        self._client = client
        self._gaps = gaps
        self._changed: set[int] = set()
        self._archived: dict[int, discord.Thread] = {}
        self._deleted: set[tuple[int, int]] = set()
        self._timeout_ends: dict[int, asyncio.TimerHandle] = {}
        self._any = asyncio.Event()

    def mark(self, *guild_ids: int) -> None:
        """These guilds are not as they were written."""
        self._changed.update(guild_ids)
        if guild_ids:
            self._any.set()

    def see_thread(self, thread: discord.Thread) -> None:
        """It is new, opened, changed or archived: an archived one is kept in no cache."""
        if thread.archived:
            self._archived[thread.id] = thread
        else:
            self._archived.pop(thread.id, None)
        self.mark(thread.guild.id)

    def lose_thread(self, guild_id: int, thread_id: int) -> None:
        """It was deleted."""
        self._archived.pop(thread_id, None)
        self._deleted.add((guild_id, thread_id))
        self.mark(guild_id)

    async def wait(self) -> None:
        """Until there is something to take."""
        await self._any.wait()

    def take(self) -> Changes:
        """How the guilds that changed are now."""
        changed, self._changed = self._changed, set()
        self._any.clear()
        changes: Changes = {}
        for guild_id in changed:
            guild = self._client.get_guild(guild_id)
            if guild is None:
                changes[guild_id] = None
            elif _is_known(guild):
                changes[guild_id] = self._seen(guild)
        return changes

    def put_back(self, changes: Changes) -> None:
        """They could not be written."""
        for guild_id, seen in changes.items():
            if seen is not None:
                self._deleted.update((guild_id, one) for one in seen.deleted)
        self.mark(*changes)

    def _seen(self, guild: discord.Guild) -> Seen:
        archived = [one for one in self._archived.values() if one.guild.id == guild.id]
        deleted = frozenset(one for place, one in self._deleted if place == guild.id)
        for thread in archived:
            del self._archived[thread.id]
        self._deleted -= {(guild.id, one) for one in deleted}
        self._look_again_after_a_timeout(guild)
        channels = seen_channels(guild, archived)
        is_whole = guild.id not in self._gaps
        return Seen(channels, seen_roles(guild), seen_in_threads(guild), deleted, is_whole)

    def _look_again_after_a_timeout(self, guild: discord.Guild) -> None:
        """No event tells of its end."""
        if timer := self._timeout_ends.pop(guild.id, None):
            timer.cancel()
        if (until := timed_out_until(guild)) is not None:
            seconds = (until - timezone.now()).total_seconds()
            loop = asyncio.get_running_loop()
            self._timeout_ends[guild.id] = loop.call_later(seconds, self.mark, guild.id)


def _is_known(guild: discord.Guild) -> bool:
    """Without the bot's own member, or @everyone, nobody can tell what the bot may do."""
    return not guild.unavailable and None not in (guild.me, guild.default_role)


def write(changes: Changes) -> None:
    """Runs in the database thread."""
    now = timezone.now()
    for guild_id, seen in changes.items():
        with transaction.atomic():
            if seen is None:
                write_channels_gone(guild_id, now)
            else:
                was_timed_out = is_timed_out(guild_id)
                write_channels(
                    guild_id,
                    seen.channels,
                    now,
                    in_threads=seen.in_threads,
                    deleted=seen.deleted,
                    is_whole=seen.is_whole,
                )
                if was_timed_out and not is_timed_out(guild_id):
                    ledger.end_timeouts(guild_id, now)
            write_roles(guild_id, seen.roles if seen else [])
