"""The front page: is the bot keeping up, what needs a hand, what goes out next."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from notices.models import BotInstance, Channel, Delivery, ErrorCode, Notice, Study
from tests.desk.conftest import logged_in

FRONT = "/admin/"


@pytest.fixture
def bot(db: None) -> BotInstance:
    now = timezone.now()
    return BotInstance.objects.create(name="bot", started_at=now, heartbeat_at=now, is_active=True)


def front(client: Client) -> Any:
    answer = client.get(FRONT)
    assert answer.status_code == 200
    return answer.context["front"]


def page(client: Client) -> str:
    answer = client.get(FRONT, headers={"Accept-Language": "en"})
    return answer.content.decode()


def titles(entries: list[Any]) -> list[str]:
    return [entry.notice.title for entry in entries]


def write(study: Study, title: str, ago: timedelta, status: str = "", **facts: Any) -> Notice:
    moment = timezone.now() - ago
    notice = Notice.objects.create(
        study=study, title=title, content="…", publish_at=moment, changed_at=moment, **facts
    )
    if status:
        Notice.objects.filter(pk=notice.pk).update(status=status)
    return notice


HOUR = timedelta(hours=1)


# --- the bot -------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_a_bot_that_keeps_up_is_called_online(desk: Client) -> None:
    assert front(desk).bot.state == "online"
    assert "The bot is online and keeps up." in page(desk)


def test_a_missing_bot_is_reported(desk: Client) -> None:
    assert front(desk).bot.state == "absent"
    assert "No bot is running." in page(desk)


def test_a_bot_that_fell_silent_says_since_when(desk: Client, bot: BotInstance) -> None:
    BotInstance.objects.update(heartbeat_at=timezone.now() - timedelta(minutes=12))
    assert front(desk).bot.state == "offline"
    assert "last heard of 12\xa0minutes ago" in page(desk)


def test_a_bot_that_waits_for_discord_is_called_paused(desk: Client, bot: BotInstance) -> None:
    BotInstance.objects.update(paused_since=timezone.now() - 2 * HOUR)
    assert front(desk).bot.state == "paused"
    assert "2\xa0hours" in page(desk)


@pytest.mark.usefixtures("bot")
def test_a_bot_that_does_not_keep_up_says_how_long_the_oldest_waits(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    Notice.objects.update(fanned_out_revision=1)
    delivery = Delivery.objects.create(notice=notice, channel=channel, due_at=timezone.now())
    assert front(desk).bot.state == "online"
    delivery.due_at = timezone.now() - timedelta(minutes=5)
    delivery.save()
    assert front(desk).bot.state == "behind"
    assert "5\xa0minutes" in page(desk)


@pytest.mark.usefixtures("bot")
def test_the_bot_is_behind_while_an_old_notice_is_not_fanned_out(
    desk: Client, notice: Notice
) -> None:
    Notice.objects.filter(pk=notice.pk).update(changed_at=timezone.now() - HOUR)
    assert front(desk).bot.state == "behind"


# --- what needs a hand ---------------------------------------------------------------------


def test_a_failed_notice_is_listed_with_its_reason_and_a_link(
    desk: Client, study: Study, channel: Channel
) -> None:
    failed = write(study, "실패", HOUR, "failed")
    write(study, "일부", HOUR, "partly_sent")
    write(study, "게시됨", HOUR, "sent")
    Delivery.objects.create(
        notice=failed, channel=channel, state=Delivery.State.FAILED, error_code=50013
    )
    assert titles(front(desk).failed) == ["일부", "실패"]
    html = page(desk)
    assert f"/admin/notices/notice/{failed.pk}/change/" in html
    assert "The bot lacks a permission in this channel." in html


def test_a_notice_with_an_unknown_outcome_is_listed_as_late(
    desk: Client, study: Study, channel: Channel
) -> None:
    notice = write(study, "모름", HOUR, "sending")
    Delivery.objects.create(
        notice=notice,
        channel=channel,
        state=Delivery.State.UNKNOWN,
        unknown_since=timezone.now(),
        error_code=ErrorCode.NOT_READABLE,
    )
    assert titles(front(desk).late) == ["모름"]
    assert "may not read the channel&#x27;s history" in page(desk)


def test_notices_that_wait_too_long_are_listed_oldest_first(desk: Client, study: Study) -> None:
    write(study, "대기", 3 * HOUR, "queued")
    write(study, "예약 시각이 지남", 2 * HOUR, "scheduled")
    write(study, "방금", timedelta(seconds=5), "queued")
    write(study, "내일", -24 * HOUR)
    assert titles(front(desk).late) == ["대기", "예약 시각이 지남"]


def test_a_notice_that_was_just_corrected_is_not_late(desk: Client, study: Study) -> None:
    write(study, "고침", 30 * HOUR, "sending")
    Notice.objects.update(changed_at=timezone.now())
    assert titles(front(desk).late) == []


def test_old_failures_and_archived_ones_are_left_to_the_list(desk: Client, study: Study) -> None:
    write(study, "작년", timedelta(days=300), "failed")
    write(study, "보관됨", HOUR, "failed", archived_at=timezone.now())
    assert titles(front(desk).failed) == []
    assert "Nothing: all that was to be shown is shown." in page(desk)


def test_a_long_list_leads_to_the_rest(desk: Client, study: Study) -> None:
    for number in range(11):
        write(study, f"{number}", HOUR, "failed")
        write(study, f"{number}", -HOUR, "scheduled")
    shown = front(desk)
    assert (len(shown.failed), len(shown.coming)) == (10, 10)
    assert shown.more == {"failed", "coming"}
    assert "?status=failed" in page(desk)
    assert "?status=scheduled" in page(desk)


# --- what goes out next --------------------------------------------------------------------


def test_a_coming_notice_shows_its_moment_by_the_studys_clock(desk: Client, study: Study) -> None:
    Study.objects.update(time_zone="America/New_York")
    later = datetime(2099, 3, 9, 14, 0, tzinfo=UTC)
    for title, moment in (("나중", later + HOUR), ("먼저", later)):
        Notice.objects.create(study=study, title=title, content="…", publish_at=moment)
    Notice.objects.create(study=study, title="초안", content="…")
    assert titles(front(desk).coming) == ["먼저", "나중"]
    shown = page(desk)
    assert "Mon, Mar 9, 2099, 10:00 AM<span" in shown
    assert 'data-clock="-300 -240"> (America/New_York)</span>' in shown


# --- whose, and at what cost ---------------------------------------------------------------


def test_nothing_of_another_study_is_on_it(desk: Client, other_study: Study, study: Study) -> None:
    for status in ("failed", "partly_sent", "sending", "queued"):
        write(other_study, "남의 공지", HOUR, status)
    write(other_study, "남의 예약", -HOUR)
    shown = front(desk)
    assert shown.failed == shown.late == shown.coming == []
    assert "남의" not in page(desk)
    assert other_study.name not in page(desk)


def test_a_site_admin_sees_every_study(
    admin_desk: Client, study: Study, other_study: Study
) -> None:
    write(study, "하나", HOUR, "failed")
    write(other_study, "둘", HOUR, "failed")
    assert titles(front(admin_desk).failed) == ["둘", "하나"]


def test_a_title_cannot_write_html(desk: Client, study: Study) -> None:
    write(study, "<script>alert(1)</script>", HOUR, "failed")
    assert "<script>alert" not in page(desk)


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("how_many", [1, 30])
def test_it_costs_the_same_queries_however_much_there_is(
    leader: User,
    study: Study,
    other_study: Study,
    channel: Channel,
    how_many: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    other_study.accounts.add(leader)
    for number in range(how_many):
        notice = write((study, other_study)[number % 2], "실패", HOUR, "failed")
        Delivery.objects.create(notice=notice, channel=channel, state="failed", error_code=50013)
        write(study, "대기", HOUR, "queued")
        write(study, "내일", -24 * HOUR)
    client = logged_in(leader)
    # Session, user, her studies, whose names she may see, what else she may (twice); failed and late (which, and their
    # rows), coming, reasons; the bots, the oldest due, the oldest not fanned out.
    with django_assert_num_queries(16):
        client.get(FRONT)


# --- drafts --------------------------------------------------------------------------------


def test_drafts_are_offered_to_go_on_with_the_newest_first(
    desk: Client, study: Study, other_study: Study
) -> None:
    assert "Drafts" not in page(desk)
    for title in ("first", "second"):
        Notice.objects.create(study=study, title=title, content="…")
    Notice.objects.create(study=other_study, title="of another", content="…")
    write(study, "published", HOUR, "sent")
    assert titles(front(desk).drafts) == ["second", "first"]
    shown = page(desk)
    assert "Drafts" in shown
    assert "last changed on" in shown
    assert "All drafts" not in shown


def test_it_links_to_the_list_for_the_rest_of_many_drafts(desk: Client, study: Study) -> None:
    for number in range(12):
        Notice.objects.create(study=study, title=str(number), content="…")
    assert len(front(desk).drafts) == 10
    assert "?status=draft" in page(desk)
