"""Attaches uploads to a notice by their ids."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers

from notices.api.authentication import Caller
from notices.api.fields import IdsField, JsonSchema
from notices.files.attached import Attached, entries, files_of, picture_of
from notices.files.uploads import check_picture, check_together
from notices.models import Upload
from notices.tables.upload import UploadQuerySet


class UploadIdsField(IdsField):
    """A list of ids that may be empty, which means no files."""

    @property
    def json_schema(self) -> JsonSchema:
        return {**super().json_schema, "minItems": 0}

    def to_internal_value(self, data: object) -> list[int]:
        return [] if data == [] else super().to_internal_value(data)


def usable_uploads(caller: Caller) -> UploadQuerySet:
    """Return the uploads that the caller may attach, and read."""
    user = None if caller.key else caller.actor
    return Upload.objects.all().of(caller.studies, user=user, key=caller.key)


def attach(
    caller: Caller, attrs: dict[str, Any], *, before: Sequence[Attached] = (), image: str = ""
) -> None:
    """Replace `picture` and `attachments` in `attrs` by the entries that a notice holds."""
    picture_before = picture_of(before)
    asked = {"picture", "attachments"} & attrs.keys()
    picture_id = attrs.pop("picture", picture_before and picture_before["id"])
    file_ids = attrs.pop("attachments", [one["id"] for one in files_of(before)])
    if picture_id and attrs.get("image", image):
        raise _refused("picture", _("A notice has a picture or an image address: send one."))
    if asked:
        [picture, *files] = _found(caller, picture_id, file_ids)
        _check(picture, [upload for upload in files if upload])
        attrs["attachments"] = entries(picture, [upload for upload in files if upload])


def _found(caller: Caller, picture_id: int | None, file_ids: list[int]) -> list[Upload | None]:
    known = usable_uploads(caller).in_bulk([*file_ids, *([picture_id] if picture_id else [])])
    fields = [("picture", picture_id), *(("attachments", pk) for pk in file_ids)]
    for field, pk in fields:
        if pk and pk not in known:
            raise _unknown(field, pk)
    return [known[pk] if pk else None for _field, pk in fields]


def _check(picture: Upload | None, files: list[Upload]) -> None:
    try:
        if picture:
            check_picture(picture)
    except ValidationError as error:
        raise _refused("picture", error.messages[0]) from error
    try:
        check_together([*([picture] if picture else []), *files])
    except ValidationError as error:
        raise _refused("attachments", error.messages[0]) from error


@contextmanager
def refusing_what_is_gone() -> Iterator[None]:
    """Refuse an upload that was pruned between its check and the save that would hold it."""
    try:
        yield
    except Upload.DoesNotExist as gone:
        raise _unknown("attachments", gone.args[0]) from gone


def _unknown(field: str, pk: int) -> serializers.ValidationError:
    told = _("Upload %(id)s is not known; POST the file to /api/v1/uploads/ once more.")
    return _refused(field, told % {"id": pk})


def _refused(field: str, told: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: told})
