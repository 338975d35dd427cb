"""A notice as the JSON of a Discord message, and what such a message can lose of its looks.

`build` and `build_edit` choose the kind of message that a notice gets. What sends it and finds it
again knows no kind: it asks here about looks, and `identity` whose message one is.
"""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from notices.advice.permissions import EMBED_LINKS
from notices.delivery.identity import marker
from notices.delivery.rows import HeldDelivery, HeldNotice, HeldStudy
from notices.files import attached
from notices.models import Delivery, Notice, Study
from notices.text import is_blank

AnyStudy = Study | HeldStudy
AnyNotice = Notice | HeldNotice
AnyDelivery = Delivery | HeldDelivery

Body = dict[str, Any]
"""A message as Discord takes it, and as it tells of it."""

# The flag of a message whose embeds somebody removed.
_SUPPRESS_EMBEDS = 1 << 2


def build(delivery: AnyDelivery) -> Body:
    """The body of a create. It keeps Discord's limits, since the model's fields have limits."""
    notice = delivery.notice
    body = {
        "content": ping_text(notice.study, notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": _allowed_mentions(notice),
        "nonce": delivery.nonce,
        "enforce_nonce": True,
    }
    if notice.attachments:
        body["attachments"] = attached.described(notice.attachments)
    return body


def build_edit(delivery: AnyDelivery) -> Body:
    """The body of an edit: the same words, and nobody is pinged a second time.

    A body that names no attachments leaves the message those that it has. `flags` brings back an
    embed that somebody removed. It changes no other flag (Discord's documentation, "Edit Message").
    """
    body: Body = {
        "content": ping_text(delivery.notice.study, delivery.notice.ping),
        "embeds": [_embed(delivery)],
        "allowed_mentions": {"parse": []},
        "flags": 0,
    }
    if has_other_attachments(delivery):
        body["attachments"] = attached.described(delivery.notice.attachments)
    return body


def has_other_attachments(delivery: AnyDelivery) -> bool:
    """Return whether the message lacks the notice's present files, or has others."""
    return delivery.shown is None or delivery.shown < delivery.notice.attached_revision


def ping_text(study: AnyStudy, ping: str) -> str:
    """The mention, which stands outside the embed: inside it Discord would ping nobody."""
    match ping:
        case Notice.Ping.ROLE if study.ping_role_id:
            return f"<@&{study.ping_role_id}>"
        case Notice.Ping.HERE:
            return "@here"
        case Notice.Ping.EVERYONE:
            return "@everyone"
    return ""


def footer_text(study: AnyStudy, author: str, nonce: str, revision: int) -> str:
    """Return author, study and marker. The marker comes last, since no reader needs it."""
    parts = (byline(study, author), study.name, marker(nonce, revision))
    return " · ".join(part for part in parts if part)


def byline(study: AnyStudy, author: str) -> str:
    """In the language of the study; empty without an author."""
    if is_blank(author):
        return ""
    with translation.override(study.language):
        return _("By %(author)s") % {"author": author}


def name_of_place(study: AnyStudy) -> str:
    """Return what stands above the place, in the language of the study."""
    with translation.override(study.language):
        return _("Place")


def line_of_change(study: AnyStudy, what: str) -> str:
    """Return the line that says what changed, in the language of the study."""
    with translation.override(study.language):
        return _("Change: %(what)s") % {"what": what}


def lines_to_fill_in(study: AnyStudy) -> dict[str, str]:
    """Return the preview's lines in the language of the study. It fills in the names in braces."""
    return {
        "byline": byline(study, "{name}"),
        "change": line_of_change(study, "{what}"),
        "place": name_of_place(study),
    }


def is_emptied(message: Body, sent: Body | None = None) -> bool:
    """Return whether the message has lost its embed, so that readers see nothing of the notice.

    A flag tells that somebody removed it. In its answer to what was `sent`, Discord may also have
    dropped the embed, since the bot may not embed links.
    """
    if message.get("embeds") != []:
        return False
    had_one = bool(sent and sent.get("embeds"))
    return had_one or bool((message.get("flags") or 0) & _SUPPRESS_EMBEDS)


def why_cut_short(body: Body, permissions: int, *, is_new: bool) -> str | None:
    """Return why Discord would show only a part of this message, or None if it shows all.

    Discord itself refuses a new message of which nothing is left. It is asked, since it knows the
    bot's permissions better than we do.
    """
    if permissions & EMBED_LINKS or not body.get("embeds"):
        return None
    if is_new and not (body.get("content") or body.get("components")):
        return None
    return "the bot may not embed links"


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
    if not is_blank(notice.place):
        embed["fields"] = [{"name": name_of_place(study), "value": notice.place}]
    if picture := attached.picture_of(notice.attachments):
        embed["image"] = {"url": f"attachment://{attached.sent_name(picture)}"}
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
