"""Pages a list that grows at its front."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request
from rest_framework.views import APIView

from notices.api.filters import NEWEST_FIRST, OLDEST_FIRST
from notices.api.refusals import quoted
from notices.api.representations import whole
from notices.ids import read_id
from notices.models import Notice
from notices.paging import Parts


class Pages(CursorPagination):
    page_size: int

    def __init__(self, page_size: int, ordering: str = NEWEST_FIRST) -> None:
        self.page_size, self.ordering = page_size, ordering

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _unknown_cursor(request) from error
        # The framework would pass any text to the database.
        if cursor and cursor.position is not None and read_id(cursor.position) is None:
            raise _unknown_cursor(request)
        return cursor


class PagesOfNotices(Pages):
    def __init__(self, parts: Parts, page_size: int, ordering: str) -> None:
        super().__init__(page_size, ordering)
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
                oldest=reverse != (self.ordering == OLDEST_FIRST),
            )
            queryset = Notice.objects.filter(pk__in=ids)
        return super().paginate_queryset(whole(queryset), request, view)


def _unknown_cursor(request: Request) -> ValidationError:
    told = _("%(value)s is not a cursor of ours; follow the links `next` and `previous`.")
    return ValidationError({"cursor": told % {"value": quoted(request.query_params["cursor"])}})
