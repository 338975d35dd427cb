"""A leader writes, schedules and changes a notice; each error stands at its field."""

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices import actions, moments
from notices.models import Attempt, Change, Channel, Delivery, Notice, Study

ADD = "/admin/notices/notice/add/"
ENGLISH = {"Accept-Language": "en"}


def change(notice: Notice) -> str:
    return f"/admin/notices/notice/{notice.pk}/change/"


def errors(answer: Any) -> Any:
    assert answer.status_code == 200, "the form was accepted"
    return answer.context["adminform"].form.errors


def initial(answer: Any) -> Any:
    return answer.context["adminform"].form.initial


def test_the_form_begins_with_her_name_her_only_study_and_all_its_channels(
    desk: Client, leader: User, study: Study
) -> None:
    begun = initial(desk.get(ADD))
    assert begun["author"] == "minji"
    assert begun["study"] == study.pk
    assert set(begun["channels"]) == {channel.pk for channel in study.channels.all()}
    leader.first_name = "민지"
    leader.save()
    assert initial(desk.get(ADD))["author"] == "민지"


def test_the_form_guesses_no_study_among_two(
    desk: Client, leader: User, other_study: Study
) -> None:
    other_study.accounts.add(leader)
    assert "study" not in initial(desk.get(ADD))


@pytest.mark.parametrize("key", [str(10**19), "two", "-1"])
def test_a_malformed_channel_id_is_refused_by_its_value(
    desk: Client, form: dict[str, Any], key: str
) -> None:
    refused = errors(desk.post(ADD, form | {"_publish": "1", "channels": [key]}))
    assert key in str(refused["channels"])


def test_publish_now_publishes_and_shows_the_notice(
    desk: Client, form: dict[str, Any], leader: User, channel: Channel
) -> None:
    answer = desk.post(ADD, form | {"_publish": "1"})
    made = Notice.objects.get()
    assert answer["Location"] == change(made)
    assert made.publish_at is not None
    assert made.publish_at <= timezone.now()
    assert made.status == Notice.Status.QUEUED
    assert made.created_by == leader
    assert list(made.channels.all()) == [channel]


@pytest.mark.parametrize("button", ["_draft", "_save", "_unknown"])
def test_nothing_but_its_button_publishes(desk: Client, form: dict[str, Any], button: str) -> None:
    desk.post(ADD, form | {button: "1"})
    assert Notice.objects.get().status == Notice.Status.DRAFT


def test_a_draft_needs_no_channel_and_forgets_the_moment(
    desk: Client, form: dict[str, Any]
) -> None:
    desk.post(ADD, form | {"channels": [], "publish_at": "2030-01-01T09:00", "_draft": "1"})
    assert Notice.objects.get().publish_at is None


def test_enter_in_a_field_presses_the_button_for_drafts(desk: Client) -> None:
    page = desk.get(ADD).content.decode()
    assert (
        page.index('name="_draft"') < page.index('name="_schedule"') < page.index('name="_publish"')
    )


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"channels": [], "_publish": "1"}, "channels"),
        ({"title": "", "_publish": "1"}, "title"),
        ({"title": "가" * 257, "_draft": "1"}, "title"),
        ({"content": "", "_draft": "1"}, "content"),
        ({"content": "   \r\n ", "_draft": "1"}, "content"),
        ({"content": "가" * 4097, "_draft": "1"}, "content"),
        ({"author": "가" * 257, "_draft": "1"}, "author"),
        ({"url": "javascript:alert(1)", "_draft": "1"}, "url"),
        ({"image": "not an address", "_draft": "1"}, "image"),
        ({"ping": "all", "_draft": "1"}, "ping"),
        ({"ping": "role", "_publish": "1"}, "ping"),
        ({"_schedule": "1"}, "publish_at"),
        ({"publish_at": "2001-01-01T09:00", "_schedule": "1"}, "publish_at"),
        ({"publish_at": "tomorrow", "_schedule": "1"}, "publish_at"),
        ({"expires_at": "2001-01-01T09:00", "_publish": "1"}, "expires_at"),
    ],
)
def test_a_bad_value_is_refused_at_its_field(
    desk: Client, form: dict[str, Any], bad: dict[str, Any], field: str
) -> None:
    assert errors(desk.post(ADD, form | bad)).keys() == {field}
    assert not Notice.objects.exists()


