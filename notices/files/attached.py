"""The attachments of a notice: as its row stores them, and as Discord's JSON names them.

    [{"id": 7, "name": "지도.png", "type": "image/png", "size": 84017, "picture": true}, …]

The picture comes first. The embed refers to it by its file name, out of which Discord takes letters
other than ASCII, so it is sent with a name of ours.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from notices.ids import read_id
from notices.models import Upload
from notices.text import NOT_STORABLE

# Discord's own (its documentation, "Uploading Files" and "Create Message").
MOST_FILES = 10
# A request may have 25 MiB; the rest is for the text and the multipart's boundaries.
MOST_BYTES_IN_ALL = 24 * 1024 * 1024

Attached = dict[str, Any]
_FIELDS = {"id": int, "name": str, "type": str, "size": int, "picture": bool}


def readable(attachments: Any) -> list[Attached]:
    """Return the valid attachments of a row's value: an update in bulk may write anything."""
    listed = attachments if isinstance(attachments, list) else []
    return [one for one in listed if isinstance(one, dict) and _is_readable(one)]


def _is_readable(one: Attached) -> bool:
    return (
        all(isinstance(one.get(name), kind) for name, kind in _FIELDS.items())
        and all(read_id(one[name]) for name in ("id", "size"))
        and not any(NOT_STORABLE.search(one[name]) for name in ("name", "type"))
    )


def entries(picture: Upload | None, files: Iterable[Upload]) -> list[Attached]:
    pictures = [_entry(picture, is_picture=True)] if picture else []
    return pictures + [_entry(upload, is_picture=False) for upload in files]


def _entry(upload: Upload, *, is_picture: bool) -> Attached:
    return {
        "id": upload.pk, "name": upload.name, "type": upload.content_type, "size": upload.size,
        "picture": is_picture,
    }  # fmt: skip


def picture_of(attachments: Sequence[Attached]) -> Attached | None:
    return next((one for one in readable(attachments) if one["picture"]), None)


def files_of(attachments: Sequence[Attached]) -> list[Attached]:
    """Return the attachments except the picture."""
    return [one for one in readable(attachments) if not one["picture"]]


def sent_name(attached: Attached) -> str:
    """Return the file name that is sent to Discord."""
    if not attached["picture"]:
        return str(attached["name"])
    return f"picture-{attached['id']}.{Upload.PICTURE_TYPES[attached['type']]}"


def described(attachments: Sequence[Attached]) -> list[dict[str, Any]]:
    """Build the `attachments` of a message that uploads all files; part n is files[n]."""
    return [{"id": n, "filename": sent_name(one)} for n, one in enumerate(attachments)]


def are_shown(message: dict[str, Any], attachments: Sequence[Attached]) -> bool:
    """Return whether a message has exactly these; Discord does not list its embed's picture."""
    shown = sorted(int(one["size"]) for one in message.get("attachments") or ())
    embeds = message.get("embeds") or [{}]
    has_picture = bool((embeds[0].get("image") or {}).get("url"))
    wanted = sorted(one["size"] for one in files_of(attachments))
    return shown == wanted and (has_picture or picture_of(attachments) is None)
