"""The history of a notice tells who changed it when, the old and new values, and the bot's part."""

import html
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notices import actions
from notices.desk.notice_history import PAGE_ROWS
from notices.desk.text_diff import Part, changed_parts
from notices.models import ApiKey, Attempt, Change, Channel, Delivery, Notice, Study
from notices.moved import entry
from tests.desk.conftest import logged_in
from tests.roles import make_everyone

LIST = "/admin/notices/notice/"


@pytest.fixture(autouse=True)
def _in_english(desk: Client) -> None:
    desk.cookies["django_language"] = "en"


@pytest.fixture
def _few_people(notice: Notice) -> None:
    """So few people are there that a ping is not asked about."""
    make_everyone(3)


def history(client: Client, notice: Notice, query: str = "") -> Any:
    answer = client.get(f"{LIST}{notice.pk}/history/{query}")
    assert answer.status_code == 200
    return answer


def events(client: Client, notice: Notice) -> list[Any]:
    return list(history(client, notice).context["page"].events)


def save(client: Client, notice: Notice, form: dict[str, Any], **changes: Any) -> None:
    sent = {"title": notice.title, "content": notice.content, "_save": "1"}
    answer = client.post(f"{LIST}{notice.pk}/change/", form | sent | changes)
    assert answer.status_code == 302


def attempt(notice: Notice, channel: Channel, at: datetime, **facts: Any) -> Attempt:
    delivery, _made = Delivery.objects.get_or_create(
        notice=notice, channel=channel, defaults={"wanted": 1, "due_at": at}
    )
    given: dict[str, Any] = {"action": "create", "nonce": "N", "begun_at": at, "revision": 1}
    given["claim"] = Attempt.objects.count()
    return Attempt.objects.create(delivery=delivery, **given | facts)


@pytest.mark.usefixtures("_few_people")
def test_a_save_on_the_desk_is_told_with_old_and_new_values(
    desk: Client,
    leader: User,
    notice: Notice,
    channel: Channel,
    second_channel: Channel,
    form: dict[str, Any],
) -> None:
    leader.first_name = "민지"
    leader.save()
    save(
        desk, notice, form, title="8주차 모임", content="수요일 20시",
        ping="here", channels=[second_channel.pk], expires_at="2030-01-01T09:00",
    )  # fmt: skip
    changed, written = events(desk, notice)
    assert (changed.who, changed.what, changed.revision) == ("민지", "Changed it.", 2)
    told = {change.label: (change.before, change.after) for change in changed.changes}
    assert told["title"] == ("7주차 모임", "8주차 모임")
    assert told["ping"] == ("nobody", "everyone online (@here)")
    assert told["channels"] == (str(channel), str(second_channel))
    assert told["not after"][0] == "—"
    assert "2030" in told["not after"][1]
    (content,) = [change for change in changed.changes if change.parts]
    assert [part.text for part in content.parts if part.kind == "added"] == ["수요일"]
    assert written.what == "Wrote the notice."


@pytest.mark.usefixtures("_few_people")
def test_it_is_told_in_the_readers_language(
    desk: Client, notice: Notice, form: dict[str, Any]
) -> None:
    save(desk, notice, form, ping="here")
    desk.cookies["django_language"] = "ko"
    (change,) = events(desk, notice)[0].changes
    assert (change.label, change.before) != ("ping", "nobody")


def test_a_save_of_nothing_leaves_no_trace(
    desk: Client, notice: Notice, form: dict[str, Any]
) -> None:
    save(desk, notice, form)
    save(desk, notice, form)
    assert Change.objects.count() == 0


def test_a_form_that_is_refused_leaves_no_trace(
    desk: Client, notice: Notice, form: dict[str, Any]
) -> None:
    answer = desk.post(f"{LIST}{notice.pk}/change/", form | {"title": "", "_save": "1"})
    assert answer.status_code == 200
    assert not Change.objects.exists()


def test_it_shows_typed_html_as_text(desk: Client, notice: Notice, form: dict[str, Any]) -> None:
    save(desk, notice, form, title="<img src=x>", content="<script>alert(1)</script>")
    html = history(desk, notice).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert "&lt;img src=x&gt;" in html


