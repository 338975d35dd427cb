"""Finding the newest notices of several studies and statuses at the cost of one page.

An index returns the newest of one study, or in one status, in order. For several at once a database
reads and sorts all of their notices, or scans past everybody else's. So each part is queried for
the ids of its own newest, and only those are sorted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from django.db import connection
from django.db.models import QuerySet
from django.db.models.lookups import GreaterThan, LessThan

from notices.models import Notice, NoticeQuerySet
from notices.sql import Minus

Ids = QuerySet[Notice, int]
# SQLite allows a UNION of 500 at most.
PARTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Parts:
    """The studies and statuses to search; None stands for all."""

    studies: Sequence[int] | None = None
    statuses: Sequence[str] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether all notices are asked for, which the primary key returns in order."""
        return self.studies is None and self.statuses is None

    def newest(
        self,
        notices: NoticeQuerySet,
        count: int,
        *,
        beyond: int | None = None,
        oldest: bool = False,
    ) -> list[int]:
        """Return the ids of the `count` newest of `notices` in these parts before the id `beyond`.

        With `oldest` they are the oldest after it. Read the rows by these ids alone: with another
        condition the planner may choose a slow index.
        """
        ids: set[int] = set()
        parts = [part[:count] for part in self._ordered(notices, beyond, oldest)]
        for n in range(0, len(parts), PARTS_AT_ONCE):
            ids.update(_union(parts[n : n + PARTS_AT_ONCE]))
        return sorted(ids, reverse=not oldest)[:count]

    def _ordered(self, notices: NoticeQuerySet, beyond: int | None, oldest: bool) -> list[Ids]:
        """Return a query of each part's ids, in the order of the part's index."""
        place = Minus("id")
        if beyond is not None:
            notices = notices.filter((LessThan if oldest else GreaterThan)(place, -beyond))
        order = place.desc() if oldest else place.asc()
        ids = notices.order_by(order).values_list("pk", flat=True)
        every: list[None] = [None]
        studies = every if self.studies is None else self.studies
        statuses = every if self.statuses is None else self.statuses
        return [ids.filter(**_conditions(*part)) for part in product(studies, statuses)]


def stored_as(status: str) -> list[str]:
    """Return the stored statuses of a current one: a queued notice may be stored as scheduled."""
    if status == Notice.Status.QUEUED:
        return [Notice.Status.QUEUED, Notice.Status.SCHEDULED]
    return [status]


def _conditions(study: int | None, status: str | None) -> dict[str, int | str]:
    asked = {"study": study, "status": status}
    return {name: value for name, value in asked.items() if value is not None}


def _union(parts: Sequence[Ids]) -> Ids:
    if len(parts) > 1 and not connection.features.supports_slicing_ordering_in_compound:
        ids = Notice.objects.order_by().values_list("pk", flat=True)
        parts = [ids.filter(pk__in=part) for part in parts]
    first, *others = parts
    return first.union(*others, all=True) if others else first
