"""A notice as the JSON of a Discord message, and back: which delivery and revision a message is.

The marker in the footer is what finds a message again where its answer was lost.
"""

import re
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from notices import attachments
from notices.held import HeldDelivery, HeldNotice, HeldStudy
from notices.models import REFERENCE_LENGTH, Delivery, Notice, Study
from notices.text import is_blank

AnyStudy = Study | HeldStudy
AnyNotice = Notice | HeldNotice
AnyDelivery = Delivery | HeldDelivery

# Messages of older versions say "-1" too.
_MARKER = re.compile(rf"(?:^|\s)([0-9A-Z]{{{REFERENCE_LENGTH}}})(?:-(\d{{1,9}}))?$")


def message(delivery: AnyDelivery) -> dict[str, Any]:
    """The body of a create. Discord's limits hold by the limits of the model's fields."""
    notice = delivery.notice
    body = {
        "content": ping_text(notice.study, notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": _allowed_mentions(notice),
        "nonce": delivery.nonce,
        "enforce_nonce": True,
    }
    if notice.attachments:
        body["attachments"] = attachments.described(notice.attachments)
    return body


def edited_message(delivery: AnyDelivery) -> dict[str, Any]:
    """The body of an edit: the same words, and nobody is pinged a second time.

    Where it names no attachments, the message keeps those that it has. `flags` brings back an embed
    that somebody removed: of all flags an edit changes that one alone (Discord's documentation,
    "Edit Message").
    """
    body: dict[str, Any] = {
        "content": ping_text(delivery.notice.study, delivery.notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": {"parse": []},
        "flags": 0,
    }
    if has_other_attachments(delivery):
        body["attachments"] = attachments.described(delivery.notice.attachments)
    return body


def has_other_attachments(delivery: AnyDelivery) -> bool:
    """Whether the message has others than the notice has by now, or none yet."""
    return delivery.shown is None or delivery.shown < delivery.notice.attached_revision


def ping_text(study: AnyStudy, ping: str) -> str:
    """What stands before the embed, whose own mentions ping nobody."""
    match ping:
        case Notice.Ping.ROLE if study.ping_role_id:
            return f"<@&{study.ping_role_id}>"
        case Notice.Ping.HERE:
            return "@here"
        case Notice.Ping.EVERYONE:
            return "@everyone"
    return ""


def footer_text(study: AnyStudy, author: str, nonce: str, revision: int) -> str:
    """Who wrote it, for which study, and last the marker, which no reader needs.

    The first revision goes without saying; by a later one's number a lost edit is found out.
    """
    marker = nonce if revision == 1 else f"{nonce}-{revision}"
    return " · ".join(part for part in (byline(study, author), study.name, marker) if part)


def byline(study: AnyStudy, author: str) -> str:
    """In the language of the study; empty without an author."""
    if is_blank(author):
        return ""
    with translation.override(study.language):
        return _("By %(author)s") % {"author": author}


def read_marker(message: dict[str, Any]) -> tuple[str, int] | None:
    """The nonce and the revision that a message of ours carries."""
    for embed in message.get("embeds") or ():
        footer = embed.get("footer") or {}
        if match := _MARKER.search(footer.get("text") or ""):
            return match[1], int(match[2] or 1)
    return None


def _embed(delivery: AnyDelivery) -> dict[str, Any]:
    notice = delivery.notice
    study = notice.study
    embed: dict[str, Any] = {
        "title": notice.title,
        "description": notice.content,
        "color": study.colour,
        "footer": {"text": footer_text(study, notice.author, delivery.nonce, notice.revision)},
    }
    if notice.url:
        embed["url"] = notice.url
    if picture := attachments.picture_of(notice.attachments):
        embed["image"] = {"url": f"attachment://{attachments.sent_name(picture)}"}
    elif notice.image:
        embed["image"] = {"url": notice.image}
    return embed


def _allowed_mentions(notice: AnyNotice) -> dict[str, Any]:
    """Exactly what the message may ping."""
    match notice.ping:
        case Notice.Ping.ROLE if role := notice.study.ping_role_id:
            return {"parse": [], "roles": [str(role)]}
        case Notice.Ping.HERE | Notice.Ping.EVERYONE:
            return {"parse": ["everyone"]}
    return {"parse": []}
