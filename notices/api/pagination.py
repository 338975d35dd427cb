"""Pages of a list that grows at its front."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from notices.api.fields import read_id
from notices.api.refusals import quoted
from notices.api.representations import whole_notices
from notices.newest import Parts


class NewestFirst(CursorPagination):
    page_size = 50
    ordering = "-id"

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def paginate_queryset(
        self, queryset: Any, request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        if not self.parts.is_everything:
            offset, reverse, position = self.decode_cursor(request) or Cursor(0, False, None)
            ids = self.parts.newest(
                queryset,
                offset + self.page_size + 1,
                beyond=None if position is None else int(position),
                oldest=reverse,
            )
            queryset = whole_notices().filter(pk__in=ids)
        return super().paginate_queryset(queryset, request, view)

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
