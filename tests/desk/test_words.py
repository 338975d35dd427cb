"""Django's own texts on our pages are in the plain Korean of the desk."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.models import Channel, Delivery, Notice, Study
from tests.desk.test_writing import ADD, change

LIST = "/admin/notices/notice/"


@pytest.fixture(autouse=True)
def _in_korean(desk: Client, admin_desk: Client) -> None:
    for browser in (desk, admin_desk):
        browser.cookies["django_language"] = "ko"


def words(answer: Any) -> str:
    """The visible text of the page, without its tags."""
    assert answer.status_code == 200
    page = re.sub(r"<(script|style).*?</\1>", "", answer.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/admin/password_change/", ["지금 비밀번호", "새 비밀번호를 한 번 더 적어 주세요"]),
        ("/admin/auth/user/add/", ["비밀번호로 로그인", "허용", "막기"]),
        ("/admin/auth/user/add/", ["저장하고 하나 더 추가", "저장하고 계속 고치기"]),
        ("/admin/auth/user/", ["사용자", "명" , "사이트 관리자", "표시 이름"]),
        ("/admin/notices/study/", ["1개"]),
        ("/admin/notices/channel/", ["2개"]),
        ("/admin/notices/callbackendpoint/", ["아직 콜백 없음"]),
        ("/admin/notices/notice/?q=nowhere", ["맞는 공지 없음", "필터 지우기"]),
        ("/admin/notices/delivery/", ["채널별 게시 기록"]),
        ("/admin/django_q/schedule/", ["예약된 작업"]),
        ("/admin/django_q/success/", ["아직 끝난 작업 없음"]),
        ("/admin/admin/logentry/", ["아직 기록 없음"]),
        (ADD, ["내용", "받는 곳", "게시 시각", "작성자와 링크", "이 시각까지만 게시"]),
    ],
)  # fmt: skip
def test_a_page_speaks_plain_korean(
    admin_desk: Client, study: Study, address: str, said: list[str]
) -> None:
    page = words(admin_desk.get(address))
    assert [one for one in said if one not in page] == []


@pytest.mark.parametrize(
    "address",
    ["/admin/django_q/schedule/", "/admin/django_q/failure/", "/admin/admin/logentry/", LIST],
)
def test_no_head_of_a_list_is_english(admin_desk: Client, notice: Notice, address: str) -> None:
    page = admin_desk.get(address).content.decode()
    heads = re.findall(r"<th[^>]*>(.*?)</th>", page, re.S)
    shown = re.sub(r"<[^>]+>|expand_\w+|arrow_\w+|cancel|unfold_more", " ", " ".join(heads))
    assert re.findall(r"[A-Za-z]{3,}", re.sub(r"cron|ID", "", shown)) == []


def test_the_error_of_a_long_text_tells_the_limit(desk: Client, form: dict[str, Any]) -> None:
    page = words(desk.post(ADD, form | {"title": "가" * 300, "_draft": "1"}))
    assert "256자까지 쓸 수 있어요(지금 300자)." in page


def test_two_different_passwords_are_refused_in_plain_korean(
    admin_desk: Client, leader: User
) -> None:
    there = f"/admin/auth/user/{leader.pk}/password/"
    assert "minji 님의 새 비밀번호를 적어 주세요." in words(admin_desk.get(there))
    sent = {"usable_password": "true", "password1": "one-of-them-1", "password2": "other-one-1"}
    assert "비밀번호가 서로 달라요." in words(admin_desk.post(there, sent))


def test_the_login_says_whom_to_ask_and_points_at_nothing(client: Client, db: None) -> None:
    client.cookies["django_language"] = "ko"
    page = words(client.get("/admin/login/"))
    assert "사이트 관리자" in page
    assert "다시 오셨네요" not in page
    refused = words(client.post("/admin/login/", {"username": "a", "password": "b"}))
    assert "아래에 표시된 곳" not in refused


def test_a_new_account_and_its_history_are_told_in_plain_korean(admin_desk: Client) -> None:
    sent = {
        "username": "seoyeon",
        "usable_password": "true",
        "password1": "a-new-leaders-password",
        "password2": "a-new-leaders-password",
    }
    made = admin_desk.post("/admin/auth/user/add/", sent, follow=True)
    told = str(next(iter(made.context["messages"])))
    assert re.sub(r"<[^>]+>", "", told) == (
        "사용자 ‘seoyeon’ 추가를 마쳤어요. 아래에서 이어서 적어 주세요."
    )
    history = words(
        admin_desk.get(f"/admin/auth/user/{User.objects.get(username='seoyeon').pk}/history/")
    )
    assert "추가했어요" in history


def test_the_rows_picked_in_a_list_are_counted_in_korean(desk: Client) -> None:
    said = desk.get("/admin/jsi18n/").content.decode()
    assert json.dumps("%(cnt)s건 중 %(sel)s건을 골랐어요").lower() in said.lower()


def test_the_deletion_of_a_study_is_asked_in_korean_word_order(
    admin_desk: Client, study: Study
) -> None:
    page = words(admin_desk.get(f"/admin/notices/study/{study.pk}/change/"))
    assert "스터디 삭제" in page
    assert "삭제 스터디" not in page


# --- drafts go together -----------------------------------------------------------------------


def test_drafts_are_deleted_together_once_that_is_confirmed(
    desk: Client, notice: Notice, study: Study, channel: Channel
) -> None:
    drafts = [Notice.objects.create(study=study, title=f"초안 {n}", content="…") for n in "가나"]
    tried = Notice.objects.create(study=study, title="보낸 적 있는 초안", content="…")
    delivery = Delivery.objects.create(notice=tried, channel=channel, due_at=timezone.now())
    delivery.attempts.create(action="create", nonce="N", claim=1, begun_at=timezone.now())
    sent: dict[str, Any] = {
        "action": "delete_drafts",
        "_selected_action": [notice.pk, tried.pk, *(draft.pk for draft in drafts)],
    }
    asked = words(desk.post(LIST, sent))
    assert "초안을 삭제할까요?" in asked
    assert "초안 가" in asked
    assert notice.title not in asked
    assert Notice.objects.count() == 4
    desk.post(LIST, sent | {"confirmed": "yes"})
    assert set(Notice.objects.all()) == {notice, tried}


def test_nobody_deletes_another_studys_drafts(
    desk: Client, other_study: Study, study: Study
) -> None:
    theirs = Notice.objects.create(study=other_study, title="초안", content="…")
    sent = {"action": "delete_drafts", "_selected_action": [theirs.pk], "confirmed": "yes"}
    desk.post(LIST, sent)
    assert Notice.objects.get() == theirs


def test_one_draft_is_asked_about_plainly(desk: Client, study: Study) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="…")
    assert f"{LIST}{draft.pk}/delete/" in desk.get(change(draft)).content.decode()
    assert "이 초안을 삭제할까요?" in words(desk.get(f"{LIST}{draft.pk}/delete/"))
