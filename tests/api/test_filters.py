"""The filters of the lists, alone and together, and the parameters that are refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Attempt, Channel, Delivery, Notice, Study
from tests.api.conftest import fields_refused

NOTICES = "/api/v1/notices/"
NOW = timezone.now()


@pytest.fixture
def notices(study: Study, channel: Channel, second_channel: Channel) -> list[int]:
    """Three ids, made on the last three days; the second notice is a draft for another channel."""
    made = []
    for number, (title, where) in enumerate(
        [("모임 안내", channel), ("교재 100% 할인", second_channel), ("장소 변경", channel)]
    ):
        moment = NOW - timedelta(days=2 - number)
        notice = Notice.objects.create(
            study=study,
            title=title,
            content=f"Week {number}",
            created_at=moment,
            publish_at=None if number == 1 else moment,
        )
        notice.channels.add(where)
        made.append(notice.pk)
    return made


def listed(client: APIClient, asked: dict[str, str]) -> list[int]:
    answer = client.get(NOTICES, asked)
    assert answer.status_code == 200, answer.content
    return [notice["id"] for notice in answer.json()["results"]]


def day(number: float) -> str:
    return (NOW - timedelta(days=2 - number)).isoformat()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [2, 1, 0]),
        ({"ordering": "-id"}, [2, 1, 0]),
        ({"ordering": "id"}, [0, 1, 2]),
        ({"created_after": day(0.5)}, [2, 1]),
        ({"created_before": day(0.5)}, [0]),
        ({"created_after": day(0.5), "created_before": day(1.5)}, [1]),
        ({"publish_after": day(0.5)}, [2]),
        ({"publish_before": day(1.5)}, [0]),
        ({"search": "안내"}, [0]),
        ({"search": "WEEK"}, [2, 1, 0]),
        ({"search": "%"}, [1]),
        ({"search": ""}, [2, 1, 0]),
        ({"status": "draft"}, [1]),
        ({"status": "draft", "search": "안내"}, []),
        ({"channel_id": "1100000000000000012"}, [1]),
        ({"channel_id": "1100000000000000011", "ordering": "id"}, [0, 2]),
        ({"channel_id": "1100000000000000011", "created_after": day(1)}, [2]),
        ({"channel_id": "77"}, []),
    ],
)
def test_a_filter_lists_the_notices_that_match(
    frontend: APIClient,
    every_frontend: APIClient,
    notices: list[int],
    asked: dict[str, str],
    found: list[int],
) -> None:
    for client in (frontend, every_frontend):
        assert listed(client, asked) == [notices[number] for number in found]


@pytest.mark.parametrize("ordering", ["id", "-id"])
def test_pages_keep_filter_order_and_size(
    frontend: APIClient, notices: list[int], ordering: str
) -> None:
    wanted = sorted(notices, reverse=ordering == "-id")
    seen: list[int] = []
    page = frontend.get(NOTICES, {"ordering": ordering, "page_size": "1", "search": "week"}).json()
    while True:
        seen += [notice["id"] for notice in page["results"]]
        if page["next"] is None:
            break
        page = frontend.get(page["next"]).json()
    back = frontend.get(page["previous"]).json()

    assert seen == wanted
    assert [notice["id"] for notice in back["results"]] == [wanted[1]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("statsu", "sent"),
        ("status", "gone"),
        ("study_id", "x"),
        ("channel_id", "-1"),
        ("created_after", "yesterday"),
        ("publish_before", "2026-03-02"),
        ("search", "a\0b"),
        ("search", "a" * 101),
        ("ordering", "title"),
        ("page_size", "0"),
        ("page_size", "101"),
        ("page_size", "1e2"),
    ],
)
def test_a_bad_parameter_is_refused_by_its_name(frontend: APIClient, name: str, value: str) -> None:
    answer = frontend.get(NOTICES, {name: value})

    assert answer.status_code == 400
    assert fields_refused(answer) == [name]


def test_attempts_come_newest_first_with_reason_and_remedy(
    frontend: APIClient, failed_delivery: Delivery
) -> None:
    for number, (outcome, code) in enumerate([("transient", 500), ("refused", 50013)]):
        Attempt.objects.create(
            delivery=failed_delivery,
            action="create",
            revision=1,
            nonce=failed_delivery.nonce,
            claim=number,
            begun_at=NOW,
            ended_at=NOW,
            outcome=outcome,
            code=code,
            detail="host=10.0.0.1",
        )

    answer = frontend.get(f"{NOTICES}{failed_delivery.notice_id}/attempts/")

    newest, oldest = answer.json()["results"]
    assert (newest["outcome"], oldest["outcome"]) == ("refused", "transient")
    assert newest["channel_id"] == str(failed_delivery.channel_id)
    assert newest["error"]["code"] == 50013
    assert "lacks a permission" in newest["error"]["reason"]
    assert "Send Messages" in newest["error"]["remedy"]
    assert "10.0.0.1" not in answer.content.decode()


@pytest.mark.parametrize("count", [1, 30])
def test_attempts_cost_the_same_queries_however_many(
    frontend: APIClient,
    failed_delivery: Delivery,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    Attempt.objects.bulk_create(
        Attempt(delivery=failed_delivery, action="create", nonce="n", claim=n, begun_at=NOW)
        for n in range(count)
    )
    address = f"{NOTICES}{failed_delivery.notice_id}/attempts/"
    frontend.get(address)

    # The key, the notice, whether it came from another study, its attempts with their deliveries.
    with django_assert_num_queries(4):
        assert len(frontend.get(address).json()["results"]) == count


@pytest.mark.parametrize("count", [1, 30])
def test_channels_cost_the_same_queries_however_many(
    frontend: APIClient, study: Study, django_assert_num_queries: Any, count: int
) -> None:
    study.channels.set(
        Channel.objects.bulk_create(Channel(id=10**18 + n, name=f"{n}") for n in range(count))
    )
    frontend.get("/api/v1/channels/")

    with django_assert_num_queries(2):
        assert len(frontend.get("/api/v1/channels/").json()["results"]) == count


def test_a_filter_that_is_there_twice_is_refused_by_its_name(frontend: APIClient) -> None:
    answer = frontend.get(f"{NOTICES}?status=sent&status=failed&search=a")
    assert fields_refused(answer) == ["status"]
    assert "send it once" in answer.json()["detail"]
