"""Lists that grow for years: a page shows what is on it, and nobody counts all the rest."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from notices.desk.rights import ModelAdmin

PAGES_AHEAD = 5
# Nobody turns over more pages: there are filters, and a search.
LAST_PAGE = 1000


class ShortCount(Paginator):  # type: ignore[type-arg]
    """Knows of as many pages as a person may turn to next; `goes_on` says that there are more."""

    def __init__(self, rows: QuerySet[Any], per_page: int, most: int) -> None:
        super().__init__(rows, per_page)
        self.rows = rows
        self.most = most

    @cached_property
    def count(self) -> int:
        return min(self._counted, self.most)

    @property
    def goes_on(self) -> bool:
        return self._counted > self.most

    @cached_property
    def _counted(self) -> int:
        # By the ids alone: what a row shows beside its columns need not be worked out for each.
        return self.rows.values("pk")[: self.most + 1].count()


class LongList(ModelAdmin):
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_paginator(
        self, request: HttpRequest, queryset: Any, per_page: Any, *_args: Any, **_options: Any
    ) -> ShortCount:
        return ShortCount(queryset, per_page, most_known(request, per_page))


def most_known(request: HttpRequest, per_page: int) -> int:
    """How many rows there are up to the page that is asked for, and some pages after it."""
    try:
        page = int(request.GET.get(PAGE_VAR, 1))
    except ValueError:
        page = 1
    return (max(1, min(page, LAST_PAGE)) + PAGES_AHEAD) * per_page
