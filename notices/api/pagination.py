"""Pages of a list that grows at its front."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from notices.api.fields import read_id
from notices.api.refusals import quoted


class NewestFirst(CursorPagination):
    page_size = 50
    ordering = "-id"

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _unknown_cursor(request) from error
        # The framework would hand any text on to the database.
        if cursor and cursor.position is not None and read_id(cursor.position) is None:
            raise _unknown_cursor(request)
        return cursor


def _unknown_cursor(request: Request) -> ValidationError:
    told = _("%(value)s is not a cursor of ours; follow the links `next` and `previous`.")
    return ValidationError({"cursor": told % {"value": quoted(request.query_params["cursor"])}})
