"""Servers with people and roles, as the bot would have seen them."""

from typing import Any

from django.utils import timezone

from notices.models import Channel, Role

GUILD, OTHER_GUILD = 1100000000000000001, 1100000000000000002
MEMBERS_ROLE, OTHER_ROLE = 1100000000000000101, 1100000000000000201
EVERYTHING = (1 << 53) - 1


def see(channel: Channel, permissions: int = EVERYTHING) -> None:
    """The bot has looked at the channel."""
    Channel.objects.filter(pk=channel.pk).update(permissions=permissions, seen_at=timezone.now())


def make_role(**facts: Any) -> Role:
    return Role.objects.create(
        **{
            "id": MEMBERS_ROLE,
            "guild_id": GUILD,
            "guild_name": "알고리즘",
            "name": "스터디원",
            "mentionable": True,
        }
        | facts
    )


def make_everyone(people: int | None, guild_id: int = GUILD) -> Role:
    return make_role(
        id=guild_id, guild_id=guild_id, name="@everyone", mentionable=False, member_count=people
    )
