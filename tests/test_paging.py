"""The newest of several studies and statuses are those that a plain sort would find."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from notices.models import Notice, NoticeQuerySet, Study
from notices.paging import PARTS_AT_ONCE, Parts, stored_as

STATUSES = ["sent", "failed", "scheduled", "queued"]


@pytest.fixture
def studies(db: None) -> list[int]:
    """Four that write in turn, each less often than the one before; the last writes nothing."""
    made = [study.pk for study in Study.objects.bulk_create(Study(name=f"{n}") for n in range(4))]
    moment = timezone.now()
    Notice.objects.bulk_create(
        Notice(
            study_id=made[(n % 7 == 0) + (n % 5 == 0)],
            title=f"{n}",
            content="…",
            status=STATUSES[n % 4],
            publish_at=moment + timedelta(hours=1 if n % 3 else -1),
        )
        for n in range(80)
    )
    return made


def ids(notices: NoticeQuerySet, order: str = "-pk") -> list[int]:
    return list(notices.order_by(order).values_list("pk", flat=True))


@pytest.mark.parametrize("count", [1, 7, 100])
@pytest.mark.parametrize("oldest", [False, True])
def test_the_newest_are_those_of_a_plain_sort(studies: list[int], count: int, oldest: bool) -> None:
    order = "pk" if oldest else "-pk"
    among = [None, studies[:1], studies[1:3], studies, studies[3:], []]
    middle = ids(Notice.objects.all())[40]
    for chosen, statuses, beyond in product(among, [None, ["failed"]], [None, middle]):
        notices: Any = Notice.objects.all()
        if chosen is not None:
            notices = notices.filter(study__in=chosen)
        if statuses is not None:
            notices = notices.filter(status__in=statuses)
        found = Parts(chosen, statuses).newest(notices, count, beyond=beyond, oldest=oldest)
        if beyond is not None:
            notices = notices.filter(**{"pk__gt" if oldest else "pk__lt": beyond})
        assert found == ids(notices, order)[:count]


def test_a_scheduled_notice_whose_moment_has_come_is_listed_as_queued(studies: list[int]) -> None:
    queued = Notice.objects.in_status("queued", timezone.now())
    found = Parts(studies, stored_as("queued")).newest(queued, 10)
    assert found == ids(queued)[:10]
    assert {Notice.objects.get(pk=pk).status for pk in found} == {"queued", "scheduled"}


def test_hundreds_of_studies_can_be_asked_for(studies: list[int]) -> None:
    more = Study.objects.bulk_create(Study(name="…") for _n in range(6 * PARTS_AT_ONCE))
    chosen = [*studies, *(study.pk for study in more)]
    assert Parts(chosen).newest(Notice.objects.all(), 10) == ids(Notice.objects.all())[:10]
