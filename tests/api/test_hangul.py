"""Texts that frontends send are composed, and invisible ones count as blank."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.models import Notice
from tests.api.conftest import fields_refused
from tests.test_hangul import TITLE, in_pieces

NOTICES = "/api/v1/notices/"


def test_a_notice_is_found_however_it_was_typed(frontend: APIClient, post: dict[str, Any]) -> None:
    frontend.post(NOTICES, post | {"title": in_pieces(TITLE)}, format="json")

    assert Notice.objects.get().title == TITLE
    for asked in (TITLE, in_pieces(TITLE)):
        answer = frontend.get(NOTICES, {"search": asked})
        assert [one["title"] for one in answer.json()["results"]] == [TITLE]


@pytest.mark.parametrize("letter", ["각", "가"])
def test_limits_count_syllables(frontend: APIClient, post: dict[str, Any], letter: str) -> None:
    longest = {"title": in_pieces(letter * 256), "content": in_pieces(letter * 4096)}
    assert frontend.post(NOTICES, post | longest, format="json").status_code == 201
    assert len(Notice.objects.get().content) == 4096

    answer = frontend.post(NOTICES, post | {"title": in_pieces(letter * 257)}, format="json")
    assert "has 257 characters" in answer.json()["detail"]


def test_a_link_is_left_as_it_is(frontend: APIClient, post: dict[str, Any]) -> None:
    """The other server knows the file by the exact bytes of its name."""
    link = "https://example.com/" + in_pieces("자료")
    frontend.post(NOTICES, post | {"url": link}, format="json")

    assert Notice.objects.get().url == link


@pytest.mark.parametrize("field", ["title", "content"])
def test_an_invisible_text_is_refused(
    frontend: APIClient, post: dict[str, Any], field: str
) -> None:
    answer = frontend.post(NOTICES, post | {field: "\u3164\u200b"}, format="json")

    assert fields_refused(answer) == [field]


@pytest.mark.parametrize("field", ["place", "author"])
def test_an_invisible_text_counts_as_none_where_none_is_needed(
    frontend: APIClient, post: dict[str, Any], field: str
) -> None:
    frontend.post(NOTICES, post | {field: "\u3164"}, format="json")

    assert getattr(Notice.objects.get(), field) == ""
