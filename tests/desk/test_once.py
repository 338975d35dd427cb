"""A page of the desk makes its row once, however often the button is pressed."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from notices.models import (
    ApiKey,
    CallbackEndpoint,
    Channel,
    Notice,
    Study,
    Submission,
    notice_saved,
)
from tests.desk.conftest import logged_in
from tests.desk.test_writing import ADD, change, errors

LIST = "/admin/notices/notice/"
SAID = "Nothing was made twice"


def writing_of(page: Any, form: str = "") -> str:
    """The value of the hidden field after the text `form`, which is part of its form's tag."""
    text = page.content.decode()
    text = text[text.index(form) :]
    found = re.search(r'<input type="hidden" name="writing" value="([0-9a-f]{16})"', text)
    assert found, "the page has no name"
    return found[1]


def said(answer: Any, browser: Client) -> str:
    page = browser.get(answer["Location"], headers={"accept-language": "en"})
    return " ".join(str(message) for message in page.context["messages"])


def pressed_long_ago() -> None:
    Submission.objects.update(submitted_at=timezone.now() - timedelta(minutes=5))


@pytest.fixture
def english(desk: Client) -> Client:
    desk.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return desk


@pytest.mark.parametrize("button", ["_publish", "_draft"])
def test_a_notice_sent_twice_is_there_once_and_the_second_press_leads_to_it(
    desk: Client, form: dict[str, Any], button: str
) -> None:
    sent = form | {"writing": writing_of(desk.get(ADD)), button: "1"}
    answers = [desk.post(ADD, sent) for _press in range(3)]
    made = Notice.objects.get()
    assert {answer["Location"] for answer in answers} == {change(made)}


def test_a_double_click_says_no_more_than_a_click(english: Client, form: dict[str, Any]) -> None:
    sent = form | {"writing": writing_of(english.get(ADD)), "_publish": "1"}
    english.post(ADD, sent)
    assert SAID not in said(english.post(ADD, sent), english)


def test_a_leader_who_presses_again_later_is_told_that_nothing_was_made_twice(
    english: Client, form: dict[str, Any]
) -> None:
    sent = form | {"writing": writing_of(english.get(ADD)), "_publish": "1"}
    said(english.post(ADD, sent), english)
    pressed_long_ago()
    assert SAID in said(english.post(ADD, sent), english)


@pytest.mark.parametrize("changed", [{"title": "8주차 모임 (장소 변경)"}, {"_draft": "1"}])
def test_a_leader_is_told_that_her_changes_after_back_are_not_saved(
    english: Client, form: dict[str, Any], changed: dict[str, str]
) -> None:
    sent = form | {"writing": writing_of(english.get(ADD)), "_publish": "1"}
    said(english.post(ADD, sent), english)
    assert "is not saved" in said(english.post(ADD, sent | changed), english)
    assert Notice.objects.get().title == form["title"]


def test_a_refused_form_may_be_corrected_and_sent_from_the_same_page(
    desk: Client, form: dict[str, Any]
) -> None:
    sent = form | {"writing": writing_of(desk.get(ADD)), "_publish": "1"}
    refused = desk.post(ADD, sent | {"title": ""})
    assert "title" in errors(refused)
    assert writing_of(refused) == sent["writing"]
    desk.post(ADD, sent)
    desk.post(ADD, sent)
    assert Notice.objects.count() == 1


def test_after_an_error_the_same_page_can_be_sent_again(desk: Client, form: dict[str, Any]) -> None:
    sent = form | {"writing": writing_of(desk.get(ADD)), "_publish": "1"}

    def fail(**_told: Any) -> None:
        raise RuntimeError("whoever is told of a notice may fail")

    desk.raise_request_exception = False
    notice_saved.connect(fail)
    try:
        assert desk.post(ADD, sent).status_code == 500
    finally:
        notice_saved.disconnect(fail)
    assert not Notice.objects.exists()
    assert not Submission.objects.exists()
    desk.post(ADD, sent)
    assert Notice.objects.count() == 1


