"""The outcome of a notice is polled without a reload; if it is unknown, the leader decides."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices import actions
from notices.desk.outcome import outcome_of
from notices.models import Change, Channel, Delivery, ErrorCode, Notice, Study
from tests.desk.conftest import logged_in

LIST = "/admin/notices/notice/"
HTMX = {"HX-Request": "true"}
STATE = Delivery.State


@pytest.fixture(autouse=True)
def _in_english(desk: Client) -> None:
    desk.cookies["django_language"] = "en"


@pytest.fixture
def failed(notice: Notice, channel: Channel) -> Delivery:
    Notice.objects.filter(pk=notice.pk).update(status="failed", fanned_out_revision=1)
    return Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, state=STATE.FAILED, error_code=50013
    )


@pytest.fixture
def undecided(notice: Notice, channel: Channel) -> Delivery:
    Notice.objects.filter(pk=notice.pk).update(status="sending", fanned_out_revision=1)
    return Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, state=STATE.UNKNOWN,
        unknown_since=timezone.now(), error_code=ErrorCode.NOT_READABLE,
    )  # fmt: skip


def poll(client: Client, notice: Notice, seen: str = "") -> Any:
    return client.get(f"{LIST}{notice.pk}/outcome/", {"seen": seen}, headers=HTMX)


def choose(client: Client, delivery: Delivery, choice: str) -> Any:
    address = f"{LIST}{delivery.notice_id}/channel/{delivery.channel_id}/{choice}/"
    return client.post(address, follow=True)


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def seen_in(html: str) -> str:
    found = re.search(r"\?seen=(\w+)", html)
    assert found is not None, html
    return found[1]


# --- looking again -------------------------------------------------------------------------


def test_a_status_read_just_before_the_last_outcome_is_polled_again(
    desk: Client, failed: Delivery
) -> None:
    Notice.objects.filter(pk=failed.notice_id).update(status="sending")
    assert "hx-get" in poll(desk, failed.notice).content.decode()


def test_the_heading_agrees_with_the_lines_below(notice: Notice, channel: Channel) -> None:
    """The last outcome is written after the notice was read and before its lines are."""
    Notice.objects.filter(pk=notice.pk).update(status="sending", fanned_out_revision=1)
    read = Notice.objects.get(pk=notice.pk)
    Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, shown=1, message_id=7, state=STATE.SENT
    )
    Notice.objects.filter(pk=notice.pk).update(status="sent")
    outcome = outcome_of(read)
    assert [line.state for line in outcome.lines] == [STATE.SENT]
    assert outcome.notice.current_status == "sent"


def test_a_second_failure_is_announced_as_one(desk: Client, failed: Delivery) -> None:
    assert "failed again" not in poll(desk, failed.notice).content.decode()
    answer = choose(desk, failed, "send_again")
    assert 'data-tags="under-way"' in answer.content.decode()
    Delivery.objects.filter(pk=failed.pk).update(state=STATE.FAILED, error_code=50013, due_at=None)
    assert "failed again" in poll(desk, failed.notice).content.decode()


def test_a_withdrawn_notice_is_shown_as_it_looked(desk: Client, notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(content="첫째 줄\n<둘째> 줄", ping="everyone")
    actions.withdraw(notice)
    page = desk.get(f"{LIST}{notice.pk}/change/").content.decode()
    assert '<textarea id="id_content" name="content">첫째 줄\n&lt;둘째&gt; 줄</textarea>' in page
    assert 'id="preview-message"' in page
    assert '<input type="hidden" name="ping" value="everyone">' in page
    assert "publish-row" not in page


def test_a_poll_without_news_is_answered_with_204(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    seen = seen_in(desk.get(f"{LIST}{notice.pk}/change/").content.decode())
    answer = poll(desk, notice, seen)
    assert (answer.status_code, answer.content) == (204, b"")
    assert seen_in(poll(desk, notice).content.decode()) == seen

    Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, shown=1, message_id=7, state=STATE.SENT
    )
    answer = poll(desk, notice, seen)
    assert answer.status_code == 200
    assert "Shown in 1 of 1 channels" in answer.content.decode()


def test_the_last_poll_ends_the_polling(desk: Client, notice: Notice, channel: Channel) -> None:
    seen = seen_in(poll(desk, notice).content.decode())
    Notice.objects.filter(pk=notice.pk).update(status="sent", fanned_out_revision=1)
    Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, shown=1, message_id=7, state=STATE.SENT
    )
    assert "hx-get" not in poll(desk, notice, seen).content.decode()


def test_a_leader_who_was_logged_out_is_told_and_her_page_stops_polling(
    desk: Client, client: Client, notice: Notice
) -> None:
    client.cookies["django_language"] = "en"
    answer = poll(client, notice)
    assert answer.status_code == 286  # htmx: stop polling
    assert answer["HX-Retarget"] == "#outcome-trouble"
    there = f"{LIST}{notice.pk}/change/"
    assert f'href="{there}"' in answer.content.decode()
    assert client.get(there)["Location"] == f"/admin/login/?next={there}"
    assert notice.title not in answer.content.decode()


def test_a_notice_of_another_study_looks_like_one_that_is_gone(
    desk: Client, other_notice: Notice
) -> None:
    answer = poll(desk, other_notice)
    assert answer.status_code == 286
    gone = poll(desk, Notice(pk=9999))
    assert answer.content == gone.content
    assert b"Log in" not in gone.content


def test_a_failure_names_its_channel_in_words(desk: Client, failed: Delivery) -> None:
    html = poll(desk, failed.notice).content.decode()
    assert f'data-said="failed. Shown in 0 of 1 channels. Failed in {failed.channel}."' in html
    assert "lacks a permission" in html
    assert "Ask an admin of the server" in html


# --- trying again --------------------------------------------------------------------------


def test_one_button_tries_again_wherever_it_failed(desk: Client, failed: Delivery) -> None:
    html = poll(desk, failed.notice).content.decode()
    assert f'formaction="{LIST}{failed.notice_id}/do/send_again/"' in html
    assert "send_again-" not in html, "with one failure there is nothing to pick among"


def test_with_several_failures_each_can_be_tried_alone(
    desk: Client, leader: User, failed: Delivery, second_channel: Channel
) -> None:
    other = Delivery.objects.create(
        notice=failed.notice, channel=second_channel, wanted=1, state=STATE.FAILED, error_code=50035
    )
    assert f"/channel/{second_channel.pk}/send_again/" in poll(desk, failed.notice).content.decode()
    assert said(choose(desk, other, "send_again")) == [f"Tries again in {second_channel}."]
    failed.refresh_from_db()
    other.refresh_from_db()
    assert (failed.state, other.state) == (STATE.FAILED, STATE.WAITING)
    change = Change.objects.get()
    assert (change.deed, change.user, change.channel_ids) == (
        "sent_again", leader, [second_channel.pk],
    )  # fmt: skip


def test_a_removal_that_failed_can_be_tried_again(desk: Client, failed: Delivery) -> None:
    Delivery.objects.update(wanted=None, shown=1, message_id=7)
    Notice.objects.filter(pk=failed.notice_id).update(withdrawn_at=timezone.now())
    assert "Try the removal again" in poll(desk, failed.notice).content.decode()
    desk.post(f"{LIST}{failed.notice_id}/do/send_again/")
    failed.refresh_from_db()
    assert failed.state == STATE.WAITING


# --- deciding ------------------------------------------------------------------------------


def test_a_leader_is_asked_to_look_when_the_outcome_is_unknown(
    desk: Client, undecided: Delivery
) -> None:
    html = poll(desk, undecided.notice).content.decode()
    assert undecided.channel.url in html
    for choice in ("leave", "send_again", "look_again"):
        assert (
            f'formaction="{LIST}{undecided.notice_id}/channel/{undecided.channel_id}/{choice}/"'
            in html
        )
    assert f'formaction="{LIST}{undecided.notice_id}/do/send_again/"' not in html
    assert "hx-get" not in html, "nothing changes until she has decided"


@pytest.mark.parametrize(
    ("choice", "state", "code"),
    [
        ("leave", STATE.FAILED, ErrorCode.LEFT),
        ("send_again", STATE.WAITING, None),
        ("look_again", STATE.UNKNOWN, None),
    ],
)
def test_a_leaders_choice_is_carried_out_and_recorded(
    desk: Client, leader: User, undecided: Delivery, choice: str, state: str, code: int | None
) -> None:
    choose(desk, undecided, choice)
    undecided.refresh_from_db()
    assert (undecided.state, undecided.error_code) == (state, code)
    assert (undecided.due_at is None) == (choice == "leave")
    change = Change.objects.get()
    assert (change.user, change.channel_ids) == (leader, [undecided.channel_id])


def test_the_button_for_all_sends_nothing_that_may_be_there(
    desk: Client, undecided: Delivery, second_channel: Channel
) -> None:
    Delivery.objects.create(
        notice=undecided.notice, channel=second_channel, wanted=1,
        state=STATE.FAILED, error_code=50013,
    )  # fmt: skip
    desk.post(f"{LIST}{undecided.notice_id}/do/send_again/")
    undecided.refresh_from_db()
    assert undecided.state == STATE.UNKNOWN
    assert Delivery.objects.get(channel=second_channel).state == STATE.WAITING


def test_a_delivery_that_was_left_says_so_and_can_be_looked_up_again(
    desk: Client, undecided: Delivery
) -> None:
    choose(desk, undecided, "leave")
    Notice.objects.update(fanned_out_revision=1)
    html = poll(desk, undecided.notice).content.decode()
    assert "left as it is" in html
    assert "look_again" in html
    assert "do/send_again/" not in html
    choose(desk, undecided, "look_again")
    undecided.refresh_from_db()
    assert undecided.state == STATE.UNKNOWN
    assert undecided.due_at is not None


def test_a_leader_confirms_that_a_withdrawn_message_is_gone(
    desk: Client, undecided: Delivery
) -> None:
    Notice.objects.filter(pk=undecided.notice_id).update(withdrawn_at=timezone.now())
    Delivery.objects.update(wanted=None)
    html = poll(desk, undecided.notice).content.decode()
    assert "It is gone" in html
    assert "send_again" not in html
    choose(desk, undecided, "leave")
    undecided.refresh_from_db()
    assert undecided.state == STATE.WITHDRAWN


def test_a_button_of_a_page_that_is_old_does_nothing_and_says_so(
    desk: Client, undecided: Delivery
) -> None:
    Delivery.objects.update(
        state=STATE.SENT, shown=1, message_id=7, unknown_since=None, error_code=None
    )
    for choice in ("leave", "send_again", "look_again"):
        (told,) = said(choose(desk, undecided, choice))
        assert "changed meanwhile" in told
    undecided.refresh_from_db()
    assert undecided.state == STATE.SENT
    assert not Change.objects.exists()


# --- who may -------------------------------------------------------------------------------


@pytest.mark.parametrize("choice", ["leave", "send_again", "look_again"])
def test_a_leader_cannot_choose_for_another_study(
    desk: Client, other_leader: User, undecided: Delivery, other_study: Study, choice: str
) -> None:
    theirs = logged_in(other_leader)
    address = f"{LIST}{undecided.notice_id}/channel/{undecided.channel_id}/{choice}/"
    assert theirs.post(address).status_code == 404
    assert theirs.get(address).status_code == 404
    undecided.refresh_from_db()
    assert undecided.due_at is None
    assert undecided.error_code == ErrorCode.NOT_READABLE


def test_only_known_choices_are_taken_and_only_by_post(desk: Client, undecided: Delivery) -> None:
    address = f"{LIST}{undecided.notice_id}/channel/{undecided.channel_id}"
    assert desk.post(f"{address}/delete/").status_code == 404
    assert desk.get(f"{address}/leave/").status_code == 302
    assert desk.post(f"{LIST}{undecided.notice_id}/channel/1/leave/").status_code == 404
    forged = Client(enforce_csrf_checks=True)
    forged.cookies = desk.cookies
    assert forged.post(f"{address}/leave/").status_code == 403
    undecided.refresh_from_db()
    assert undecided.state == STATE.UNKNOWN
