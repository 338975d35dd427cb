"""Single values: each is taken, or refused by the name of its field with a remedy."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.models import Notice, Study
from tests.api.conftest import fields_refused

NO_IDS = [True, 1.0, 1.5, None, "", "0", 0, -1, "１２", "1e3", "0x1", " 1", "1\n", 2**63, "9" * 19]
NO_TEXTS: list[object] = [None, 5, True, [], {}, "", " \n\t", "a\0b", "\ud800"]
NO_LINKS = [
    5,
    "example.com",
    "http://",
    "https:///page",
    "javascript:alert(1)",
    "ftp://example.com/a",
    "http://exa mple.com",
    "http://localhost/a",
    "https://discord.com@evil.example/",
    "https://user:secret@example.com/",
    "https://example.com/\0",
    "https://example.com/a b",
    "https://example.com:65536/",
    "https://[::1",
    "https://example.com/" + "a" * 2048,
]
LINKS = [
    "https://example.com",
    "HTTP://EXAMPLE.COM/a?b=c#d",
    "https://한국.kr/공지",
    "http://127.0.0.1:8000/a.png",
    "https://example.com/@minji",
    "",
    None,
]
NO_MOMENTS = [
    5,
    "",
    "tomorrow",
    "2030-01-01T10:00:00",
    "2030-01-01",
    "2030-13-01T10:00:00Z",
    "0001-01-01T00:00:00+09:00",
    "9999-12-31T23:59:59-12:00",
]


def refusals(frontend: APIClient, post: dict[str, Any], field: str) -> str:
    """Check that nothing was saved, and return the refusals of the field."""
    # The encoder of the test client cannot write half of a surrogate pair.
    body = json.dumps(post)
    answer = frontend.post("/api/v1/notices/", body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert fields_refused(answer) == [field]
    assert not Notice.objects.exists()
    (error,) = answer.json()["errors"]
    return str(error["detail"])


@pytest.mark.parametrize("value", NO_IDS)
@pytest.mark.parametrize("field", ["channel_id", "study_id"])
def test_a_malformed_id_is_refused(
    frontend: APIClient, first_post: dict[str, Any], field: str, value: object
) -> None:
    answer = frontend.post("/notice/", first_post | {field: value}, format="json")

    assert answer.status_code == 400
    assert fields_refused(answer) == [field]


@pytest.mark.parametrize("value", NO_TEXTS)
@pytest.mark.parametrize("field", ["title", "content"])
def test_a_malformed_text_is_refused(
    frontend: APIClient, post: dict[str, Any], field: str, value: object
) -> None:
    refusals(frontend, post | {field: value}, field)


@pytest.mark.parametrize(
    ("field", "limit"), [("title", 256), ("content", 4096), ("place", 200), ("author", 256)]
)
def test_a_text_over_its_limit_is_refused_with_both_numbers(
    frontend: APIClient, post: dict[str, Any], field: str, limit: int
) -> None:
    told = refusals(frontend, post | {field: "가" * (limit + 1)}, field)

    assert f"has {limit + 1} characters" in told
    assert f"at most {limit}" in told
    assert len(told) < 200


def test_all_texts_at_their_limits_fit_together(
    frontend: APIClient, post: dict[str, Any], study: Study
) -> None:
    post |= {"title": "가" * 256, "content": "나" * 4096, "author": "다" * 256}
    post["place"] = "라" * 200

    assert frontend.post("/api/v1/notices/", post, format="json").status_code == 201
    longest_footer = Study._meta.get_field("name").max_length or 0
    assert 256 + 4096 + 200 + 256 + longest_footer + 100 < 6000


def test_texts_are_kept_without_the_blanks_around_them(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    frontend.post("/api/v1/notices/", post | {"title": "  7주차 \n"}, format="json")

    assert Notice.objects.get().title == "7주차"


@pytest.mark.parametrize("value", NO_LINKS)
@pytest.mark.parametrize("field", ["url", "image"])
def test_a_malformed_link_is_refused(
    frontend: APIClient, post: dict[str, Any], field: str, value: object
) -> None:
    refusals(frontend, post | {field: value}, field)


@pytest.mark.parametrize("value", LINKS)
@pytest.mark.parametrize("field", ["url", "image"])
def test_a_link_on_the_web_is_taken(
    frontend: APIClient, post: dict[str, Any], field: str, value: str | None
) -> None:
    answer = frontend.post("/api/v1/notices/", post | {field: value}, format="json")

    assert answer.status_code == 201
    assert answer.json()[field] == (value or "")


@pytest.mark.parametrize("around", ["\u200b", " \ufeff\u200e ", "\u2060"])
def test_invisible_characters_around_a_link_are_dropped(
    frontend: APIClient, post: dict[str, Any], around: str
) -> None:
    sent = post | {"url": f"{around}https://example.com/a{around}"}
    answer = frontend.post("/api/v1/notices/", sent, format="json")

    assert answer.json()["url"] == "https://example.com/a"


@pytest.mark.parametrize("value", NO_MOMENTS)
@pytest.mark.parametrize("field", ["publish_at", "expires_at"])
def test_a_malformed_moment_is_refused(
    frontend: APIClient, post: dict[str, Any], field: str, value: object
) -> None:
    assert "ISO 8601" in refusals(frontend, post | {field: value}, field)


@pytest.mark.parametrize("value", [None, "all", 1, [], {}, {"a": []}])
def test_an_unknown_ping_is_refused_with_the_known_ones(
    frontend: APIClient, post: dict[str, Any], value: object
) -> None:
    refusals(frontend, post | {"ping": value}, "ping")


def test_a_study_without_a_role_cannot_ping_one(
    frontend: APIClient, post: dict[str, Any], study: Study
) -> None:
    assert "set one in the admin" in refusals(frontend, post | {"ping": "role"}, "ping")

    study.ping_role_id = 1100000000000000099
    study.save()
    answer = frontend.post("/api/v1/notices/", post | {"ping": "role"}, format="json")
    assert answer.json()["ping"] == "role"


@pytest.mark.parametrize("value", [None, "12", 12, {}, [], [None], [[]], [True], ["1", "x"]])
def test_a_malformed_list_of_ids_is_refused(
    frontend: APIClient, post: dict[str, Any], value: object
) -> None:
    refusals(frontend, post | {"channel_ids": value}, "channel_ids")


def test_an_unknown_field_is_named_with_the_known_ones(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    told = refusals(frontend, post | {"chanel_ids": ["1"]}, "chanel_ids")

    assert "channel_ids" in told


def test_an_answer_follows_accept_language_but_not_in_its_codes(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    answer = frontend.post(
        "/api/v1/notices/", post, format="json", headers={"Accept-Language": "ko"}
    )

    assert answer["Content-Language"] == "ko"
    assert answer.json()["status"] == "queued"
