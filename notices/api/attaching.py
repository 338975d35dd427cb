"""Uploads that a frontend attaches to a notice, by their ids."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import serializers

from notices.api.authentication import Caller
from notices.api.fields import IdsField
from notices.attachments import Attached, entries, files_of, picture_of
from notices.models import Upload, UploadQuerySet
from notices.uploads import check_picture, check_together


class UploadIdsField(IdsField):
    """As `IdsField`, but none is a notice without files."""

    @property
    def json_schema(self) -> dict[str, Any]:
        return {**super().json_schema, "minItems": 0}

    def to_internal_value(self, data: Any) -> list[int]:
        return [] if data == [] else super().to_internal_value(data)


def usable(caller: Caller) -> UploadQuerySet:
    """What the caller may attach, and read."""
    user = None if caller.key else caller.actor
    return Upload.objects.all().of(caller.studies, user=user, key=caller.key)


def attach(
    caller: Caller, attrs: dict[str, Any], *, before: Sequence[Attached] = (), image: str = ""
) -> None:
    """Put what `picture` and `attachments` name into what is written of the notice."""
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
    known = usable(caller).in_bulk([*file_ids, *([picture_id] if picture_id else [])])
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
    """An upload that nobody used may be pruned between its check and the save that holds it."""
    try:
        yield
    except Upload.DoesNotExist as gone:
        raise _unknown("attachments", gone.args[0]) from gone


def _unknown(field: str, pk: int) -> serializers.ValidationError:
    told = _("Upload %(id)s is not known; POST the file to /api/v1/uploads/ once more.")
    return _refused(field, told % {"id": pk})


def _refused(field: str, told: str) -> serializers.ValidationError:
    return serializers.ValidationError({field: told})