def test_texts_at_discords_limits_pass_and_a_line_break_counts_once(
    desk: Client, form: dict[str, Any]
) -> None:
    content = "가\r\n" * 2047 + "가가"
    desk.post(ADD, form | {"title": "가" * 256, "content": content, "_draft": "1"})
    assert len(Notice.objects.get().content) == 4096


def test_a_published_text_can_be_changed_but_neither_its_study_nor_its_moment(
    desk: Client,
    leader: User,
    form: dict[str, Any],
    notice: Notice,
    other_study: Study,
) -> None:
    other_study.accounts.add(leader)
    before = notice.publish_at
    sent = form | {"study": other_study.pk, "publish_at": "2030-01-01T09:00"}
    for button in ("_save", "_publish"):
        desk.post(change(notice), sent | {"title": f"고침 {button}", button: "1"})
        notice.refresh_from_db()
        assert notice.title == f"고침 {button}"
        assert (notice.study.name, notice.publish_at) == ("알고리즘 스터디", before)
    assert notice.revision == 3


def test_a_published_notice_keeps_at_least_one_channel(
    desk: Client, form: dict[str, Any], notice: Notice
) -> None:
    assert "channels" in errors(desk.post(change(notice), form | {"channels": [], "_save": "1"}))


def test_a_channel_that_left_the_study_keeps_the_notice(
    desk: Client, form: dict[str, Any], notice: Notice, study: Study, channel: Channel
) -> None:
    study.channels.remove(channel)
    assert desk.post(change(notice), form | {"_save": "1"}).status_code == 302
    assert list(notice.channels.all()) == [channel]


@pytest.mark.parametrize("publish_at", ["2030-01-01T09:00", "2099-12-31T23:59"])
def test_a_later_moment_is_not_ignored_without_a_question(
    desk: Client, form: dict[str, Any], publish_at: str
) -> None:
    sent = form | {"publish_at": publish_at}
    answer = desk.post(ADD, sent | {"_publish": "1"}, headers=ENGLISH)
    asked = answer.context["adminform"].form.question
    page = answer.content.decode()
    assert "Publish now, though a later time is filled in?" in page
    assert publish_at in page
    assert not Notice.objects.exists()
    desk.post(ADD, sent | {"_publish": asked.answer})
    made = Notice.objects.get()
    assert made.publish_at is not None
    assert made.publish_at <= timezone.now()


def test_while_she_is_asked_a_draft_keeps_its_buttons(
    desk: Client, form: dict[str, Any], study: Study
) -> None:
    """The question names the button “Schedule”, and nothing has been scheduled that could be
    cancelled."""
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    sent = form | {"publish_at": "2030-01-01T09:00", "_publish": "1"}
    page = desk.post(change(draft), sent, headers=ENGLISH).content.decode()
    assert "press “Schedule” below" in page
    found = re.findall(r'name="_\w+"[^>]*>\s*([^<]+?)\s*</button>', page)
    assert found[-3:] == ["Save as draft", "Schedule", "Publish now"]
    assert "badge-draft" in page


def test_all_questions_are_asked_at_once(desk: Client, form: dict[str, Any]) -> None:
    sent = form | {"publish_at": "2030-01-01T09:00", "ping": "everyone"}
    asked = desk.post(ADD, sent | {"_publish": "1"}).context["adminform"].form.question
    assert len(asked.doubts) == 2
    assert desk.post(ADD, sent | {"_publish": asked.answer}).status_code == 302


def scheduled(study: Study, channel: Channel) -> Notice:
    moment = timezone.now().replace(microsecond=0) + timedelta(days=1)
    notice = Notice.objects.create(study=study, title="나중", content="나중", publish_at=moment)
    notice.channels.add(channel)
    return notice


