"""A change pings nobody, so a leader may put a line about it first in the text."""

from typing import Any

import pytest
from django.test import Client

from notices import actions
from notices.desk.text_fields import CHANGE_LIMIT
from notices.models import Notice, Study

Form = dict[str, Any]


def save(desk: Client, notice: Notice, form: Form, **more: str) -> Any:
    return desk.post(f"/admin/notices/notice/{notice.pk}/change/", form | {"_save": "1"} | more)


@pytest.mark.parametrize(
    ("language", "line"), [("ko", "변경: 8시 → 9시"), ("en", "Change: 8시 → 9시")]
)
def test_the_change_line_stands_first_in_the_studys_language(
    desk: Client, form: Form, notice: Notice, language: str, line: str
) -> None:
    Study.objects.filter(pk=notice.study_id).update(language=language)
    save(desk, notice, form, change=" 8시 → 9시 ")
    notice.refresh_from_db()
    assert notice.content == f"{line}\n\n{form['content']}"
    assert notice.revision == 2


def test_an_empty_change_line_adds_nothing(desk: Client, form: Form, notice: Notice) -> None:
    save(desk, notice, form, change="  ")
    notice.refresh_from_db()
    assert notice.content == form["content"]


def test_a_refused_save_keeps_it_apart_from_the_text(
    desk: Client, form: Form, notice: Notice
) -> None:
    shown = save(desk, notice, form | {"title": ""}, change="8시 → 9시").context["adminform"].form
    assert shown["change"].value() == "8시 → 9시"
    assert shown["content"].value() == form["content"]


@pytest.mark.parametrize(
    ("content", "change"), [("가" * 4090, "8시 → 9시"), ("가", "가" * (CHANGE_LIMIT + 1))]
)
def test_a_text_that_is_too_long_with_it_is_refused_at_its_field(
    desk: Client, form: Form, notice: Notice, content: str, change: str
) -> None:
    answer = save(desk, notice, form | {"content": content}, change=change)
    assert answer.context["adminform"].form.errors.keys() == {"change"}
    notice.refresh_from_db()
    assert notice.revision == 1


def test_a_notice_that_nobody_has_read_yet_has_no_such_line(
    desk: Client, form: Form, study: Study
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    for page in ("add/", f"{draft.pk}/change/"):
        answer = desk.get(f"/admin/notices/notice/{page}")
        assert 'name="change"' not in answer.content.decode()
    save(desk, draft, form, change="8시 → 9시")
    draft.refresh_from_db()
    assert draft.content == form["content"]


def test_a_withdrawn_notice_has_no_such_line(desk: Client, notice: Notice) -> None:
    actions.withdraw(notice)
    page = desk.get(f"/admin/notices/notice/{notice.pk}/change/").content.decode()
    assert 'name="change"' not in page
