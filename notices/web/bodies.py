"""A limit on the size of each request's body, checked by its length before anything is read.

`incoming` refuses a body without a length (chunked).
"""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from notices.api.refusals import TooLarge
from notices.files import uploads
from notices.web.refusing import refused

GetResponse = Callable[[HttpRequest], HttpResponse]

# Enough for a form with all its channels, or for a notice in JSON.
MOST_BYTES = 1024 * 1024
# Anybody can send these forms, and they are short.
MOST_BYTES_OF_A_LOGIN = 64 * 1024
_OF_ANYBODY = ("/admin/login/", "/admin/discord/", "/invitation/", "/first-admin/", "/password/")
_UPLOADS = ("/admin/uploads/", "/api/v1/uploads/")
# The one form with a file in it, which a browser without scripts can send too. A list that is
# somewhat too large gets a better message from `roster_list.read`.
_LISTS = re.compile("/admin/notices/membership/of/[0-9]+/add/")
MOST_BYTES_OF_A_LIST = 2 * MOST_BYTES


class BoundedBodies:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        most, size = most_bytes(request.path_info), _size(request)
        if size <= most:
            if _LISTS.fullmatch(request.path_info):
                # In memory, and no larger than the body may be.
                request.upload_handlers = [MemoryFileUploadHandler(request)]
            return self.get_response(request)
        with translation.override(translation.get_language_from_request(request)):
            told = _("The body has %(size)s bytes; send at most %(limit)d.")
            return refused(request, TooLarge(told % {"size": size, "limit": most}))


def most_bytes(path: str) -> int:
    if path in _UPLOADS:
        # A file that is a little too large gets a better message from `uploads.check_size`.
        return uploads.limit_bytes() + MOST_BYTES
    if _LISTS.fullmatch(path):
        return MOST_BYTES_OF_A_LIST
    return MOST_BYTES_OF_A_LOGIN if path.startswith(_OF_ANYBODY) else MOST_BYTES


def _size(request: HttpRequest) -> int:
    with suppress(ValueError):
        return int(request.META.get("CONTENT_LENGTH") or 0)
    return 0


class NoFiles(FileUploadHandler):
    """Refuses a form with a file before it is read, as files are sent as bare bodies here."""

    def new_file(self, *args: object, **kwargs: object) -> NoReturn:
        raise SuspiciousOperation("a form with a file in it")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> NoReturn:
        raise SuspiciousOperation("a form with a file in it")

    def file_complete(self, file_size: int) -> None:
        return None
