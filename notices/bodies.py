"""How much a request may carry, seen before anything of it is read: most addresses need little.

One without a length (chunked) is refused in `incoming`; so nothing reads past this.
"""

from collections.abc import Callable
from typing import Any, NoReturn

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from notices import uploads
from notices.api.refusals import TooLarge
from notices.refusing import refused

GetResponse = Callable[[HttpRequest], HttpResponse]

# A form with all its channels, or a notice in JSON.
MOST_BYTES = 1024 * 1024
# Nobody has logged in there yet.
MOST_BYTES_OF_A_LOGIN = 64 * 1024
_LOGIN = "/admin/login/"
_UPLOADS = ("/admin/uploads/", "/api/v1/uploads/")


class BoundedBodies:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        most, size = most_bytes(request.path_info), _size(request)
        if size <= most:
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            told = _("The body has %(size)s bytes; send at most %(limit)d.")
            return refused(request, TooLarge(told % {"size": size, "limit": most}))


def most_bytes(path: str) -> int:
    if path in _UPLOADS:
        # A file a little too large is named where it is kept, with words for whoever chose it.
        return uploads.limit_bytes() + MOST_BYTES
    return MOST_BYTES_OF_A_LOGIN if path == _LOGIN else MOST_BYTES


def _size(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0


class NoFiles(FileUploadHandler):
    """Forms here have no files: those come alone, as a body. None is read, to memory or to disk."""

    def new_file(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SuspiciousOperation("a form with a file in it")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise SuspiciousOperation("a form with a file in it")

    def file_complete(self, file_size: int) -> None:
        return None
