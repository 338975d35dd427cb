"""Texts that people write on the desk are composed, and invisible ones count as blank."""

from typing import Any

import pytest
from django.test import Client

from notices.models import Notice, Study
from tests.test_hangul import in_pieces

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


@pytest.mark.parametrize("field", ["title", "content"])
def test_an_invisible_text_is_refused(desk: Client, form: dict[str, Any], field: str) -> None:
    page = desk.post(ADD, form | {field: "\u3164\u200b", "_draft": "1"})

    assert list(page.context["adminform"].form.errors) == [field]


def test_an_invisible_author_counts_as_none(desk: Client, form: dict[str, Any]) -> None:
    desk.post(ADD, form | {"author": "\u200b\u2800", "_draft": "1"})

    assert Notice.objects.get().author == ""


@pytest.mark.parametrize(
    ("address", "name"),
    [("/admin/notices/study/add/", "name"), ("/admin/setup/connect/", "new_study")],
)
def test_a_study_needs_a_visible_name(admin_desk: Client, address: str, name: str) -> None:
    assert admin_desk.post(address, {name: "\u3164\u200b"}).status_code == 200
    assert not Study.objects.exists()


@pytest.mark.parametrize(
    "link", ["www.notion.so/abc", "//www.notion.so/abc\u200b", "\ufeff https://www.notion.so/abc"]
)
def test_a_link_without_https_is_completed(desk: Client, form: dict[str, Any], link: str) -> None:
    desk.post(ADD, form | {"url": link, "_draft": "1"})

    assert Notice.objects.get().url == "https://www.notion.so/abc"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://me@example.com",
        "https://example.com:65536",
        "http://localhost/a",
        "https://example.com/a b",
        "htps://example.com",
        "mailto:me@example.com",
    ],
)
@pytest.mark.parametrize("field", ["url", "image"])
def test_a_link_that_leads_nowhere_is_refused_with_the_form_of_one(
    desk: Client, form: dict[str, Any], field: str, link: str
) -> None:
    sent = form | {field: link, "_draft": "1"}
    page = desk.post(ADD, sent, headers={"accept-language": "en"})

    [told] = page.context["adminform"].form.errors[field]
    assert told.startswith("This is not an address on the web: write one such as https://")
