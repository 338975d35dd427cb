"""A picture and files in the form: it holds no more than their ids, so that nothing is lost."""

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

from notices import uploads
from notices.attachments import MOST_FILES, Attached
from notices.ids import read_id
from notices.models import Notice, Upload, UploadQuerySet

# More than a form offers; the field itself says how many a notice may have.
MOST_IDS = 50


def shown_in_form(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.pk,
        "name": upload.name,
        "size": upload.size,
        "sizeInWords": filesizeformat(upload.size),
        "type": upload.content_type,
        "url": reverse("admin:upload", args=[upload.pk]),
    }


def attached_links(notice: Notice, listed: Iterable[Attached]) -> SafeString | None:
    """Of what is archived the names are left."""
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
    """A hidden field with the ids; the rest is drawn here, and kept in step by uploads.js."""

    template_name = "notices/uploads.html"
    offered: UploadQuerySet

    def __init__(self, *, most: int, accept: str = "") -> None:
        super().__init__()
        self.most, self.accept = most, accept

    def format_value(self, value: Any) -> str:
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
    """Its value is a list of uploads, in the order in which they were added."""

    widget: UploadsWidget

    def __init__(self, *, most: int = MOST_FILES, accept: str = "", **options: Any) -> None:
        super().__init__(required=False, widget=UploadsWidget(most=most, accept=accept), **options)

    def offer(self, offered: UploadQuerySet) -> None:
        """The only ones that can be picked."""
        self.widget.offered = offered

    def to_python(self, value: Any) -> list[Upload]:
        """Locked, so that none goes between here and the save that holds it."""
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

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _ids(initial) != _ids(data)


class PictureField(UploadsField):
    """One at most, and such as an embed shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=1, accept=",".join(Upload.PICTURE_TYPES), **options)

    def validate(self, value: Sequence[Upload]) -> None:
        if len(value) > 1:
            raise ValidationError(_("A notice has one picture; add the others as files."))
        for upload in value:
            uploads.check_picture(upload)


def _ids(value: Any) -> list[int]:
    """From what the browser sends, `7,9`, or from a list; each once."""
    parts: Iterable[Any] = value.split(",", MOST_IDS) if isinstance(value, str) else value or ()
    return list(dict.fromkeys(pk for part in parts if (pk := read_id(part))))
