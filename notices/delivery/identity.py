"""Tells which delivery and revision a message shows, whatever the message looks like.

The marker says both, so that a message is found again whose answer was lost. It ends the
`custom_id` of the buttons under a notice or, if there are none, the footer. A kind of message that
has neither gets its own way here.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from notices.models import REFERENCE_LENGTH

# Messages of older versions say "-1" too.
_MARKER = rf"([0-9A-Z]{{{REFERENCE_LENGTH}}})(?:-(\d{{1,9}}))?"
_FOOTER = re.compile(rf"(?:^|\s){_MARKER}$")
# "r1" is this form of it, and the word what a press does: "r1:read:23456789AB-2". Discord allows
# 100 characters. The buttons of other messages of the bot have to begin otherwise.
_CUSTOM_ID = re.compile(rf"r1:[a-z]+:{_MARKER}")


class Identity(NamedTuple):
    nonce: str
    revision: int


def marker(nonce: str, revision: int) -> str:
    """Return the nonce, with the number of a later revision, so that a lost edit is noticed."""
    return nonce if revision == 1 else f"{nonce}-{revision}"


def identify(message: dict[str, Any]) -> Identity | None:
    """Read the marker of a message that Discord tells of, or of a body that is sent.

    Return None if it is no notice's message, or if somebody has removed the marker.
    """
    for custom_id in _custom_ids(message.get("components") or ()):
        if match := _CUSTOM_ID.fullmatch(custom_id):
            return _identity(match)
    for embed in message.get("embeds") or ():
        footer = embed.get("footer") or {}
        if match := _FOOTER.search(footer.get("text") or ""):
            return _identity(match)
    return None


def _custom_ids(components: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Return those of all buttons, which are nested in rows. One that opens a link has none."""
    for component in components:
        yield component.get("custom_id") or ""
        yield from _custom_ids(component.get("components") or ())


def _identity(match: re.Match[str]) -> Identity:
    return Identity(match[1], int(match[2] or 1))