def test_a_scheduled_notice_is_published_sooner_without_a_question(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel
) -> None:
    """The form holds the moment that the notice has already: she filled in no other."""
    notice = scheduled(study, channel)
    local = timezone.localtime(notice.publish_at, ZoneInfo("Asia/Seoul"))
    kept = f"{local:%Y-%m-%dT%H:%M:%S}"
    desk.post(change(notice), form | {"publish_at": kept, "_publish": "1"})
    notice.refresh_from_db()
    assert notice.status == Notice.Status.QUEUED


def test_the_first_button_of_a_scheduled_notice_keeps_it_scheduled(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel
) -> None:
    notice = scheduled(study, channel)
    page = desk.get(change(notice), headers=ENGLISH).content.decode()
    found = re.findall(r'name="(_\w+)"[^>]*>\s*([^<]+?)\s*</button>', page)
    assert found == [
        ("_schedule", "Save changes"),
        ("_publish", "Publish now"),
        ("_draft", "Cancel the schedule"),
    ]
    assert 'id="withdraw"' not in page
    sent = form | {"title": "고침", "publish_at": "2030-01-01T09:00", "_schedule": "1"}
    desk.post(change(notice), sent)
    notice.refresh_from_db()
    assert (notice.title, notice.status) == ("고침", Notice.Status.SCHEDULED)


@pytest.mark.parametrize("button", ["_schedule", "_save", "_unknown"])
def test_only_the_cancel_button_ends_a_schedule(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel, button: str
) -> None:
    notice = scheduled(study, channel)
    assert "publish_at" in errors(desk.post(change(notice), form | {button: "1"}))
    notice.refresh_from_db()
    assert notice.status == Notice.Status.SCHEDULED


def test_a_leader_is_told_which_schedule_she_cancelled(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel
) -> None:
    notice = scheduled(study, channel)
    assert notice.publish_at is not None
    answer = desk.post(change(notice), form | {"_draft": "1"}, follow=True, headers=ENGLISH)
    moment = moments.in_words(notice.publish_at, ZoneInfo("Asia/Seoul"))
    said = str(next(iter(answer.context["messages"])))
    assert "schedule for" in said
    assert moment.split(",")[-1] in said
    notice.refresh_from_db()
    assert notice.status == Notice.Status.DRAFT


def test_a_leader_is_told_that_a_draft_keeps_no_moment(desk: Client, form: dict[str, Any]) -> None:
    sent = form | {"publish_at": "2030-01-01T09:00", "_draft": "1"}
    answer = desk.post(ADD, sent, follow=True, headers=ENGLISH)
    assert "9:00" in str(next(iter(answer.context["messages"])))


# --- somebody else was quicker ----------------------------------------------------------------


def conflict(answer: Any) -> Any:
    assert answer.status_code == 200
    [doubt] = answer.context["adminform"].form.question.doubts
    return doubt


def test_a_change_made_meanwhile_is_shown_and_not_overwritten_unasked(
    desk: Client, other_leader: User, form: dict[str, Any], notice: Notice
) -> None:
    with Change.objects.recording([notice.pk], by=other_leader):
        notice.title = "다른 사람이 고침"
        notice.save()
    sent = form | {"seen_revision": 1, "_save": "1"}
    answer = desk.post(change(notice), sent, headers=ENGLISH)
    asked = conflict(answer)
    assert asked.head == "junho changed this notice while you were writing."
    shown = {one.label: (one.before, one.after) for one in asked.changes}
    assert shown["title"] == ("다른 사람이 고침", form["title"])
    notice.refresh_from_db()
    assert notice.title == "다른 사람이 고침"
    desk.post(change(notice), sent | {"_save": asked.answer})
    notice.refresh_from_db()
    assert notice.title == form["title"]


def test_a_conflict_with_her_own_other_window_is_named_as_such(
    desk: Client, form: dict[str, Any], notice: Notice
) -> None:
    sent = form | {"seen_revision": 1}
    desk.post(change(notice), sent | {"title": "첫째 창", "_save": "1"})
    second = sent | {"title": "둘째 창", "_save": "1"}
    asked = conflict(desk.post(change(notice), second, headers=ENGLISH))
    assert asked.head == "You changed this notice in another window."
    third = sent | {"title": "셋째 창", "_save": "1"}
    desk.post(change(notice), second | {"_save": asked.answer})
    # She agreed to overwrite the first window's text, and no other.
    assert conflict(desk.post(change(notice), third | {"_save": asked.answer}))


