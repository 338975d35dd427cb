"""An archived notice can be read and duplicated on the desk, which says why no more can be done."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from notices.models import Notice

LIST = "/admin/notices/notice/"


@pytest.fixture
def archived(notice: Notice) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(
        status=Notice.Status.SENT, archived_at=timezone.now(), fanned_out_revision=1
    )
    return notice


def act(client: Client, action: str, *notices: Notice) -> list[str]:
    ids = [notice.pk for notice in notices]
    sent = {"action": action, "_selected_action": ids, "confirmed": "yes"}
    answer = client.post(LIST, sent, follow=True)
    return [str(message) for message in answer.context["messages"]]


def test_its_page_says_why_nothing_can_be_changed(desk: Client, archived: Notice) -> None:
    html = desk.get(f"{LIST}{archived.pk}/change/", headers={"Accept-Language": "en"})
    page = html.content.decode()
    assert "Archived on" in page
    assert "duplicate it" in page
    assert "do/duplicate/" in page
    assert "do/withdraw/" not in page
    assert "do/send_again/" not in page
    assert "hx-trigger" not in page
    assert 'name="_save"' not in page


def test_a_form_from_before_changes_nothing(
    desk: Client, archived: Notice, form: dict[str, Any]
) -> None:
    assert desk.post(f"{LIST}{archived.pk}/change/", form | {"_save": ""}).status_code == 403
    archived.refresh_from_db()
    assert archived.revision == 1


def test_the_list_shows_it_without_a_count_of_channels(desk: Client, archived: Notice) -> None:
    answer = desk.get(LIST)
    assert answer.status_code == 200
    assert not re.search(r">\s*0/1\s*<", answer.content.decode())


@pytest.mark.parametrize("action", ["withdraw", "send_again"])
def test_actions_pass_it_by_and_say_so(desk: Client, archived: Notice, action: str) -> None:
    desk.cookies["django_language"] = "en"
    (said,) = act(desk, action, archived)
    assert "1 notice is archived" in said
    archived.refresh_from_db()
    assert archived.withdrawn_at is None


def test_the_others_are_withdrawn_all_the_same(desk: Client, archived: Notice) -> None:
    other = Notice.objects.create(
        study=archived.study, title="다른 공지", content="…", publish_at=timezone.now()
    )
    assert len(act(desk, "withdraw", archived, other)) == 2
    other.refresh_from_db()
    assert other.withdrawn_at is not None


def test_it_can_be_duplicated(desk: Client, archived: Notice) -> None:
    act(desk, "duplicate", archived)
    copy = Notice.objects.latest("pk")
    assert (copy.title, copy.status, copy.archived_at) == (archived.title, "draft", None)
