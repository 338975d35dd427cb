"""The newest notices, at the cost of the page that is shown, however long the history is.

An index finds the newest of one study, or in one status, in their order. Asked for several at once
a database reads all of theirs and sorts, or walks past everybody else's until it has found enough.
So each part is asked for the ids of its own newest, and only those are put in order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from django.db import connection
from django.db.models.lookups import GreaterThan, LessThan

from notices.models import Minus, Notice, NoticeQuerySet

# SQLite unites 500 at most.
PARTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Parts:
    """The studies and the statuses that are asked for; null where all of them are."""

    studies: Sequence[int] | None = None
    statuses: Sequence[str] | None = None

    @property
    def is_everything(self) -> bool:
        """The primary key alone has them in order."""
        return self.studies is None and self.statuses is None

    def newest(
        self,
        notices: NoticeQuerySet,
        count: int,
        *,
        beyond: int | None = None,
        oldest: bool = False,
    ) -> list[int]:
        """The ids of the `count` newest of `notices` in these parts, of those before `beyond`.

        Or, the other way round, of the oldest after it. Read the rows by these ids and nothing
        else: any other condition may look like the better way in to a planner.
        """
        ids: set[int] = set()
        parts = [part[:count] for part in self._ordered(notices, beyond, oldest)]
        for n in range(0, len(parts), PARTS_AT_ONCE):
            ids.update(_united(parts[n : n + PARTS_AT_ONCE]))
        return sorted(ids, reverse=not oldest)[:count]

    def _ordered(self, notices: Any, beyond: int | None, oldest: bool) -> list[Any]:
        """The ids of each part, in the order of an index of theirs."""
        place = Minus("id")
        if beyond is not None:
            notices = notices.filter((LessThan if oldest else GreaterThan)(place, -beyond))
        order = place.desc() if oldest else place.asc()
        ids = notices.order_by(order).values_list("pk", flat=True)
        every: list[None] = [None]
        studies = every if self.studies is None else self.studies
        statuses = every if self.statuses is None else self.statuses
        return [ids.filter(**_asked(*part)) for part in product(studies, statuses)]


def stored_as(status: str) -> list[str]:
    """A notice whose hour has struck is still stored as scheduled."""
    if status == Notice.Status.QUEUED:
        return [Notice.Status.QUEUED, Notice.Status.SCHEDULED]
    return [status]


def _asked(study: int | None, status: str | None) -> dict[str, Any]:
    asked = {"study": study, "status": status}
    return {name: value for name, value in asked.items() if value is not None}


def _united(parts: Sequence[Any]) -> Any:
    if len(parts) > 1 and not connection.features.supports_slicing_ordering_in_compound:
        ids = Notice.objects.order_by().values_list("pk", flat=True)
        parts = [ids.filter(pk__in=part) for part in parts]
    first, *others = parts
    return first.union(*others, all=True) if others else first
