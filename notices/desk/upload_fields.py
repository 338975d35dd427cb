"""The form's fields for a picture and files: they hold the ids of what was uploaded before.

So a form that is refused, or opened again, loses no file.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from notices.files import uploads
from notices.files.attached import MOST_FILES, Attached
from notices.ids import read_id
from notices.models import Notice, Upload
from notices.tables.upload import UploadQuerySet

# Bounds what is read from a request; each field has its own, lower limit.
MOST_IDS = 50


def shown_in_form(upload: Upload) -> dict[str, object]:
    return {
        "id": upload.pk,
        "name": upload.name,
        "size": upload.size,
        "sizeInWords": filesizeformat(upload.size),
        "type": upload.content_type,
        "url": reverse("admin:upload", args=[upload.pk]),
    }


def attached_links(notice: Notice, listed: Iterable[Attached]) -> SafeString | None:
    """Link to the files that are kept; name those that archiving has removed."""
    held = set(notice.uploads.values_list("pk", flat=True))
    rows = (
        (reverse("admin:upload", args=[one["id"]]), one["name"], filesizeformat(one["size"]))
        if one["id"] in held
        else ("", one["name"], _("no longer kept"))
        for one in listed
    )
    links = (
        format_html('<a class="text-link" href="{}">{}</a> ({})', *row)
        if row[0]
        else format_html("{} ({})", *row[1:])
        for row in rows
    )
    return format_html_join(mark_safe("<br>"), "{}", ((link,) for link in links)) or None


class UploadsWidget(forms.Widget):
    """A hidden input with the ids, and a list of the files that uploads.js keeps up to date."""

    template_name = "notices/uploads.html"
    offered: UploadQuerySet

    def __init__(self, *, most: int, accept: str = "") -> None:
        super().__init__()
        self.most, self.accept = most, accept

    def format_value(self, value: object) -> str:
        return ",".join(map(str, _ids(value)))

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        found = self.offered.in_bulk(_ids(value))
        listed = [shown_in_form(found[pk]) for pk in _ids(value) if pk in found]
        context: dict[str, Any] = super().get_context(name, [one["id"] for one in listed], attrs)
        return context | {
            "listed": listed,
            "most": self.most,
            "accept": self.accept,
            "limit": settings.UPLOAD_LIMIT_MB,
            "address": reverse("admin:uploads"),
        }


class UploadsField(forms.Field):
    """A field whose value is a list of uploads, in the order in which they were added."""

    widget: UploadsWidget

    def __init__(self, *, most: int = MOST_FILES, accept: str = "", **options: Any) -> None:
        super().__init__(required=False, widget=UploadsWidget(most=most, accept=accept), **options)

    def offer(self, offered: UploadQuerySet) -> None:
        """Set which uploads can be picked."""
        self.widget.offered = offered

    def to_python(self, value: object) -> list[Upload]:
        """Return the uploads, locked so that pruning deletes none before the notice is saved."""
        ids = _ids(value)
        found = self.widget.offered.select_for_update().in_bulk(ids) if ids else {}
        if len(found) < len(ids):
            raise ValidationError(
                _(
                    "A file is not kept any more: what nobody saves is gone after a day. "
                    "Add it again."
                )
            )
        return [found[pk] for pk in ids]

    def has_changed(self, initial: object, data: object) -> bool:
        return _ids(initial) != _ids(data)


class PictureField(UploadsField):
    """A field for at most one upload, which has to be a picture that an embed shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=1, accept=",".join(Upload.PICTURE_TYPES), **options)

    def validate(self, value: Sequence[Upload]) -> None:
        if len(value) > 1:
            raise ValidationError(_("A notice has one picture; add the others as files."))
        for upload in value:
            uploads.check_picture(upload)


def _ids(value: object) -> list[int]:
    """Read ids from what the browser sends (`7,9`) or from a list, without repetitions."""
    parts = value.split(",", MOST_IDS) if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        return []
    return list(dict.fromkeys(pk for part in parts if (pk := read_id(part))))
