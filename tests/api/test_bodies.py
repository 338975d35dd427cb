"""Whole bodies: whatever is sent, the answer is a refusal in words, never a crash."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from notices.models import Notice

ANSWERS = {201, 202, 400, 401, 403, 404, 409, 413, 415}
FIELDS = (
    "channel_id",
    "study_id",
    "title",
    "content",
    "author",
    "url",
    "image",
    "ping",
    "channel_ids",
    "publish_at",
    "expires_at",
)
BAD_BODIES = {
    "list": b"[]",
    "null": b"null",
    "number": b"5",
    "huge number": b"1" * 5000,
    "text": b'"text"',
    "not JSON": b"title=a",
    "bad UTF-8": b'{"title": "\xff"}',
    "UTF-16": '{"title": "a"}'.encode("utf-16"),
    "NaN": b'{"study_id": NaN}',
    "Infinity": b'{"study_id": -Infinity}',
    "1e400": b'{"study_id": 1e400}',
    "twice": b'{"title": "a", "title": "b"}',
    "half a character twice": b'{"\\ud800": 1, "\\ud800": 2}',
    "half a character": b'{"\\ud800": "\\udfff"}',
    "half a character as a ping": b'{"ping": "\\udfff"}',
    "deep": b'{"title": ' + b"[" * 30000 + b"]" * 30000 + b"}",
    "deep enough": b'{"ping": ' + b"[" * 900 + b"]" * 900 + b"}",
    "deep keys": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "empty": b"",
    "blank": b"  ",
    "empty object": b"{}",
    "NUL": b"\0",
}
ADDRESSES = ("/notice/", "/api/v1/notices/")

# JSON as it may arrive: half characters, numbers of any size, structures within structures.
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(2**62, 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
    | st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    | st.sampled_from(["http://", "https://example.com", "none", "role", "1100000000000000011"])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_body_is_refused_in_words(frontend: APIClient, address: str, body: bytes) -> None:
    answer = frontend.post(address, body, content_type="application/json")

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert all(error["detail"] for error in answer.json()["errors"])
    assert not Notice.objects.exists()


def test_a_byte_order_mark_does_no_harm(frontend: APIClient, post: dict[str, Any]) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(post).encode()

    answer = frontend.post("/api/v1/notices/", body, content_type="application/json")

    assert answer.status_code == 201


def test_a_charset_in_the_header_changes_nothing(frontend: APIClient, post: dict[str, Any]) -> None:
    body = json.dumps(post, ensure_ascii=False).encode()
    for charset in ("utf-8", "latin-1", "base64", "no-such"):
        answer = frontend.post(
            "/api/v1/notices/", body, content_type=f"application/json; charset={charset}"
        )
        assert answer.json()["title"] == "8주차 모임"


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_body_over_the_limit_is_refused_with_size_and_limit(
    frontend: APIClient, address: str
) -> None:
    body = b'{"title": "' + b"a" * 70000 + b'"}'

    answer = frontend.post(address, body, content_type="application/json")

    assert answer.status_code == 413
    assert answer.json()["detail"] == f"The body has {len(body)} bytes; send at most 65536."


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data", "application/xml"])
def test_another_content_type_is_refused(frontend: APIClient, content_type: str) -> None:
    answer = frontend.post("/notice/", b"title=a", content_type=content_type)

    assert answer.status_code == 415
    assert content_type in answer.json()["detail"]
    assert "application/json" in answer.json()["detail"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(address="/api/v1/notices/", changes={"ping": "\ud800"})
@example(address="/api/v1/notices/", changes={"\udfff": 1})
@given(
    address=st.sampled_from(ADDRESSES),
    changes=st.dictionaries(
        st.sampled_from(FIELDS) | st.text(max_size=5), values, min_size=1, max_size=3
    ),
)
def test_no_value_of_any_field_breaks_a_post(
    frontend: APIClient,
    first_post: dict[str, Any],
    post: dict[str, Any],
    address: str,
    changes: dict[str, Any],
) -> None:
    before = Notice.objects.count()
    body = json.dumps((first_post if address == "/notice/" else post) | changes)

    answer = frontend.post(address, body, content_type="application/json")

    assert answer.status_code in ANSWERS
    made = answer.status_code in (201, 202)
    assert Notice.objects.count() == before + made
    assert answer.json()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.dictionaries(st.sampled_from(FIELDS[1:]), values, max_size=2))
def test_no_value_of_any_field_breaks_a_change(
    frontend: APIClient, notice: Notice, changes: dict[str, Any]
) -> None:
    answer = frontend.patch(
        f"/api/v1/notices/{notice.pk}/", json.dumps(changes), content_type="application/json"
    )

    assert answer.status_code == 200 or answer.status_code in ANSWERS
    assert answer.json()
