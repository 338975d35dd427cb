"""Every refusal is a problem document (RFC 9457), in the reader's language, without secrets."""

from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.test import override_settings
from django.utils import translation
from rest_framework.test import APIClient

from notices.api import views
from notices.models import Notice, Study
from tests.api.conftest import client_with, key_for

NOTICES = "/api/v1/notices/"
TYPE = "application/problem+json"


def test_a_problem_names_the_field_the_value_and_the_remedy(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    answer = frontend.post(
        NOTICES, post | {"title": " ", "ping": "all", "url": None}, format="json"
    )

    assert (answer.status_code, answer["Content-Type"]) == (400, TYPE)
    assert answer.json() == {
        "type": "urn:studybot:invalid",
        "title": "Something that was sent cannot be used",
        "status": 400,
        "detail": 'title: " " is blank; write something. '
        'ping: "all" is not known here; send one of none, role, here, everyone.',
        "errors": [
            {"field": "title", "value": " ", "detail": '" " is blank; write something.'},
            {
                "field": "ping",
                "value": "all",
                "detail": '"all" is not known here; send one of none, role, here, everyone.',
            },
        ],
        "ping": ['"all" is not known here; send one of none, role, here, everyone.'],
    }


def test_the_first_frontend_finds_each_error_under_its_fields_name(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    del first_post["content"]

    answer = frontend.post("/notice/", first_post, format="json")

    assert answer.json()["content"] == ["This is missing; send it."]


def test_a_header_is_refused_before_a_body_that_cannot_be_read(frontend: APIClient) -> None:
    answer = frontend.post(
        NOTICES,
        b"\xff",
        content_type="application/json",
        headers={"Idempotency-Key": "a" * 300},
    )

    (error,) = answer.json()["errors"]
    assert answer.status_code == 400
    assert (error["field"], error["value"]) == ("Idempotency-Key", "a" * 79 + "…")


def test_a_long_value_is_shown_shortened(frontend: APIClient, post: dict[str, Any]) -> None:
    answer = frontend.post(NOTICES, post | {"title": "가" * 5000}, format="json")

    (error,) = answer.json()["errors"]
    assert error["value"] == "가" * 79 + "…"
    assert len(answer.content) < 2000


@pytest.mark.parametrize(
    ("address", "method", "status", "kind"),
    [
        ("/api/v1/notices/999/", "get", 404, "not-found"),
        ("/api/v1/notices/0/", "get", 404, "not-found"),
        ("/api/v1/nothing/", "get", 404, "not-found"),
        ("/api/", "get", 404, "not-found"),
        ("/api/v2/notices/", "post", 404, "not-found"),
        ("/notice/", "get", 405, "method-not-allowed"),
        ("/api/v1/notices/", "delete", 405, "method-not-allowed"),
        ("/api/v1/notices/", "put", 405, "method-not-allowed"),
    ],
)
def test_each_kind_of_refusal_has_its_type(
    frontend: APIClient, address: str, method: str, status: int, kind: str
) -> None:
    answer = getattr(frontend, method)(address)

    assert (answer.status_code, answer["Content-Type"]) == (status, TYPE)
    assert answer.json()["type"] == f"urn:studybot:{kind}"
    assert answer.json()["status"] == status
    assert answer.json()["errors"] == []


def test_a_request_for_html_is_not_acceptable(frontend: APIClient) -> None:
    answer = frontend.get(NOTICES, headers={"Accept": "text/html"})

    assert (answer.status_code, answer["Content-Type"]) == (406, TYPE)


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "There is no such thing"), ("ko", "찾을 수 없어요")],
)
def test_a_problem_is_told_in_the_readers_language(
    frontend: APIClient, language: str, title: str
) -> None:
    answer = frontend.get("/api/v1/notices/999/", headers={"Accept-Language": language})

    assert answer["Content-Language"] == language
    assert answer.json()["title"] == title
    assert answer.json()["type"] == "urn:studybot:not-found"


@pytest.mark.parametrize("address", ["/notice/", NOTICES])
def test_a_database_that_is_away_is_a_503(no_database: None, address: str) -> None:
    answer = client_with("abcdefgh.secret").post(
        address, {"title": "t"}, format="json", headers={"Idempotency-Key": "k"}
    )

    assert (answer.status_code, answer["Content-Type"]) == (503, TYPE)
    assert answer["Retry-After"] == "5"
    assert answer.json()["type"] == "urn:studybot:unavailable"
    assert "no/such/database" not in answer.content.decode()


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (OperationalError("server closed the connection: host=db1"), 503, "unavailable"),
        (DataError("secret detail"), 500, "broken"),
        (ZeroDivisionError("secret detail"), 500, "broken"),
    ],
)
@override_settings(DEBUG=False)
def test_a_server_error_is_told_without_its_cause(
    study: Study,
    post: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Exception,
    status: int,
    kind: str,
) -> None:
    class Faulty:
        def __init__(self, **_given: Any) -> None:
            raise fault

    monkeypatch.setattr(views, "NewNoticeForm", Faulty)

    answer = client_with(key_for(study)).post(NOTICES, post, format="json")

    assert (answer.status_code, answer["Content-Type"]) == (status, TYPE)
    assert answer.json()["type"] == f"urn:studybot:{kind}"
    assert "secret" not in answer.content.decode()
    assert "db1" not in answer.content.decode()
    assert str(fault) in caplog.text


def test_a_body_may_be_as_deep_as_it_needs_and_no_deeper(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    def nested(depth: int) -> Any:
        return [nested(depth - 1)] if depth else []

    taken = frontend.post("/notice/", first_post | {"more": nested(6)}, format="json")
    refused = frontend.post("/notice/", first_post | {"more": nested(8)}, format="json")

    assert taken.status_code == 202
    assert refused.status_code == 400
    assert "nested too deeply" in refused.json()["detail"]
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("address", ["/notice/", NOTICES, "/api/v1/uploads/"])
def test_a_body_in_chunks_is_refused_for_its_missing_length(
    frontend: APIClient, address: str
) -> None:
    """Django goes by Content-Length, and would find no body at all."""
    answer = frontend.post(address, headers={"Transfer-Encoding": "chunked"})

    assert (answer.status_code, answer["Content-Type"]) == (411, TYPE)
    assert "send it whole, with Content-Length" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({"Transfer-Encoding": "chunked"}, "send it whole"),
        ({"X-API-Key": "a.key"}, "came over plain HTTP"),
        ({"Host": "a host of nobody's"}, "is not one that can be read"),
        ({"Content-Length": "99999999"}, "send at most"),
    ],
)
@override_settings(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_TLS", "https"))
def test_a_request_refused_early_is_told_in_its_own_language(
    headers: dict[str, str], told: str
) -> None:
    """And not in that of the request before, which the same thread has answered."""
    tls = {} if "X-API-Key" in headers or "Host" in headers else {"X-TLS": "https"}
    with translation.override("ko"):
        answer = APIClient().post(NOTICES, headers={"Accept-Language": "en", **tls, **headers})
    assert answer["Content-Type"] == TYPE
    assert told in answer.json()["detail"]


def test_a_request_that_reaches_no_view_is_answered_with_a_problem(frontend: APIClient) -> None:
    for address, status in (("/api/v1/notices/%0A", 404), ("/notice%0A", 404)):
        answer = frontend.get(address)
        assert answer.status_code == status
    assert frontend.get("/api/\n")["Content-Type"] == TYPE
    answer = frontend.get(NOTICES, headers={"Host": "a host of nobody's"})
    assert (answer.status_code, answer["Content-Type"]) == (400, TYPE)
