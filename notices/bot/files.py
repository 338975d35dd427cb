"""Reads the bytes of attached files right before they go out."""

from collections.abc import Collection

from notices.delivery.request import File, Request
from notices.files.attached import sent_name
from notices.models import Delivery, Upload


class FileGoneError(Exception):
    """A file is no longer kept."""


def files_for(request: Request) -> tuple[File, ...] | None:
    """Return the bytes that go with a request, or None if it is not wanted any more.

    The notice may have been withdrawn or changed while the request waited for its turn.
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
