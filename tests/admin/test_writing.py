"""A leader writes, schedules and changes a notice; what cannot be is said at the field."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.models import Attempt, Channel, Delivery, Notice, Study

ADD = "/admin/notices/notice/add/"


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


def test_with_two_studies_none_is_guessed(desk: Client, leader: User, other_study: Study) -> None:
    other_study.leaders.add(leader)
    assert "study" not in initial(desk.get(ADD))


@pytest.mark.parametrize("key", [str(10**19), "two", "-1"])
def test_a_channel_that_cannot_be_one_is_refused_by_its_value(
    desk: Client, form: dict[str, Any], key: str
) -> None:
    refused = errors(desk.post(ADD, form | {"_publish": "1", "channels": [key]}))
    assert key in str(refused["channels"])


def test_publish_now_publishes_and_shows_the_notice(
    desk: Client, form: dict[str, Any], leader: User, channel: Channel
) -> None:
    answer = desk.post(ADD, form | {"_publish": "1", "publish_at": "2030-01-01T09:00"})
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
def test_what_cannot_be_is_refused_at_its_field(
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
    other_study.leaders.add(leader)
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


def test_a_change_made_meanwhile_is_not_overwritten(
    desk: Client, form: dict[str, Any], notice: Notice
) -> None:
    Notice.objects.filter(pk=notice.pk).update(title="다른 사람이 고침")
    answer = desk.post(change(notice), form | {"seen_revision": 1, "_save": "1"})
    assert "__all__" in errors(answer)
    notice.refresh_from_db()
    assert notice.title == "다른 사람이 고침"


def test_a_withdrawn_notice_is_only_to_be_read(
    desk: Client, form: dict[str, Any], notice: Notice
) -> None:
    notice.withdraw()
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


def test_a_draft_that_was_once_scheduled_goes_with_its_deliveries_unless_one_was_tried(
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
