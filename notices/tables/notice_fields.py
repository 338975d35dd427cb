"""The one list of a notice's fields: what a change of each means, and how long a text may be.

Each is written into the history, and told by the API. A new one stands in the class that says what
a change of it does, at its place in the history.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

# Discord's limits for what is shown as an embed (its documentation, "Embed Limits").
TITLE_LIMIT = 256
CONTENT_LIMIT = 4096
AUTHOR_LIMIT = 256
# Ours, so that the place stays a line.
PLACE_LIMIT = 200


@dataclass(slots=True)
class ShownFields:
    """The fields that the channels show. Changing one counts up the revision, which edits messages.

    A claim reads these fields, and a duplicate copies them.
    """

    study_id: int
    title: str
    content: str
    place: str
    author: str
    ping: str
    url: str
    image: str
    attachments: list[dict[str, Any]]


@dataclass(slots=True)
class FannedOutFields:
    """The fields that say when it is shown. Changing one fans out anew, at the same revision."""

    publish_at: datetime | None
    expires_at: datetime | None
    withdrawn_at: datetime | None


SHOWN = tuple(field.name for field in fields(ShownFields))
FANNED_OUT = tuple(field.name for field in fields(FannedOutFields))
RECORDED = (*SHOWN, *FANNED_OUT)


def columns(names: Iterable[str]) -> set[str]:
    """Return the names with their columns': Django takes a foreign key by either."""
    return {column for name in names for column in (name, f"{name}_id")}
