"""What is attached to a notice: as its row holds it, and as Discord is told of it.

    [{"id": 7, "name": "지도.png", "type": "image/png", "size": 84017, "picture": true}, …]

The picture comes first. It stands in the embed, which names it by its file name: Discord takes
letters other than ASCII out of names, so it gets one that Discord leaves alone.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from notices.models import Delivery, Upload
from notices.transport import File, Request

# Discord's own (its documentation, "Uploading Files" and "Create Message").
MOST_FILES = 10
# Of the 25 MiB that a request may have; the rest is for the text and the multipart's seams.
MOST_BYTES_IN_ALL = 24 * 1024 * 1024

Attached = dict[str, Any]
_FIELDS = {"id": int, "name": str, "type": str, "size": int, "picture": bool}


def entries(picture: Upload | None, files: Iterable[Upload]) -> list[Attached]:
    pictures = [_entry(picture, is_picture=True)] if picture else []
    return pictures + [_entry(upload, is_picture=False) for upload in files]


def _entry(upload: Upload, *, is_picture: bool) -> Attached:
    return {
        "id": upload.pk, "name": upload.name, "type": upload.content_type, "size": upload.size,
        "picture": is_picture,
    }  # fmt: skip


def readable(attachments: Any) -> list[Attached]:
    """Those that a person can be shown, of whatever a row holds: a change in bulk may write any."""
    listed = attachments if isinstance(attachments, list) else []
    return [one for one in listed if isinstance(one, dict) and one.keys() >= _FIELDS.keys()
            and all(isinstance(one[name], kind) for name, kind in _FIELDS.items())]  # fmt: skip


def picture_of(attachments: Sequence[Attached]) -> Attached | None:
    return next((one for one in readable(attachments) if one["picture"]), None)


def files_of(attachments: Sequence[Attached]) -> list[Attached]:
    """Without the picture."""
    return [one for one in readable(attachments) if not one["picture"]]


def sent_name(attached: Attached) -> str:
    """The name that Discord gets."""
    if not attached["picture"]:
        return str(attached["name"])
    return f"picture-{attached['id']}.{Upload.PICTURE_TYPES[attached['type']]}"


def described(attachments: Sequence[Attached]) -> list[dict[str, Any]]:
    """The `attachments` of a message that brings all of them: part n is the file files[n]."""
    return [{"id": n, "filename": sent_name(one)} for n, one in enumerate(attachments)]


def are_shown(message: dict[str, Any], attachments: Sequence[Attached]) -> bool:
    """Whether a message has exactly these; Discord leaves out what its embed shows."""
    shown = sorted(int(one["size"]) for one in message.get("attachments") or ())
    embeds = message.get("embeds") or [{}]
    has_picture = bool((embeds[0].get("image") or {}).get("url"))
    wanted = sorted(one["size"] for one in files_of(attachments))
    return shown == wanted and (has_picture or picture_of(attachments) is None)


class FileGoneError(Exception):
    """A file is no longer kept."""


def files_for(request: Request) -> tuple[File, ...] | None:
    """The bytes that go with a request; null where it is not to go out any more.

    It may have waited for its turn: what was withdrawn or changed meanwhile is not shown first.
    """
    still_wanted = Delivery.objects.filter(
        pk=request.delivery_id, claim=request.claim, wanted=request.revision
    )
    if not still_wanted.exists():
        return None
    found = _bytes_of([one["id"] for one in request.attachments])
    try:
        return tuple(
            File(sent_name(one), one["type"], found[one["id"]]) for one in request.attachments
        )
    except KeyError as error:
        raise FileGoneError(f"upload {error.args[0]} of notice {request.notice_id}") from error


def _bytes_of(ids: Collection[int]) -> dict[int, bytes]:
    rows = Upload.objects.filter(pk__in=ids).values_list("pk", "data")
    return {pk: bytes(data) for pk, data in rows}
