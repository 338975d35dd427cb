"""Every page of a long list can be opened, and not all of its rows are counted for it."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.desk.long_list import MOST_COUNTED, PAGES_AHEAD
from notices.desk.notice import NoticeAdmin
from notices.models import Notice, Study
from tests.desk.conftest import logged_in

LIST = "/admin/notices/notice/"
PER_PAGE = NoticeAdmin.list_per_page
KNOWN = (1 + PAGES_AHEAD) * PER_PAGE


def write(study: Study, count: int) -> None:
    moment = timezone.now() - timedelta(days=1)
    Notice.objects.bulk_create(
        Notice(study=study, title=f"{n}", content="…", publish_at=moment, status="sent")
        for n in range(count)
    )


def page(client: Client, query: str = "") -> str:
    answer = client.get(f"{LIST}?{query}", headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    return answer.content.decode()


def shown(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', html)]


def test_each_notice_is_on_exactly_one_page(desk: Client, study: Study) -> None:
    count = KNOWN + PER_PAGE + 1
    write(study, count)
    pages = [shown(page(desk, f"p={n}")) for n in range(1, count // PER_PAGE + 2)]
    newest_first = Notice.objects.order_by("-pk").values_list("pk", flat=True)
    assert [pk for one in pages for pk in one] == list(newest_first)


def test_a_leader_of_two_studies_sees_both_in_their_order(
    leader: User, study: Study, other_study: Study
) -> None:
    other_study.accounts.add(leader)
    for _n in range(3):
        write(study, PER_PAGE // 2)
        write(other_study, PER_PAGE // 2)
    client = logged_in(leader)
    newest_first = list(Notice.objects.order_by("-pk").values_list("pk", flat=True))
    assert shown(page(client)) == newest_first[:PER_PAGE]
    assert shown(page(client, "p=2")) == newest_first[PER_PAGE : 2 * PER_PAGE]
    hers = Notice.objects.filter(study=other_study).order_by("-pk")
    assert shown(page(client, f"study={other_study.pk}")) == [one.pk for one in hers[:PER_PAGE]]


def test_a_short_list_says_how_many_there_are(desk: Client, study: Study) -> None:
    write(study, KNOWN)
    html = page(desk)
    assert re.search(rf"{KNOWN}\s+notices", html)
    assert "more than" not in html
    assert f"Select all {KNOWN} notices" in html


def test_a_short_list_can_be_shown_whole(desk: Client, study: Study) -> None:
    write(study, 2 * PER_PAGE)
    newest_first = Notice.objects.order_by("-pk").values_list("pk", flat=True)
    assert shown(page(desk, "all=")) == list(newest_first)


def test_a_long_list_is_counted_but_not_picked_whole(desk: Client, study: Study) -> None:
    write(study, KNOWN + PER_PAGE)
    html = page(desk)
    assert re.search(rf">\s*{KNOWN + PER_PAGE} notices\s*<", html)
    assert "more than" not in html
    assert f">{1 + PAGES_AHEAD}</a>" in html
    assert "Select all 3" not in html
    assert "action-counter" in html


def test_a_list_too_long_to_count_says_that_there_are_more(desk: Client, study: Study) -> None:
    write(study, MOST_COUNTED + 1)
    assert f"more than {KNOWN} notices" in page(desk)
    assert f"more than {KNOWN} notices" not in page(desk, "p=2")


@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30, "9" * 5000])
def test_an_impossible_page_number_is_no_error(desk: Client, study: Study, number: str) -> None:
    write(study, PER_PAGE + 1)
    answer = desk.get(LIST, {"p": number}, follow=True)
    assert answer.status_code == 200


def test_a_list_sorted_anew_is_sorted_whole(desk: Client, study: Study) -> None:
    write(study, KNOWN + 1)
    by_title = page(desk, "o=1")
    titles = Notice.objects.order_by("title", "-pk").values_list("pk", flat=True)
    assert shown(by_title) == list(titles[:PER_PAGE])