def test_deeds_keys_and_bulk_changes_are_told_by_name(
    desk: Client, leader: User, notice: Notice, channel: Channel
) -> None:
    key, _secret = ApiKey.objects.create_key(name="algorithm site")
    assert isinstance(key, ApiKey)
    Notice.objects.filter(pk=notice.pk).update(created_with=key)
    with Change.objects.recording([notice.pk], by=key):
        Notice.objects.get(pk=notice.pk).save()
        notice.title = "by the key"
        notice.save()
    Notice.objects.filter(pk=notice.pk).update(title="in bulk")
    Change.objects.did(Change.Deed.SENT_AGAIN, notice, leader, [channel.pk])
    Change.objects.did(Change.Deed.LEFT, notice, leader, [channel.pk])
    actions.withdraw(notice, by=leader)
    told = [(event.who, event.what) for event in events(desk, notice)]
    assert told == [
        ("minji", "Withdrew it."),
        ("minji", f"Looked into {channel} and left it as it is."),
        ("minji", f"Had it tried again in {channel}."),
        ("name not known", "Changed it."),
        ("API key “algorithm site”", "Changed it."),
        ("API key “algorithm site”", "Wrote the notice."),
    ]


def test_versions_that_were_not_recorded_are_named(
    desk: Client, notice: Notice, form: dict[str, Any]
) -> None:
    notice.title = "by a command"
    notice.save()
    save(desk, notice, form, title="on the desk", seen_revision=2)
    assert history(desk, notice).context["page"].unrecorded == [2]
    assert "Of version 2 it is not known" in history(desk, notice).content.decode()


def test_it_lists_the_bots_requests_and_the_leaders_deeds_by_time(
    desk: Client, notice: Notice, channel: Channel, leader: User
) -> None:
    before, after = (timezone.now() + timedelta(minutes=minutes) for minutes in (1, 3))
    attempt(notice, channel, before, outcome="refused", ended_at=before, code=50013)
    change = Change.objects.create(
        notice=notice, deed="sent_again", user=leader, revision=1, channel_ids=[channel.pk]
    )
    Change.objects.filter(pk=change.pk).update(at=before + timedelta(minutes=1))
    attempt(notice, channel, after)
    kinds = [type(event).__name__ for event in events(desk, notice)]
    assert kinds == ["SentRequest", "Deed", "SentRequest", "Deed"]
    html = history(desk, notice).content.decode()
    assert "lacks a permission in this channel" in html
    assert "under way" in html


