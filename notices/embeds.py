"""A notice as the JSON of a Discord message, and back: which delivery and revision a message is.

The marker in the footer is what finds a message again where its answer was lost.
"""

import re
from typing import Any

from notices.models import REFERENCE_LENGTH, Delivery, Notice

_MARKER = re.compile(rf"(?:^|\s)([0-9A-Z]{{{REFERENCE_LENGTH}}})-(\d+)$")


def message(delivery: Delivery) -> dict[str, Any]:
    """The body of a create. Discord's limits hold by the limits of the model's fields."""
    content, allowed_mentions = _ping(delivery.notice)
    return {
        "content": content,
        "embeds": [_embed(delivery)],
        "allowed_mentions": allowed_mentions,
        "nonce": delivery.nonce,
        "enforce_nonce": True,
    }


def edited_message(delivery: Delivery) -> dict[str, Any]:
    """The body of an edit: the same words, and nobody is pinged a second time."""
    content, _allowed = _ping(delivery.notice)
    return {
        "content": content,
        "embeds": [_embed(delivery)],
        "allowed_mentions": {"parse": []},
    }


def read_marker(message: dict[str, Any]) -> tuple[str, int] | None:
    """The nonce and the revision that a message of ours carries."""
    for embed in message.get("embeds") or ():
        footer = embed.get("footer") or {}
        if match := _MARKER.search(footer.get("text") or ""):
            return match[1], int(match[2])
    return None


def _embed(delivery: Delivery) -> dict[str, Any]:
    notice = delivery.notice
    study = notice.study
    embed: dict[str, Any] = {
        "title": notice.title,
        "description": notice.content,
        "color": study.colour,
        "footer": {"text": f"{study.name} · {delivery.nonce}-{notice.revision}"},
    }
    if notice.author.strip():
        embed["author"] = {"name": notice.author}
    if notice.url:
        embed["url"] = notice.url
    if notice.image:
        embed["image"] = {"url": notice.image}
    if notice.publish_at:
        embed["timestamp"] = notice.publish_at.isoformat()
    return embed


def _ping(notice: Notice) -> tuple[str, dict[str, Any]]:
    """The text that pings (an embed's mentions do not) and exactly what it may ping."""
    role = notice.study.ping_role_id
    match notice.ping:
        case Notice.Ping.ROLE if role:
            return f"<@&{role}>", {"parse": [], "roles": [str(role)]}
        case Notice.Ping.HERE:
            return "@here", {"parse": ["everyone"]}
        case Notice.Ping.EVERYONE:
            return "@everyone", {"parse": ["everyone"]}
    return "", {"parse": []}
