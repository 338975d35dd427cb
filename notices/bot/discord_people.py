"""Asks Discord once a day who of a roster is still there, and who cannot see its channels.

Without the privileged members intent, no event tells who leaves or loses a role. The gateway's
request for members by their ids needs no such intent (Discord's documentation, "Request Guild
Members": 100 ids of one guild at a time).
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import discord

from notices.bot.database_thread import InDatabase
from notices.bot.discord_channels import as_name
from notices.models import Channel, Membership
from notices.outside import clock
from notices.people.roster import name_as_seen
from notices.sql import Among

log = logging.getLogger(__name__)

LOOKED_EVERY = timedelta(days=1)
MOST_IDS = 100
# The gateway takes 120 messages a minute of a connection, which are needed for more than this.
BETWEEN_REQUESTS_SECONDS = 1.0
# So many are looked for at a time.
MOST_AT_ONCE = 1000


class Sought(NamedTuple):
    membership_id: int
    study_id: int
    discord_id: int


class Seen(NamedTuple):
    membership_id: int
    sight: str
    discord_id: int
    name: str


async def look_for_people(
    client: discord.Client, in_database: InDatabase, *, pause: float = BETWEEN_REQUESTS_SECONDS
) -> int:
    """Look for those whom nobody has looked for in a day. Return for how many of them."""
    guild_ids = [guild.id for guild in client.guilds if not guild.unavailable]
    sought = await in_database(people_to_look_for, guild_ids, clock.now())
    if not sought:
        return 0
    channels = await in_database(channels_of, {one.study_id for one in sought})
    seen: list[Seen] = []
    for study_id, ids in channels.items():
        of_study = [one for one in sought if one.study_id == study_id]
        seen += await _look(client, of_study, ids, pause)
    await in_database(write_seen, seen, clock.now())
    return len(seen)


def people_to_look_for(guild_ids: Collection[int], now: datetime) -> list[Sought]:
    """Return those of studies in these guilds, the ones first whom nobody has ever looked for."""
    in_guilds = Channel.objects.filter(Among("guild_id", guild_ids)).values("studies")
    members = Membership.objects.filter(until=None, study__in=in_guilds)
    found = list[Sought]()
    for part in (
        members.filter(looked_at=None).order_by("pk"),
        members.filter(looked_at__lt=now - LOOKED_EVERY).order_by("looked_at"),
    ):
        rows = part.values_list("pk", "study_id", "person__discord_id")
        found += [Sought(*row) for row in rows[: MOST_AT_ONCE - len(found)]]
    return found


def channels_of(study_ids: Collection[int]) -> dict[int, list[int]]:
    """Return by study the ids of its channels."""
    connected = Channel.objects.filter(studies__in=study_ids).values_list("studies", "pk")
    channels: defaultdict[int, list[int]] = defaultdict(list)
    for study_id, channel_id in connected:
        channels[study_id].append(channel_id)
    return dict(channels)


def write_seen(seen: Collection[Seen], now: datetime) -> None:
    by_sight: defaultdict[str, list[int]] = defaultdict(list)
    for one in seen:
        by_sight[one.sight].append(one.membership_id)
    for sight, ids in by_sight.items():
        Membership.objects.filter(Among("pk", ids)).update(sight=sight, looked_at=now)
    name_as_seen({one.discord_id: one.name for one in seen if one.name})


async def _look(
    client: discord.Client, sought: list[Sought], channel_ids: Iterable[int], pause: float
) -> list[Seen]:
    """Return what is known of each of a study's people; nobody where its guilds do not answer."""
    known = [client.get_channel(pk) for pk in channel_ids]
    channels = [one for one in known if isinstance(one, discord.abc.GuildChannel | discord.Thread)]
    found: defaultdict[int, list[discord.Member]] = defaultdict(list)
    ids = [one.discord_id for one in sought]
    for guild in {channel.guild.id: channel.guild for channel in channels}.values():
        for begin in range(0, len(ids), MOST_IDS):
            members = await _members(guild, ids[begin : begin + MOST_IDS])
            if members is None:
                return []
            for member in members:
                found[member.id].append(member)
            await asyncio.sleep(pause)
    return [_seen(one, found[one.discord_id], channels) for one in sought] if channels else []


async def _members(guild: discord.Guild, ids: list[int]) -> list[discord.Member] | None:
    try:
        return await guild.query_members(user_ids=ids, limit=MOST_IDS, cache=False)
    except (TimeoutError, discord.ClientException) as error:
        log.warning("guild %s: it does not tell who is there: %r", guild.id, error)
        return None


def _seen(
    sought: Sought,
    members: list[discord.Member],
    channels: Sequence[discord.abc.GuildChannel | discord.Thread],
) -> Seen:
    sees = any(
        channel.permissions_for(member).view_channel
        for member in members
        for channel in channels
        if channel.guild == member.guild
    )
    sight = Membership.Sight.CANNOT_SEE if members else Membership.Sight.LEFT
    name = as_name(members[0].display_name) if members else ""
    return Seen(
        sought.membership_id, Membership.Sight.SEES if sees else sight, sought.discord_id, name
    )
