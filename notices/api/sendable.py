"""What is wrong in a channel before a notice is shown there: until it has a module of its own."""

from collections.abc import Collection
from typing import Any

from notices.desk.sendable import THREADS, trouble
from notices.models import Channel, Notice, Study

_VIEW_CHANNEL = 1 << 10
_SEND_MESSAGES = 1 << 11
_EMBED_LINKS = 1 << 14
_SEND_IN_THREADS = 1 << 38


def can_send(channel: Channel) -> bool | None:
    """Null while the bot has never seen the channel."""
    if channel.permissions is None:
        return None
    send = _SEND_IN_THREADS if channel.type in THREADS else _SEND_MESSAGES
    needed = _VIEW_CHANNEL | send | _EMBED_LINKS
    return channel.gone_at is None and channel.permissions & needed == needed


def troubles(channel: Channel, ping: str = Notice.Ping.NONE) -> list[str]:
    found = trouble(channel, ping)
    return [found] if found else []


def reach_of(ping: str, study: Study, channels: Collection[Channel]) -> dict[str, Any]:
    """Whom a notice would ping."""
    who = {
        Notice.Ping.ROLE: f"<@&{study.ping_role_id}>",
        Notice.Ping.HERE: "@here",
        Notice.Ping.EVERYONE: "@everyone",
    }
    told = {text for channel in channels for text in troubles(channel, ping)}
    silences = told - {text for channel in channels for text in troubles(channel)}
    return {
        "who": who.get(Notice.Ping(ping), ""),
        "people": 0 if ping == Notice.Ping.NONE else None,
        "is_most": False,
        "problems": sorted(silences),
    }
