"""Checks a message that is handed in, and refuses it whole if it breaks Discord's limits."""

from fakediscord.components import check_components
from fakediscord.embeds import check_embeds
from fakediscord.forms import FormErrors
from fakediscord.mentions import check_allowed_mentions
from fakediscord.wire import Json

LONGEST_CONTENT = 2000
LONGEST_NONCE = 25
MOST_ATTACHMENTS = 10

SUPPRESS_EMBEDS, EPHEMERAL, LOADING = 1 << 2, 1 << 6, 1 << 7
SUPPRESS_NOTIFICATIONS, COMPONENTS_V2 = 1 << 12, 1 << 15
CROSSPOSTED = 1 << 0
LARGEST_FLAGS = (1 << 31) - 1

LEGACY_FIELDS = ("content", "embeds", "poll", "sticker_ids")


def check_message(payload: Json, *, flags: int = 0) -> None:
    """Check a message; `flags` are those that it has already."""
    errors = FormErrors()
    errors.text(("content",), payload.get("content"), LONGEST_CONTENT)
    _check_nonce(errors, payload.get("nonce"))
    errors.number(("flags",), payload.get("flags"), LARGEST_FLAGS)
    errors.refuse()
    is_v2 = bool((flags | (payload.get("flags") or 0)) & COMPONENTS_V2)
    if payload.get("embeds"):
        check_embeds(errors, payload["embeds"])
    if payload.get("components"):
        check_components(errors, payload["components"], is_v2=is_v2)
    if "allowed_mentions" in payload:
        check_allowed_mentions(errors, payload["allowed_mentions"])
    _check_references(errors, payload)
    if is_v2:
        _check_no_legacy(errors, payload)
    errors.refuse()


def _check_nonce(errors: FormErrors, nonce: object) -> None:
    if nonce is None:
        return
    if isinstance(nonce, bool) or not isinstance(nonce, (str, int)):
        errors.add(("nonce",), "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    else:
        errors.text(("nonce",), str(nonce), LONGEST_NONCE)


def _check_references(errors: FormErrors, payload: Json) -> None:
    errors.mapping(("message_reference",), payload.get("message_reference"))
    attachments = errors.items(("attachments",), payload.get("attachments"), MOST_ATTACHMENTS)
    for position, one in enumerate(attachments):
        if "id" not in errors.mapping(("attachments", position), one):
            errors.required(("attachments", position, "id"))


def _check_no_legacy(errors: FormErrors, payload: Json) -> None:
    for name in LEGACY_FIELDS:
        if payload.get(name):
            errors.add(
                (name,),
                "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
            )
