"""Lists of millions of rows: a page costs the same, as only a bounded number is counted."""

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from notices.desk.rights import ModelAdmin

PAGES_AHEAD = 5
# Further pages would cost more and more; filters and the search reach older rows.
LAST_PAGE = 1000
# Counting so many ids takes a millisecond or two without a filter.
MOST_COUNTED = 500


class ShortCount(Paginator):  # type: ignore[type-arg]
    """A paginator that knows only the next few pages; `goes_on` tells whether there are more."""

    def __init__(self, rows: QuerySet[Model], per_page: int, most: int, most_counted: int) -> None:
        super().__init__(rows, per_page)
        self.rows = rows
        self.most = most
        self.most_counted = most_counted

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def goes_on(self) -> bool:
        return self._counted > self.most

    @property
    def total(self) -> int | None:
        """The number of all rows, or None if they are too many to count."""
        return self._counted if self._counted <= self.most_counted else None

    @cached_property
    def _counted(self) -> int:
        # Counting ids leaves out the annotations, which cost a subquery for each row.
        return self.rows.order_by().values("pk")[: self.most_counted + 1].count()


class LongList(ModelAdmin):
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Model],
        per_page: int,
        *_args: object,
        **_options: object,
    ) -> ShortCount:
        known, counted = most_known(request, per_page), most_counted(request, per_page)
        return ShortCount(queryset, per_page, known, counted)


def most_known(request: HttpRequest, per_page: int) -> int:
    """Return the number of rows up to a few pages after the requested one."""
    try:
        page = int(request.GET.get(PAGE_VAR, 1))
    except ValueError:
        page = 1
    return (max(1, min(page, LAST_PAGE)) + PAGES_AHEAD) * per_page


def most_counted(request: HttpRequest, per_page: int) -> int:
    """Return up to how many rows to count: more without a filter, when each one costs little."""
    known = most_known(request, per_page)
    return known if request.GET.keys() - {PAGE_VAR} else max(known, MOST_COUNTED)
