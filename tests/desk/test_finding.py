"""A notice is found again: by status, study, author, days and words, however many there are."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from notices.desk.list_filters import AUTHORS_OF_THE_NEWEST
from notices.models import Notice, Study
from tests.desk.conftest import logged_in

LIST = "/admin/notices/notice/"


def write(study: Study, title: str, **facts: Any) -> Notice:
    facts = {"content": "…", "publish_at": timezone.now()} | facts
    return Notice.objects.create(study=study, title=title, **facts)


def found(client: Client, **asked: Any) -> list[str]:
    answer = client.get(LIST, asked)
    assert answer.status_code == 200
    return [notice.title for notice in answer.context["cl"].result_list]


def offered(client: Client, name: str) -> list[str]:
    filters = client.get(LIST).context["cl"].filter_specs
    one = next((each for each in filters if each.parameter_name == name), None)
    return [value for value, _label in one.lookup_choices] if one else []


def test_a_notice_is_found_by_the_author_that_the_message_names(
    desk: Client, study: Study, leader: User
) -> None:
    write(study, "hers", author="민지", created_by=leader)
    write(study, "a frontend's", author="준호")
    assert offered(desk, "author") == ["민지", "준호"]
    assert found(desk, author="준호") == ["a frontend's"]
    assert found(desk, author="") == ["a frontend's", "hers"]


def test_an_author_of_long_ago_is_found_by_name(desk: Client, study: Study) -> None:
    write(study, "old", author="예전 리더")
    Notice.objects.bulk_create(
        Notice(study=study, title=f"{n}", content="…", author="민지")
        for n in range(AUTHORS_OF_THE_NEWEST)
    )
    assert offered(desk, "author") == ["민지"]
    assert found(desk, author="예전 리더") == ["old"]
    assert found(desk, q="예전") == ["old"]


@pytest.mark.parametrize("query", [{}, {"q": "책"}, {"author": "준호"}, {"from": "2000-01-01"}])
def test_nothing_of_another_study_is_found_or_offered(
    desk: Client, study: Study, other_study: Study, query: dict[str, str]
) -> None:
    write(other_study, "이달의 책", author="준호")
    assert found(desk, **query) == []
    assert found(desk, **query, study=other_study.pk) == []
    assert offered(desk, "author") == []


def test_a_day_begins_in_the_studys_time_zone(desk: Client, study: Study) -> None:
    Study.objects.update(time_zone="America/New_York")
    write(study, "late on the 8th", publish_at=datetime(2026, 3, 9, 3, 30, tzinfo=UTC))
    write(study, "early on the 9th", publish_at=datetime(2026, 3, 9, 4, 0, tzinfo=UTC))
    write(study, "late on the 9th", publish_at=datetime(2026, 3, 10, 3, 59, tzinfo=UTC))
    write(study, "a draft", publish_at=None)
    assert found(desk, **{"from": "2026-03-09"}) == ["late on the 9th", "early on the 9th"]
    assert found(desk, until="2026-03-08") == ["late on the 8th"]
    day = {"from": "2026-03-09", "until": "2026-03-09"}
    assert found(desk, **day) == ["late on the 9th", "early on the 9th"]
    everything = ["late on the 9th", "early on the 9th", "late on the 8th"]
    assert found(desk, **{"from": "0001-01-01", "until": "9999-12-31"}) == everything


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "9" * 5000, "2026-03-09T00:00"])
@pytest.mark.parametrize("name", ["from", "until"])
def test_a_malformed_day_is_named_and_finds_nothing(
    desk: Client, study: Study, name: str, day: str
) -> None:
    write(study, "any")
    answer = desk.get(LIST, {name: day})
    assert list(answer.context["cl"].result_list) == []
    (said,) = answer.context["messages"]
    assert day in str(said)
    assert "2026-03-09" in str(said)


def test_all_filters_and_the_search_narrow_the_list_together(
    leader: User, study: Study, other_study: Study
) -> None:
    other_study.accounts.add(leader)
    client = logged_in(leader)
    asked = {"status": "failed", "study": study.pk, "author": "민지", "q": "모임 화요일"}
    asked |= {"from": "2026-03-01", "until": "2026-03-31"}
    moment = datetime(2026, 3, 9, tzinfo=UTC)
    right = {"author": "민지", "content": "화요일 20시", "publish_at": moment}
    write(study, "8주차 모임", **right)
    write(study, "sent", **right)
    write(other_study, "다른 모임", **right)
    write(study, "준호의 모임", **right | {"author": "준호"})
    write(study, "4월 모임", **right | {"publish_at": moment + timedelta(days=31)})
    write(study, "목요일 모임", **right | {"content": "목요일"})
    Notice.objects.exclude(title="sent").update(status="failed")
    assert found(client, **asked) == ["8주차 모임"]


def test_the_form_keeps_the_filters_that_were_set(desk: Client, study: Study) -> None:
    asked = {"status": "failed", "author": '"><b>x', "from": "2026-03-09", "q": "<i>"}
    page = desk.get(LIST, asked).content.decode()
    assert '<option value="failed" selected>' in page
    assert '<option value="&quot;&gt;&lt;b&gt;x" selected>' in page
    assert 'name="from" value="2026-03-09"' in page
    assert "<b>x" not in page
    assert "<i>" not in page


MANY = 3000


@pytest.fixture
def history(study: Study, other_study: Study) -> None:
    """Thousands of notices, most of them of another study."""
    moment = timezone.now() - timedelta(days=400)
    Notice.objects.bulk_create(
        Notice(
            study=study if n % 3 == 0 else other_study,
            title=f"{n}주차 모임",
            content="화요일 20시",
            author="준호" if n == 3 else "민지",
            publish_at=moment + timedelta(hours=n),
            status=Notice.Status.SENT,
        )
        for n in range(MANY)
    )


QUERIES: list[dict[str, str]] = [
    {},
    {"status": "sent"},
    {"author": "준호"},
    {"from": "2020-01-01", "until": "2099-01-01"},
    {"q": "모임"},
    {"q": "nowhere"},
    {"status": "sent", "author": "민지", "from": "2020-01-01", "q": "모임"},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_a_list_of_thousands_takes_no_more_queries(
    desk: Client,
    history: None,
    query: dict[str, str],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_max_num_queries(10):
        assert desk.get(LIST, query).status_code == 200


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is told in SQLite's words")
@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_no_filter_reads_other_studies_notices(
    desk: Client, history: None, query: dict[str, str]
) -> None:
    with CaptureQueriesContext(connection) as asked:
        desk.get(LIST, query)
    with connection.cursor() as cursor:
        for one in asked.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {one['sql']}")
            plan = [row[3] for row in cursor.fetchall()]
            assert not [step for step in plan if step.startswith("SCAN notices_notice")], plan