def test_a_draft_is_not_overwritten_by_another_button_either(
    desk: Client, form: dict[str, Any], study: Study
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    Notice.objects.filter(pk=draft.pk).update(title="다른 글")
    for button in ("_draft", "_publish", "_save"):
        conflict(desk.post(change(draft), form | {"seen_revision": 1, button: "1"}))
    draft.refresh_from_db()
    assert (draft.title, draft.status) == ("다른 글", Notice.Status.DRAFT)


def test_a_withdrawn_notice_is_only_to_be_read(
    desk: Client, form: dict[str, Any], notice: Notice
) -> None:
    actions.withdraw(notice)
    assert desk.get(change(notice)).status_code == 200
    assert desk.post(change(notice), form | {"_save": "1"}).status_code == 403


def test_a_draft_can_be_deleted_and_nothing_else_can(
    desk: Client, admin_desk: Client, notice: Notice, study: Study
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    later = Notice.objects.create(
        study=study, title="나중", content="나중", publish_at=timezone.now() + timedelta(days=1)
    )
    for browser in (desk, admin_desk):
        for kept in (notice, later):
            page = f"/admin/notices/notice/{kept.pk}/delete/"
            assert browser.post(page, {"post": "yes"}).status_code == 403
    desk.post(f"/admin/notices/notice/{draft.pk}/delete/", {"post": "yes"})
    assert set(Notice.objects.all()) == {notice, later}


def test_a_draft_is_deleted_with_its_deliveries_unless_one_was_tried(
    desk: Client, study: Study, channel: Channel
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    delivery = Delivery.objects.create(notice=draft, channel=channel, due_at=timezone.now())
    attempt = Attempt.objects.create(
        delivery=delivery, action="create", nonce="N", claim=1, begun_at=timezone.now()
    )
    page = f"/admin/notices/notice/{draft.pk}/delete/"
    assert desk.post(page, {"post": "yes"}).status_code == 403
    attempt.delete()
    assert desk.post(page, {"post": "yes"}).status_code == 302
    assert not Notice.objects.exists()


# --- channels that the study no longer has ---------------------------------------------------


@pytest.fixture
def old_draft(study: Study, channel: Channel) -> Notice:
    """Written while the study had the channel."""
    draft = Notice.objects.create(study=study, title="초안", content="…")
    draft.channels.set([channel])
    study.channels.remove(channel)
    return draft


@pytest.mark.parametrize("button", ["_publish", "_schedule"])
def test_a_draft_is_not_published_in_a_channel_that_its_study_has_lost(
    desk: Client, form: dict[str, Any], old_draft: Notice, channel: Channel,
    second_channel: Channel, button: str,
) -> None:  # fmt: skip
    later = "" if button == "_publish" else "2035-01-01T09:00"
    sent = form | {button: "1", "publish_at": later, "seen_revision": 1}
    refused = errors(desk.post(change(old_draft), sent))

    assert str(channel) in str(refused["channels"])
    old_draft.refresh_from_db()
    assert old_draft.publish_at is None
    sent["channels"] = [second_channel.pk]
    desk.post(change(old_draft), sent)
    old_draft.refresh_from_db()
    assert old_draft.publish_at is not None


def test_a_copy_leaves_out_lost_channels_and_says_so(
    desk: Client, old_draft: Notice, channel: Channel
) -> None:
    answer = desk.post(f"/admin/notices/notice/{old_draft.pk}/do/duplicate/", follow=True)

    copy = Notice.objects.latest("id")
    assert (copy.pk == old_draft.pk, list(copy.channels.all())) == (False, [])
    assert str(channel) in " ".join(str(told) for told in answer.context["messages"])


def test_the_page_says_before_a_save_that_a_lost_channel_gets_nothing(
    desk: Client, notice: Notice, study: Study, channel: Channel
) -> None:
    study.channels.remove(channel)
    page = f"/admin/notices/notice/{notice.pk}/effects/?channels={channel.pk}"

    told = desk.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert "which the study no longer has" in told
