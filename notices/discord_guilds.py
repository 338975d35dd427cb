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
        guilds = {guild_id: self._client.get_guild(guild_id) for guild_id in changed}
        return {
            guild_id: None if guild is None else Seen(seen_channels(guild), seen_roles(guild))
            for guild_id, guild in guilds.items()
            # Without the bot's own member nobody can tell what it may do.
            if guild is None or not (guild.unavailable or guild.me is None)
        }


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