def test_another_session_of_hers_is_led_to_her_notice(
    desk: Client, leader: User, form: dict[str, Any]
) -> None:
    sent = form | {"writing": writing_of(desk.get(ADD)), "_publish": "1"}
    desk.post(ADD, sent)
    assert logged_in(leader).post(ADD, sent)["Location"] == change(Notice.objects.get())


def test_a_page_sent_by_another_leader_makes_a_notice_of_her_own(
    desk: Client, form: dict[str, Any], study: Study, other_leader: User
) -> None:
    study.accounts.add(other_leader)
    sent = form | {"writing": writing_of(desk.get(ADD)), "_publish": "1"}
    desk.post(ADD, sent)
    hers = Notice.objects.get()
    answer = logged_in(other_leader).post(ADD, sent)
    theirs = Notice.objects.exclude(pk=hers.pk).get()
    assert theirs.created_by == other_leader
    assert answer["Location"] == change(theirs)


@pytest.mark.parametrize("writing", [None, "", "x" * 16, "a" * 17, "\x00", "가" * 16])
def test_a_form_without_a_valid_writing_works(
    desk: Client, form: dict[str, Any], writing: str | None
) -> None:
    named = {} if writing is None else {"writing": writing}
    assert desk.post(ADD, form | named | {"_publish": "1"}).status_code == 302
    assert Notice.objects.count() == 1


def test_two_pages_make_two_notices(desk: Client, form: dict[str, Any]) -> None:
    for _page in range(2):
        desk.post(ADD, form | {"writing": writing_of(desk.get(ADD)), "_publish": "1"})
    assert Notice.objects.count() == 2


def press_at_once(browsers: list[Client], press: Callable[[Client], Any]) -> list[Any]:
    answers: list[Any] = []
    start = threading.Barrier(len(browsers))

    def run(browser: Client) -> None:
        start.wait()
        try:
            answers.append(press(browser))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.django_db(transaction=True)
def test_simultaneous_presses_make_one_notice(
    leader: User, study: Study, form: dict[str, Any]
) -> None:
    browsers = [logged_in(leader) for _press in range(4)]
    sent = form | {"_publish": "1"}
    for _round in range(5):
        Notice.objects.all().delete()
        sent["writing"] = writing_of(browsers[0].get(ADD))
        answers = press_at_once(browsers, lambda browser: browser.post(ADD, sent))
        assert {answer["Location"] for answer in answers} == {change(Notice.objects.get())}


@pytest.mark.django_db(transaction=True)
def test_a_valid_press_counts_beside_a_simultaneous_invalid_one(
    leader: User, study: Study, form: dict[str, Any]
) -> None:
    browsers = [logged_in(leader) for _press in range(2)]
    sent = form | {"writing": writing_of(browsers[0].get(ADD)), "_publish": "1"}
    titles = {browsers[0]: "", browsers[1]: form["title"]}
    press_at_once(browsers, lambda browser: browser.post(ADD, sent | {"title": titles[browser]}))
    assert Notice.objects.get().title == form["title"]


# --- whatever else the desk makes -----------------------------------------------------------


def test_a_notice_is_duplicated_once_by_its_button(desk: Client, notice: Notice) -> None:
    page = desk.get(change(notice))
    sent = {"writing": writing_of(page, '<form id="deeds"')}
    answers = [desk.post(f"{LIST}{notice.pk}/do/duplicate/", sent) for _press in range(2)]
    copy = Notice.objects.exclude(pk=notice.pk).get()
    assert {answer["Location"] for answer in answers} == {change(copy)}


def test_notices_are_duplicated_once_by_the_list(
    desk: Client, notice: Notice, study: Study
) -> None:
    second = Notice.objects.create(study=study, title="초안", content="초안")
    sent = {
        "writing": writing_of(desk.get(LIST), 'id="changelist-form"'),
        "action": "duplicate",
        "_selected_action": [notice.pk, second.pk],
    }
    answers = [desk.post(LIST, sent) for _press in range(2)]
    assert {answer["Location"] for answer in answers} == {LIST}
    assert Notice.objects.count() == 4


