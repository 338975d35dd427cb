"""Gathers what the gateway tells of guilds, and has their channels and roles written."""

import asyncio
from typing import Any, NamedTuple

import discord
from django.db import transaction
from django.utils import timezone

from notices.discord_channels import seen_channels, write_channels, write_channels_gone
from notices.discord_roles import seen_roles, write_roles


class Seen(NamedTuple):
    """What the gateway's cache knows of a guild, as the fields of `Channel` and `Role`."""

    channels: list[dict[str, Any]]
    roles: list[dict[str, Any]]


# By the guild's id; null where the bot is no longer there.
Changes = dict[int, Seen | None]


class GuildSync:
    """Gathers which guilds changed; the worker writes them, each burst of events once."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._changed: set[int] = set()
        self._any = asyncio.Event()

    def mark(self, *guild_ids: int) -> None:
        """These guilds are not as they were written."""
        self._changed.update(guild_ids)
        if guild_ids:
            self._any.set()

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
                changes[guild_id] = Seen(seen_channels(guild), seen_roles(guild))
        return changes


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
                write_channels(guild_id, seen.channels, now)
            write_roles(guild_id, seen.roles if seen else [])
