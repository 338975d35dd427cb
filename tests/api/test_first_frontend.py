"""The first frontend's contract: POST /notice/."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Channel, Notice


def test_a_posted_notice_is_published_into_its_one_channel(
    frontend: APIClient, first_post: dict[str, Any], channel: Channel
) -> None:
    before = timezone.now()

    answer = frontend.post("/notice/", first_post, format="json")

    notice = Notice.objects.get()
    assert answer.status_code == 202
    assert answer.json() == {
        "status": "queued",
        "channel": str(channel.pk),
        "notice": notice.pk,
    }
    assert list(notice.channels.all()) == [channel]
    assert (notice.title, notice.content, notice.author) == ("8주차 모임", "화요일 20시", "민지")
    assert notice.status == Notice.Status.QUEUED
    assert notice.publish_at is not None
    assert before <= notice.publish_at <= timezone.now()


@pytest.mark.parametrize("kind", [str, int])
def test_ids_come_as_strings_or_numbers_and_the_channel_goes_back_as_it_came(
    frontend: APIClient, first_post: dict[str, Any], kind: type
) -> None:
    first_post |= {key: kind(first_post[key]) for key in ("channel_id", "study_id")}

    answer = frontend.post("/notice/", first_post, format="json")

    assert answer.status_code == 202
    assert answer.json()["channel"] == first_post["channel_id"]


def test_the_last_slash_may_be_missing(frontend: APIClient, first_post: dict[str, Any]) -> None:
    assert frontend.post("/notice", first_post, format="json").status_code == 202


def test_an_address_is_kept(frontend: APIClient, first_post: dict[str, Any]) -> None:
    first_post["url"] = "https://example.com/weeks/8"

    frontend.post("/notice/", first_post, format="json")

    assert Notice.objects.get().url == "https://example.com/weeks/8"


def test_fields_beyond_the_contract_are_ignored(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    first_post["sent_from"] = "week page"

    assert frontend.post("/notice/", first_post, format="json").status_code == 202


@pytest.mark.parametrize("missing", ["channel_id", "title", "study_id", "content"])
def test_a_missing_field_is_named(
    frontend: APIClient, first_post: dict[str, Any], missing: str
) -> None:
    del first_post[missing]

    answer = frontend.post("/notice/", first_post, format="json")

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error == {"field": missing, "value": None, "detail": "This is missing; send it."}
    assert missing in answer.json()


def test_a_channel_of_another_study_is_refused(
    frontend: APIClient, first_post: dict[str, Any], other_channel: Channel
) -> None:
    first_post["channel_id"] = str(other_channel.pk)

    answer = frontend.post("/notice/", first_post, format="json")

    assert answer.status_code == 400
    told = answer.json()["channel_id"][0]
    assert str(other_channel.pk) in told
    assert "manage.py addstudy" in told
    assert not Notice.objects.exists()


def test_an_unknown_study_is_refused_with_the_remedy(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    first_post["study_id"] = 999999

    answer = frontend.post("/notice/", first_post, format="json")

    assert answer.status_code == 400
    assert answer.json()["study_id"] == [
        "study_id 999999 is not known; take one from /api/v1/studies/."
    ]


def test_reading_is_not_for_this_address(frontend: APIClient) -> None:
    assert frontend.get("/notice/").status_code == 405
