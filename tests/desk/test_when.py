"""Moments are told in words in the study's time zone, and can be changed until they come."""

import html
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone, translation

from notices import actions, moments
from notices.delivery.fan_out import fan_out
from notices.models import Channel, Delivery, Notice, Study
from tests.desk.conftest import logged_in
from tests.engine_driver import PATIENCE_SECONDS, run_until
from tests.fake_transport import FakeTransport

ADD = "/admin/notices/notice/add/"
LIST = "/admin/notices/notice/"
ENGLISH = {"Accept-Language": "en"}
SEOUL = ZoneInfo("Asia/Seoul")
RACES, MOST_RACES = 8, 60


def change(notice: Notice) -> str:
    return f"/admin/notices/notice/{notice.pk}/change/"


def text(answer: Any) -> str:
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def errors(answer: Any) -> list[str]:
    assert answer.status_code == 200, "the form was accepted"
    return list(answer.context["adminform"].form.non_field_errors())


# --- moments in words ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "moment", "words"),
    [
        ("ko", datetime(timezone.now().year, 7, 3, 11, 0, tzinfo=UTC), "7월 3일 ({day}) 오후 8:00"),
        ("en", datetime(timezone.now().year, 7, 3, 11, 0, tzinfo=UTC), "{day}, Jul 3, 8:00 PM"),
        ("ko", datetime(2020, 7, 2, 15, 5, tzinfo=UTC), "2020년 7월 3일 (금) 오전 12:05"),
        ("en", datetime(2020, 7, 2, 15, 5, tzinfo=UTC), "Fri, Jul 3, 2020, 12:05 AM"),
    ],
)
def test_a_moment_is_told_as_people_write_it(language: str, moment: datetime, words: str) -> None:
    day = moment.astimezone(SEOUL).weekday()
    names = (
        "월화수목금토일" if language == "ko" else ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    )
    with translation.override(language):
        assert moments.in_words(moment, SEOUL) == words.format(day=names[day])


def test_the_list_and_the_page_tell_it_in_the_studys_time_zone(desk: Client, study: Study) -> None:
    study.time_zone = "America/New_York"
    study.save()
    moment = datetime(2030, 1, 1, 14, 0, tzinfo=UTC)
    later = Notice.objects.create(study=study, title="나중", content="나중", publish_at=moment)
    for page in (LIST, f"{LIST}{later.pk}/change/"):
        assert "Tue, Jan 1, 2030, 9:00 AM" in text(desk.get(page, headers=ENGLISH))


# --- read in the time zone of the study ------------------------------------------------------


def test_a_moment_is_read_and_shown_in_the_studys_time_zone(
    desk: Client, form: dict[str, Any], study: Study
) -> None:
    study.time_zone = "America/New_York"
    study.save()
    sent = form | {"publish_at": "2030-01-01T09:00", "_schedule": "1"}
    answer = desk.post(ADD, sent, follow=True, headers=ENGLISH)
    zone = '<span data-clock="-300 -240"> (America/New_York)</span>'
    assert said(answer)[0] == f"Will be published on Tue, Jan 1, 2030, 9:00 AM{zone}."
    made = Notice.objects.get()
    assert made.publish_at == datetime(2030, 1, 1, 14, 0, tzinfo=UTC)
    assert made.status == Notice.Status.SCHEDULED
    page = text(desk.get(change(made), headers=ENGLISH))
    assert 'value="2030-01-01T09:00"' in page
    assert "Time zone: America/New_York." in page


def test_the_picked_studys_time_zone_counts_and_all_are_named(
    desk: Client, leader: User, form: dict[str, Any], other_study: Study, other_channel: Channel
) -> None:
    other_study.accounts.add(leader)
    Study.objects.filter(pk=other_study.pk).update(time_zone="America/New_York")
    page = text(desk.get(ADD, headers=ENGLISH))
    assert f'data-zone-of="{other_study.pk}">America/New_York (독서 모임)</span>' in page
    assert "Asia/Seoul (알고리즘 스터디)</span>" in page
    sent = {
        "study": other_study.pk,
        "channels": [other_channel.pk],
        "expires_at": "2030-01-01T10:00",
    }
    desk.post(ADD, form | sent | {"publish_at": "2030-01-01T09:00", "_schedule": "1"})
    made = Notice.objects.get()
    assert made.publish_at == datetime(2030, 1, 1, 14, 0, tzinfo=UTC)
    assert made.expires_at == datetime(2030, 1, 1, 15, 0, tzinfo=UTC)


def test_a_moment_that_the_clock_skips_is_refused(
    desk: Client, form: dict[str, Any], study: Study
) -> None:
    study.time_zone = "America/New_York"
    study.save()
    answer = desk.post(ADD, form | {"publish_at": "2030-03-10T02:30", "_schedule": "1"})
    assert answer.context["adminform"].form.errors.keys() == {"publish_at"}


# --- until the last second -------------------------------------------------------------------


def scheduled(study: Study, channel: Channel, moment: datetime) -> Notice:
    """It is fanned out, and the bot waits for its moment."""
    notice = Notice.objects.create(
        study=study, title="8주차 모임", content="목요일 20시", publish_at=moment
    )
    notice.channels.add(channel)
    fan_out(notice.pk)
    return notice


