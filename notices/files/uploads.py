"""Uploading a file: its content is checked, its name is cleaned for Discord, and it is stored."""

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

from notices import quotas
from notices.files import pictures
from notices.files.attached import MOST_BYTES_IN_ALL, MOST_FILES
from notices.models import Actor, Upload
from notices.tables.limits import FILE_NAME_LIMIT
from notices.text import composed, is_blank

# An upload that no notice has by then is deleted.
KEPT_UNUSED = timedelta(days=1)
UNKNOWN_TYPE = "application/octet-stream"
# The brands in the header of a HEIC or HEIF file.
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# The errors for a file that an embed does not show, by whether it is in HEIC.
NO_PICTURE = {
    False: gettext_lazy(
        "%(name)s is no picture that Discord shows: take a PNG, JPEG, GIF or WebP."
    ),
    True: gettext_lazy(
        "%(name)s is in HEIC, which Discord does not show: save it as a JPEG. (iPhone: Settings, "
        "Camera, Formats, Most Compatible.) Or add it below as a file."
    ),
}
# Separators of paths, characters that Windows or Discord refuse in names, and white space.
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\s]+')
_NAMELESS = "file"


@dataclass(frozen=True)
class Sent:
    """A file as it was sent. Its type is read from its content, not from its name."""

    name: str
    data: bytes


def limit_bytes() -> int:
    return settings.UPLOAD_LIMIT_MB * 1024 * 1024


def keep(sent: Sent, *, by: Actor, as_picture: bool = False) -> Upload:
    """Check and store a file. Raises ValidationError with the file's name and the remedy."""
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
        # Check again under the lock: others may have been stored meanwhile.
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
    """Check the limits that Discord has for the files of one message."""
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
    """Write a size in MB, rounded up to a tenth: 10.04 MB is over a limit of 10."""
    tenths = -(-size * 10 // (1024 * 1024))
    return f"{tenths // 10}.{tenths % 10}" if tenths % 10 else str(tenths // 10)


def clean_name(name: str) -> str:
    """Make a file name that Discord takes: blanks become underscores, as they do there.

    Letters of all scripts stay: Discord shows those that are not ASCII in the file's title.
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
    # Its content is no picture, whatever its name says.
    return UNKNOWN_TYPE if guessed in Upload.PICTURE_TYPES else guessed
