"""A notice as the JSON of a Discord message, and back: which delivery and revision a message is.

The marker in the footer is what finds a message again where its answer was lost.
"""

import re
from typing import Any

from notices.models import REFERENCE_LENGTH, Delivery, Notice, Study

_MARKER = re.compile(rf"(?:^|\s)([0-9A-Z]{{{REFERENCE_LENGTH}}})-(\d+)$")


def message(delivery: Delivery) -> dict[str, Any]:
    """The body of a create. Discord's limits hold by the limits of the model's fields."""
    notice = delivery.notice
    return {
        "content": ping_text(notice.study, notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": _allowed_mentions(notice),
        "nonce": delivery.nonce,
        "enforce_nonce": True,
    }


def edited_message(delivery: Delivery) -> dict[str, Any]:
    """The body of an edit: the same words, and nobody is pinged a second time."""
    return {
        "content": ping_text(delivery.notice.study, delivery.notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": {"parse": []},
    }


def ping_text(study: Study, ping: str) -> str:
    """What stands before the embed, whose own mentions ping nobody."""
    match ping:
        case Notice.Ping.ROLE if study.ping_role_id:
            return f"<@&{study.ping_role_id}>"
        case Notice.Ping.HERE:
            return "@here"
        case Notice.Ping.EVERYONE:
            return "@everyone"
    return ""


def footer_text(study: Study, nonce: str, revision: int) -> str:
    return f"{study.name} · {nonce}-{revision}"


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
        "footer": {"text": footer_text(study, delivery.nonce, notice.revision)},
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


def _allowed_mentions(notice: Notice) -> dict[str, Any]:
    """Exactly what the message may ping."""
    match notice.ping:
        case Notice.Ping.ROLE if role := notice.study.ping_role_id:
            return {"parse": [], "roles": [str(role)]}
        case Notice.Ping.HERE | Notice.Ping.EVERYONE:
            return {"parse": ["everyone"]}
    return {"parse": []}