def test_a_long_history_is_read_page_by_page(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    for minute in range(PAGE_ROWS + 5):
        attempt(notice, channel, notice.created_at + timedelta(minutes=minute + 1))
    first, second = (history(desk, notice, query).context["page"] for query in ("", "?p=2"))
    assert (len(first.events), first.older, first.newer) == (PAGE_ROWS, 2, None)
    assert (len(second.events), second.older, second.newer) == (6, None, 1)
    assert first.events[-1].at > second.events[0].at
    assert history(desk, notice, "?p=0").context["page"].number == 1
    assert history(desk, notice, "?p=x").context["page"].number == 1


def test_it_costs_the_same_queries_however_long(
    desk: Client, notice: Notice, channel: Channel, leader: User
) -> None:
    costs = set()
    for number in range(20):
        attempt(notice, channel, timezone.now())
        with Change.objects.recording([notice.pk], by=leader):
            notice.title = f"{number}"
            notice.channels.set([] if number % 2 else [channel])
            notice.save()
        with CaptureQueriesContext(connection) as queries:
            desk.get(f"{LIST}{notice.pk}/history/")
        if number:  # without a changed channel no name is read
            costs.add(len(queries))
    assert len(costs) == 1


def test_another_studys_leader_does_not_see_it(
    other_leader: User, other_study: Study, notice: Notice
) -> None:
    answer = logged_in(other_leader).get(f"{LIST}{notice.pk}/history/")
    assert answer.status_code == 404
    assert notice.title not in answer.content.decode()


def test_a_draft_with_a_history_can_be_deleted(
    desk: Client, study: Study, form: dict[str, Any]
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    answer = desk.post(f"{LIST}{draft.pk}/change/", form | {"_draft": "1"})
    assert answer.status_code == 302
    assert Change.objects.count() == 1
    assert desk.get(f"{LIST}{draft.pk}/delete/").status_code == 200
    desk.post(f"{LIST}{draft.pk}/delete/", {"post": "yes"})
    assert not Notice.objects.exists()


# --- the words that changed ----------------------------------------------------------------


def test_texts_are_compared_word_by_word() -> None:
    assert changed_parts("화요일 20시입니다.", "목요일 20시입니다.") == [
        Part("removed", "화요일"),
        Part("added", "목요일"),
        Part("same", " 20시입니다."),
    ]


def test_an_unchanged_passage_is_shortened() -> None:
    long = "그대로 " * 100
    parts = changed_parts(f"처음 {long}끝", f"시작 {long}끝.")
    assert [part.kind for part in parts] == ["removed", "added", "same", "added"]
    assert "…" in parts[2].text
    assert len(parts[2].text) < 150


@pytest.mark.parametrize("text", ["a b " * 1024, "*_" * 2048, "가\n" * 2048])
def test_a_monotonous_text_is_compared_whole(text: str) -> None:
    parts = changed_parts(text, text[::-1] + "z")
    assert parts[-1].text.endswith("z")


# --- a notice that came from another study ---------------------------------------------------


@pytest.fixture
def moved(
    admin_desk: Client, desk: Client, notice: Notice, form: dict[str, Any], other_study: Study,
    other_channel: Channel, study: Study, second_channel: Channel,
) -> Notice:  # fmt: skip
    """The first study's leader wrote it; a site admin gave it to the other study, as a draft."""
    Notice.objects.filter(pk=notice.pk).update(publish_at=None, status="draft")
    save(desk, notice, form, title="비밀 모임", content="우리끼리만", channels=[second_channel.pk])
    notice.refresh_from_db()
    save(
        admin_desk, notice, form, study=other_study.pk, channels=[other_channel.pk],
        title="이달의 책", content="소년이 온다", author="",
    )  # fmt: skip
    notice.refresh_from_db()
    assert notice.study == other_study
    return notice


def test_the_new_leader_of_a_moved_notice_reads_nothing_of_before(
    moved: Notice, other_leader: User, leader: User, study: Study, channel: Channel,
    second_channel: Channel,
) -> None:  # fmt: skip
    client = logged_in(other_leader)
    client.cookies["django_language"] = "en"
    save(client, moved, _as_it_is(moved), title="다음 달의 책")
    page = html.unescape(history(client, moved).content.decode())

    for hidden in (
        "비밀 모임", "우리끼리만", "7주차", "화요일", leader.username, "민지", str(study),
        channel.name + " (알고리즘)", second_channel.name, "Wrote the notice", "Of version",
    ):  # fmt: skip
        assert hidden not in page, hidden
    assert {event.who for event in events(client, moved)} == {other_leader.username, ""}
    assert "It came from another study" in page
    assert "다음 달의 책" in page


def _as_it_is(notice: Notice) -> dict[str, Any]:
    return {
        "study": notice.study_id, "channels": [one.pk for one in notice.channels.all()],
        "author": notice.author, "ping": "none", "url": "", "image": "", "publish_at": "",
        "expires_at": "",
    }  # fmt: skip


def test_a_leader_of_both_studies_reads_the_whole_history(
    moved: Notice, other_study: Study, leader: User, desk: Client, admin_desk: Client
) -> None:
    admin_desk.cookies["django_language"] = "en"
    assert "비밀 모임" in history(admin_desk, moved).content.decode()
    other_study.accounts.add(leader)
    assert "비밀 모임" in history(desk, moved).content.decode()


def test_attempts_from_before_the_move_are_not_told(
    moved: Notice, other_leader: User, other_study: Study, channel: Channel
) -> None:
    moved_at = entry(moved, Study.objects.filter(pk=other_study.pk))
    assert moved_at is not None
    attempt(moved, channel, moved_at.at - timedelta(hours=1))
    client = logged_in(other_leader)

    assert f"#{channel.name} (알고리즘)" not in history(client, moved).content.decode()
    key = ApiKey(name="portal")
    secret = ApiKey.objects.assign_key(key)
    key.save()
    key.studies.add(other_study)
    address = f"/api/v1/notices/{moved.pk}/attempts/"
    assert client.get(address, headers={"X-API-Key": secret}).json()["results"] == []
    ApiKey.objects.update(all_studies=True)
    assert len(client.get(address, headers={"X-API-Key": secret}).json()["results"]) == 1