def test_a_list_where_nothing_was_chosen_may_be_sent_again(desk: Client, notice: Notice) -> None:
    sent = {
        "writing": writing_of(desk.get(LIST), 'id="changelist-form"'),
        "action": "duplicate",
    }
    desk.post(LIST, sent)
    desk.post(LIST, sent | {"_selected_action": [notice.pk]})
    assert Notice.objects.count() == 2


def test_an_action_that_only_changes_a_notice_may_be_repeated(desk: Client, notice: Notice) -> None:
    sent = {"writing": writing_of(desk.get(change(notice)), '<form id="deeds"')}
    for _press in range(2):
        desk.post(f"{LIST}{notice.pk}/do/send_again/", sent)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("page", "model", "sent"),
    [
        (
            "notices/study",
            Study,
            {
                "name": "새 스터디",
                "colour": "#5865f2",
                "language": "ko",
                "time_zone": "Asia/Seoul",
                "roles-TOTAL_FORMS": 0,
                "roles-INITIAL_FORMS": 0,
            },
        ),
        ("notices/apikey", ApiKey, {"name": "웹", "all_studies": "on"}),
        ("notices/channel", Channel, {"id": "1100000000000000099"}),
        (
            "auth/user",
            User,
            {
                "username": "seoyeon",
                "usable_password": "true",
                "password1": "a-new-leaders-password",
                "password2": "a-new-leaders-password",
            },
        ),
        (
            "notices/callbackendpoint",
            CallbackEndpoint,
            {
                "url": "https://example.org/told",
                "all_studies": "on",
                "events": ["notice.sent"],
                "active": "on",
            },
        ),
    ],
)
def test_a_site_admins_form_that_is_sent_twice_adds_one_row(
    admin_desk: Client, page: str, model: Any, sent: dict[str, Any]
) -> None:
    add = f"/admin/{page}/add/"
    before = model.objects.count()
    sent = sent | {"writing": writing_of(admin_desk.get(add))}
    answers = [admin_desk.post(add, sent) for _press in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len({answer["Location"] for answer in answers}) == 1
    assert model.objects.count() == before + 1


def test_a_key_is_rotated_once(admin_desk: Client) -> None:
    key, _secret = ApiKey.objects.create_key(name="웹", all_studies=True)
    there = "/admin/notices/apikey/"
    sent = {
        "writing": writing_of(admin_desk.get(there), 'id="changelist-form"'),
        "action": "rotate",
        "_selected_action": [key.pk],
    }
    for _press in range(2):
        admin_desk.post(there, sent)
    assert ApiKey.objects.count() == 2


def test_setting_up_makes_one_study_and_one_test_message(
    admin_desk: Client, channel: Channel
) -> None:
    setup = "/admin/setup/"
    connect = {
        "writing": writing_of(admin_desk.get(setup), "/setup/connect/"),
        "new_study": "새 스터디",
        "channels": [channel.pk],
    }
    for _press in range(2):
        assert admin_desk.post(f"{setup}connect/", connect).status_code == 302
    study = Study.objects.get()
    test = {
        "writing": writing_of(admin_desk.get(setup), "/setup/test/"),
        "where": Study.channels.through.objects.get(study=study).pk,
    }
    assert test["writing"] != connect["writing"]
    answers = [admin_desk.post(f"{setup}test/", test) for _press in range(2)]
    notice = Notice.objects.get()
    assert {answer["Location"] for answer in answers} == {f"{setup}?test={notice.pk}#test-step"}


def test_a_refused_test_message_may_be_sent_again(admin_desk: Client, study: Study) -> None:
    where = Study.channels.through.objects.first()
    assert where is not None
    test = {"writing": writing_of(admin_desk.get("/admin/setup/"), "/setup/test/")}
    admin_desk.post("/admin/setup/test/", test | {"where": "0"})
    admin_desk.post("/admin/setup/test/", test | {"where": where.pk})
    assert Notice.objects.count() == 1