def test_a_scheduled_notice_can_be_made_a_draft_again(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel
) -> None:
    made = scheduled(study, channel, datetime(2030, 1, 1, tzinfo=UTC))
    desk.post(change(made), form | {"publish_at": "2030-01-01T09:00", "_draft": "1"})
    made.refresh_from_db()
    assert (made.status, made.publish_at) == (Notice.Status.DRAFT, None)
    # The save itself takes it from the bot, which could otherwise claim it in the next instant.
    assert Delivery.objects.get().due_at is None


def test_a_moved_notice_is_due_at_its_new_moment_at_once(
    desk: Client, form: dict[str, Any], study: Study, channel: Channel
) -> None:
    made = scheduled(study, channel, timezone.now() + timedelta(seconds=30))
    desk.post(change(made), form | {"publish_at": "2030-01-01T09:00", "_schedule": "1"})
    assert Delivery.objects.get().due_at == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("button", ["_draft", "_schedule"])
def test_a_notice_that_went_out_meanwhile_is_not_changed_and_the_leader_is_told(
    desk: Client, form: dict[str, Any], notice: Notice, channel: Channel, button: str
) -> None:
    Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, shown=1, message_id=77, state="sent"
    )
    sent = form | {"publish_at": "2030-01-01T09:00", "title": "고침", button: "1"}
    answer = desk.post(change(notice), sent, headers=ENGLISH)
    [error] = errors(answer)
    assert "too late" in error
    assert "was published on" in error
    assert "고침" in text(answer)  # what she typed is kept
    notice.refresh_from_db()
    assert notice.title == "7주차 모임"


def test_another_studys_scheduled_notice_can_be_neither_moved_nor_stopped(
    desk: Client, form: dict[str, Any], other_study: Study, other_channel: Channel
) -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    theirs = scheduled(other_study, other_channel, moment)
    for button in ("_draft", "_schedule", "_publish"):
        desk.post(change(theirs), form | {"publish_at": "2030-02-01T09:00", button: "1"})
    theirs.refresh_from_db()
    assert theirs.publish_at == moment
    assert Delivery.objects.get().due_at == moment


class Race:
    """The leader presses a button while the engine is about to claim, or has just claimed."""

    def __init__(self, leader: User, form: dict[str, Any], notice: Notice) -> None:
        self._leader, self._form, self.notice = leader, form, notice
        self.answer: Any = None

    def press(self, button: str) -> None:
        try:
            sent = self._form | {"publish_at": "2030-01-01T09:00", button: "1"}
            self.answer = logged_in(self._leader).post(change(self.notice), sent, headers=ENGLISH)
        finally:
            connection.close()

    @property
    def is_stopped(self) -> bool:
        """Whether she was told that the notice does not go out."""
        if self.answer.status_code == 302:
            return True
        [error] = errors(self.answer)
        assert "too late" in error
        return False


def in_thread(work: Callable[..., None], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=args)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("button", ["_draft", "_schedule"])
def test_a_notice_claimed_while_she_presses_is_sent_and_she_is_told(
    leader: User, form: dict[str, Any], study: Study, channel: Channel, button: str
) -> None:
    notice = scheduled(study, channel, timezone.now() + timedelta(seconds=0.2))
    race = Race(leader, form, notice)
    transport = FakeTransport()

    def press(_request: Any) -> None:
        transport.on_request = lambda _request: None
        thread = in_thread(race.press, button)
        thread.join(PATIENCE_SECONDS)

    transport.on_request = press
    run_until(lambda: Delivery.objects.get().state == Delivery.State.SENT, transport)
    assert not race.is_stopped
    assert "on its way since" in errors(race.answer)[0]
    assert [request.action for request in transport.requests] == ["create"]
    notice.refresh_from_db()
    assert notice.status == Notice.Status.SENT
    assert actions.withdraw(notice)
    run_until(lambda: Delivery.objects.get().state == Delivery.State.WITHDRAWN, transport)
    assert transport.shown == {channel.pk: {}}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("button", ["_draft", "_schedule"])
def test_a_button_pressed_at_the_moment_itself_tells_the_leader_the_truth(
    leader: User, form: dict[str, Any], study: Study, channel: Channel, button: str
) -> None:
    """Each race moves the press towards the instant that decides between sent and stopped.

    On a slow machine it takes more of them until either has won.
    """
    transport, lead = FakeTransport(), timedelta(seconds=0.1)
    ends: set[bool] = set()
    for number in range(MOST_RACES):
        if number >= RACES and ends == {True, False}:
            break
        moment = timezone.now() + timedelta(seconds=0.5) + lead
        race = Race(leader, form, scheduled(study, channel, moment))
        transport.requests.clear()
        transport.shown.clear()
        pause = (moment - lead - timezone.now()).total_seconds()
        timer = threading.Timer(max(0.0, pause), race.press, [button])
        timer.start()
        run_until(partial(is_over, timer, moment), transport)
        shown = bool(transport.shown.get(channel.pk))
        assert shown is not race.is_stopped
        assert len(transport.requests) == int(shown)
        race.notice.refresh_from_db()
        unsent = Notice.Status.DRAFT if button == "_draft" else Notice.Status.SCHEDULED
        assert race.notice.status == (Notice.Status.SENT if shown else unsent)
        ends.add(shown)
        lead += timedelta(seconds=0.07 if shown else -0.04)
    assert ends == {True, False}


def is_over(timer: threading.Timer, moment: datetime) -> bool:
    """The press is answered, and no delivery is due any more."""
    late = timezone.now() > moment + timedelta(seconds=0.1)
    return (
        late
        and not timer.is_alive()
        and not Delivery.objects.filter(due_at__lte=timezone.now()).exists()
    )
