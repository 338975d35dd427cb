"""What people write on the desk is composed, and blank where nothing of it is seen."""

from typing import Any

import pytest
from django.test import Client

from notices.models import Notice, Study
from tests.test_hangul import BLANKS, in_pieces

LIST = "/admin/notices/notice/"
ADD = f"{LIST}add/"


def titles(desk: Client, **asked: str) -> list[str]:
    return [notice.title for notice in desk.get(LIST, asked).context["cl"].result_list]


def test_a_notice_is_found_however_it_was_typed(desk: Client, form: dict[str, Any]) -> None:
    texts = {name: form[name] for name in ("title", "content", "author")}
    pieces = {name: in_pieces(text) for name, text in texts.items()}
    desk.post(ADD, form | pieces | {"_draft": "1"})

    notice = Notice.objects.get()
    assert {name: getattr(notice, name) for name in texts} == texts
    for asked in (texts, pieces):
        assert titles(desk, q=asked["title"]) == [texts["title"]]
        assert titles(desk, author=asked["author"]) == [texts["title"]]


@pytest.mark.parametrize("letter", ["각", "가"])
def test_limits_count_syllables(desk: Client, form: dict[str, Any], letter: str) -> None:
    longest = {"title": in_pieces(letter * 256), "content": in_pieces(letter * 4096)}
    assert desk.post(ADD, form | longest | {"_draft": "1"}).status_code == 302

    too_long = {"title": in_pieces(letter * 257)}
    assert desk.post(ADD, form | too_long | {"_draft": "1"}).status_code == 200
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("field", ["title", "content"])
def test_a_text_of_which_nothing_is_seen_is_refused(
    desk: Client, form: dict[str, Any], field: str, blank: str
) -> None:
    page = desk.post(ADD, form | {field: blank, "_draft": "1"})

    assert list(page.context["adminform"].form.errors) == [field]


def test_an_author_of_whom_nothing_is_seen_is_none(desk: Client, form: dict[str, Any]) -> None:
    desk.post(ADD, form | {"author": "\u200b\u2800", "_draft": "1"})

    assert Notice.objects.get().author == ""


@pytest.mark.parametrize(
    ("address", "name"),
    [("/admin/notices/study/add/", "name"), ("/admin/setup/connect/", "new_study")],
)
def test_a_study_needs_a_name_that_is_seen(admin_desk: Client, address: str, name: str) -> None:
    assert admin_desk.post(address, {name: "\u3164\u200b"}).status_code == 200
    assert not Study.objects.exists()


def test_a_link_without_https_is_completed(desk: Client, form: dict[str, Any]) -> None:
    desk.post(ADD, form | {"url": "www.notion.so/abc", "_draft": "1"})

    assert Notice.objects.get().url == "https://www.notion.so/abc"
