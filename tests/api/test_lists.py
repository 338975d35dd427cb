"""The lists: filters, pages, and what they cost."""

from datetime import timedelta
from typing import Any, Protocol

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.api.filters import PAGE_SIZE
from notices.models import Channel, Delivery, Notice, Study
from tests.api.conftest import fields_refused

NOTICES = "/api/v1/notices/"
# The key, a notice or a page of them, their channels, their deliveries with their channels, and
# whether one has moved.
READ_QUERIES = 5
# Before the page come the key's studies, and the newest notices of these.
LIST_QUERIES = READ_QUERIES + 2


class CountsQueries(Protocol):
    def __call__(self, num: int) -> Any: ...


def make_notices(study: Study, count: int, **fields: Any) -> None:
    Notice.objects.bulk_create(
        Notice(study=study, title=f"notice {number}", content="c", **fields)
        for number in range(count)
    )


def test_pages_lead_through_all_notices_newest_first(frontend: APIClient, study: Study) -> None:
    make_notices(study, 2 * PAGE_SIZE + 1)
    seen, pages, address = [], 0, NOTICES

    while address:
        page = frontend.get(address).json()
        seen += [notice["id"] for notice in page["results"]]
        pages, address = pages + 1, page["next"]

    assert pages == 3
    assert seen == sorted(Notice.objects.values_list("pk", flat=True), reverse=True)
    assert page["previous"] is not None


def test_a_page_keeps_its_place_while_new_notices_come(frontend: APIClient, study: Study) -> None:
    make_notices(study, PAGE_SIZE + 1)
    first = frontend.get(NOTICES).json()
    oldest = Notice.objects.last()
    make_notices(study, 3)

    second = frontend.get(first["next"]).json()

    assert oldest is not None
    assert [notice["id"] for notice in second["results"]] == [oldest.pk]


@pytest.mark.parametrize("cursor", ["", "x", "cD1hYmM=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OQ==", "é"])
def test_a_made_up_cursor_is_refused(frontend: APIClient, cursor: str) -> None:
    answer = frontend.get(NOTICES, {"cursor": cursor})

    assert answer.status_code == 200 if cursor == "" else answer.status_code == 400


def test_the_status_filter_counts_an_overdue_scheduled_notice_as_queued(
    frontend: APIClient, study: Study
) -> None:
    now = timezone.now()
    past, future = now - timedelta(minutes=1), now + timedelta(hours=1)
    make_notices(study, 1, status="scheduled", publish_at=past)
    make_notices(study, 1, status="scheduled", publish_at=future)
    struck, waiting = Notice.objects.order_by("pk")

    def listed(status: str) -> list[tuple[int, str]]:
        results = frontend.get(NOTICES, {"status": status}).json()["results"]
        return [(notice["id"], notice["status"]) for notice in results]

    assert listed("queued") == [(struck.pk, "queued")]
    assert listed("scheduled") == [(waiting.pk, "scheduled")]
    assert listed("sent") == []


def test_an_unknown_status_is_refused_with_the_known_ones(frontend: APIClient) -> None:
    answer = frontend.get(NOTICES, {"status": "gone"})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    told = error["detail"]
    assert (error["field"], error["value"]) == ("status", "gone")
    assert '"gone"' in told
    assert all(status in told for status in Notice.Status.values)


def test_the_study_filter_shows_one_study(
    every_frontend: APIClient, notice: Notice, other_notice: Notice
) -> None:
    answer = every_frontend.get(NOTICES, {"study_id": notice.study_id})

    assert [found["id"] for found in answer.json()["results"]] == [notice.pk]


@pytest.mark.parametrize("study_id", ["", "x", "-1", "999999", "9" * 30])
def test_an_unknown_study_in_the_filter_is_refused(frontend: APIClient, study_id: str) -> None:
    answer = frontend.get(NOTICES, {"study_id": study_id})

    assert answer.status_code == 400
    assert fields_refused(answer) == ["study_id"]


def test_another_study_in_the_filter_is_refused_as_an_unknown_one(
    frontend: APIClient, other_study: Study
) -> None:
    answer = frontend.get(NOTICES, {"study_id": other_study.pk})

    assert answer.status_code == 400
    assert "is not known" in answer.json()["study_id"][0]


