"""Files that somebody sends to be attached: looked into, named as Discord can take it, kept."""

import hashlib
import mimetypes
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices import pictures, quotas
from notices.attachments import MOST_BYTES_IN_ALL, MOST_FILES
from notices.models import FILE_NAME_LIMIT, Actor, Upload
from notices.text import composed, is_blank

# What nobody has attached to a notice by then is gone.
KEPT_UNUSED = timedelta(days=1)
UNKNOWN_TYPE = "application/octet-stream"
# What stands at the beginning of a picture in HEIC or HEIF.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# By whether it is in HEIC, which a phone can be told not to use.
NO_PICTURE = {
    False: gettext_lazy(
        "%(name)s is no picture that Discord shows: take a PNG, JPEG, GIF or WebP."
    ),
    True: gettext_lazy(
        "%(name)s is in HEIC, which Discord does not show: save it as a JPEG. (iPhone: Settings, "
        "Camera, Formats, Most Compatible.) Or add it below as a file."
    ),
}
# Paths, what Windows and Discord refuse in names, and what no eye can see.
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\s]+')
_NAMELESS = "file"


@dataclass(frozen=True)
class Sent:
    """A file as it came: whatever its name says of it, its content decides."""

    name: str
    data: bytes


def limit_bytes() -> int:
    return settings.UPLOAD_LIMIT_MB * 1024 * 1024


def keep(sent: Sent, *, by: Actor, as_picture: bool = False) -> Upload:
    """Raises ValidationError, with the file's name, what is wrong with it, and the remedy."""
    name = clean_name(sent.name)
    check_size(name, len(sent.data))
    quotas.check_upload(by, len(sent.data))
    picture_type = _picture_type(name, sent.data)
    if as_picture and picture_type is None:
        raise ValidationError(no_picture(name, sent.data))
    upload = Upload(
        name=name,
        content_type=picture_type or _guessed_type(name),
        size=len(sent.data),
        sha256=hashlib.sha256(sent.data).hexdigest(),
        data=sent.data,
        **quotas.uploader(by),
    )
    with transaction.atomic():
        # Once more: while this one was looked into, others may have come.
        quotas.lock(by)
        quotas.check_upload(by, upload.size)
        upload.save()
    return upload


def check_size(name: str, size: int) -> None:
    if size == 0:
        raise ValidationError(
            _("%(name)s is empty: there is nothing to attach.") % {"name": name}, code="empty"
        )
    if size > limit_bytes():
        raise ValidationError(
            _(
                "%(name)s has %(size)s MB, and a file may have %(limit)d MB at most: "
                "make it smaller, or share it by a link."
            )
            % {"name": name, "size": megabytes(size), "limit": settings.UPLOAD_LIMIT_MB},
            code="too_large",
        )


def check_together(uploads: Collection[Upload]) -> None:
    """What Discord takes with one message."""
    if len(uploads) > MOST_FILES:
        raise ValidationError(
            _("These are %(n)d files, and Discord takes %(limit)d with a message: leave some out.")
            % {"n": len(uploads), "limit": MOST_FILES}
        )
    size = sum(upload.size for upload in uploads)
    if size > MOST_BYTES_IN_ALL:
        raise ValidationError(
            _(
                "The files have %(size)s MB together, and Discord takes %(limit)s MB with a "
                "message: leave some out, or make them smaller."
            )
            % {"size": megabytes(size), "limit": megabytes(MOST_BYTES_IN_ALL)}
        )


def check_picture(upload: Upload) -> None:
    if not upload.is_picture:
        raise ValidationError(no_picture(upload.name, bytes(upload.data)))


def no_picture(name: str, data: bytes) -> str:
    is_heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS
    return NO_PICTURE[is_heic] % {"name": name}


def megabytes(size: int) -> str:
    """To a tenth, and never less than it is: 10.04 MB is over a limit of 10."""
    tenths = -(-size * 10 // (1024 * 1024))
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)


def clean_name(name: str) -> str:
    """Blanks become underscores, as in Discord; letters of every script stay.

    (Discord keeps those that are not ASCII as the file's title.)
    """
    last = composed(name).replace("\\", "/").rpartition("/")[2]
    seen = "".join(
        letter for letter in last if unicodedata.category(letter)[0] != "C" or letter in "\t\n"
    )
    cleaned = _NOT_IN_NAMES.sub("_", seen.strip()).lstrip("._")
    stem, dot, extension = cleaned.rpartition(".")
    if not dot:
        stem, extension = cleaned, ""
    room = FILE_NAME_LIMIT - len(dot) - len(extension[:20])
    if is_blank(stem):
        stem = _NAMELESS
    return f"{stem[:room]}{dot}{extension[:20]}"


def _picture_type(name: str, data: bytes) -> str | None:
    try:
        return pictures.type_of(data)
    except pictures.TooLargeError:
        raise ValidationError(
            _(
                "%(name)s has too many pixels to be shown. A picture may have %(limit)s, all "
                "frames together %(in_all)s: make it smaller."
            )
            % {
                "name": name,
                "limit": f"{pictures.MOST_PIXELS:,}",
                "in_all": f"{pictures.MOST_PIXELS_IN_ALL:,}",
            },
            code="too_many_pixels",
        ) from None


def _guessed_type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    # Called a picture, and is none.
    return UNKNOWN_TYPE if guessed in Upload.PICTURE_TYPES else guessed