@pytest.mark.parametrize("count", [1, 20])
def test_the_list_costs_the_same_queries_however_long_it_is(
    frontend: APIClient,
    study: Study,
    django_assert_num_queries: CountsQueries,
    count: int,
) -> None:
    make_notices(study, count, publish_at=timezone.now())
    for notice in Notice.objects.all():
        notice.channels.set(study.channels.all())
        for channel in study.channels.all():
            Delivery.objects.create(notice=notice, channel=channel, wanted=1, due_at=timezone.now())

    frontend.get(NOTICES)  # The first use of a key is written down, and the next not for a minute.
    with django_assert_num_queries(LIST_QUERIES):
        page = frontend.get(NOTICES).json()
    with django_assert_num_queries(READ_QUERIES):
        frontend.get(f"{NOTICES}{page['results'][0]['id']}/")

    assert len(page["results"]) == count
    assert len(page["results"][0]["deliveries"]) == 2


def test_studies_come_with_their_channels(
    frontend: APIClient, study: Study, other_study: Study, channel: Channel
) -> None:
    answer = frontend.get("/api/v1/studies/")

    (shown,) = answer.json()["results"]
    assert answer.status_code == 200
    assert (shown["id"], shown["name"], shown["language"]) == (study.pk, "알고리즘 스터디", "ko")
    assert (shown["time_zone"], shown["colour"]) == ("Asia/Seoul", "#5865F2")
    assert len(shown["channels"]) == 2
    assert {
        "id": str(channel.pk),
        "name": "공지",
        "type": 0,
        "guild_id": str(channel.guild_id),
        "guild_name": "알고리즘",
        "can_send": None,
        "problems": [
            "The bot has not seen #공지 yet: it is not on its server, or the id is wrong. "
            "Ask a site admin to check both."
        ],
    } in shown["channels"]


@pytest.mark.parametrize(
    ("type_", "bits", "can_send"),
    [
        (0, (10, 11, 14), True),
        (0, (10, 11), False),
        (0, (11, 14), False),
        (0, (), False),
        (11, (10, 14, 38), True),
        (11, (10, 11, 14), False),
    ],
)
def test_a_channel_tells_whether_the_bot_may_send(
    frontend: APIClient,
    study: Study,
    channel: Channel,
    type_: int,
    bits: tuple[int],
    can_send: bool,
) -> None:
    study.channels.set([channel])
    Channel.objects.filter(pk=channel.pk).update(
        type=type_, permissions=sum(1 << bit for bit in bits)
    )

    (shown,) = frontend.get("/api/v1/studies/").json()["results"]

    assert shown["channels"][0]["can_send"] is can_send


def test_the_studies_cost_the_same_queries_however_many(
    every_frontend: APIClient,
    study: Study,
    other_study: Study,
    django_assert_num_queries: CountsQueries,
) -> None:
    every_frontend.get("/api/v1/studies/")
    with django_assert_num_queries(3):
        assert len(every_frontend.get("/api/v1/studies/").json()["results"]) == 2


@pytest.mark.parametrize("path", ["studies/", "channels/"])
def test_studies_and_channels_come_in_pages(
    every_frontend: APIClient, study: Study, other_study: Study, path: str
) -> None:
    seen, address = [], f"/api/v1/{path}?page_size=1"
    while address:
        page = every_frontend.get(address).json()
        assert len(page["results"]) == 1
        seen += [int(found["id"]) for found in page["results"]]
        address = page["next"]

    model = Study if path == "studies/" else Channel
    assert seen == sorted(model.objects.values_list("pk", flat=True))
    assert len(seen) > 1


@pytest.mark.parametrize("path", ["studies/", "channels/", "notices/{}/attempts/"])
@pytest.mark.parametrize("query", ["name=a", "page_size=0", "page_size=101", "cursor=x"])
def test_a_list_refuses_a_bad_parameter(
    frontend: APIClient, notice: Notice, path: str, query: str
) -> None:
    answer = frontend.get(f"/api/v1/{path.format(notice.pk)}?{query}")

    assert answer.status_code == 400
    assert fields_refused(answer) == [query.split("=")[0]]
