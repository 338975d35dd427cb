"""A leader follows a notice: in the list, on its page, in the part that polls, by its actions."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from notices.advice import reasons
from notices.models import Attempt, Channel, Delivery, Notice, Study

LIST = "/admin/notices/notice/"
STATE = Delivery.State


def delivered(notice: Notice, channel: Channel, **facts: Any) -> Delivery:
    return Delivery.objects.create(notice=notice, channel=channel, **({"wanted": 1} | facts))


def failed(notice: Notice, channel: Channel) -> Delivery:
    delivery = delivered(notice, channel, state=STATE.FAILED, error_code=50013)
    Notice.objects.filter(pk=notice.pk).update(status=Notice.Status.FAILED)
    return delivery


def page(client: Client, notice: Notice, view: str = "change") -> str:
    answer = client.get(f"{LIST}{notice.pk}/{view}/")
    assert answer.status_code == 200
    return answer.content.decode()


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_each_channel_says_its_state_and_leads_to_its_message(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    shown = delivered(notice, channel, state=STATE.SENT, shown=1, message_id=77)
    failed(notice, second_channel)
    html = page(desk, notice)
    assert str(shown.message_url) in html
    assert str(STATE.SENT.label) in html
    why = reasons.explain(50013)
    assert str(why.reason) in html
    assert str(why.remedy) in html


def test_an_outdated_message_is_listed_with_both_versions(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    delivered(notice, channel, shown=1, wanted=2, message_id=77, due_at=timezone.now())
    assert "버전 1" in page(desk, notice)
    assert "버전 2" in page(desk, notice)


def test_a_picked_channel_is_shown_as_waiting_before_the_fan_out(
    desk: Client, notice: Notice
) -> None:
    assert "#공지" in page(desk, notice, "outcome")
    assert str(STATE.WAITING.label) in page(desk, notice, "outcome")


def test_attempts_are_listed_latest_first_and_at_most_twenty(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    delivery = delivered(notice, channel, due_at=timezone.now())
    for claim in range(25):
        Attempt.objects.create(
            delivery=delivery, action="create", nonce="N", claim=claim, begun_at=timezone.now()
        )
    assert page(desk, notice, "outcome").count("<time ") == 20


@pytest.mark.parametrize(
    ("status", "facts", "poll"),
    [
        ("sending", {"due_at": timezone.now()}, 'hx-trigger="every 2s"'),
        ("sent", {"state": "sent", "shown": 1, "message_id": 7}, None),
        ("failed", {"state": "failed", "error_code": 50013}, None),
        ("sending", {"state": "unknown", "unknown_since": timezone.now(), "error_code": 3}, None),
    ],
)
def test_the_page_polls_until_nothing_more_will_change(
    desk: Client, notice: Notice, channel: Channel, status: str, facts: dict[str, Any], poll: str
) -> None:
    delivered(notice, channel, **facts)
    Notice.objects.filter(pk=notice.pk).update(status=status, fanned_out_revision=1)
    html = page(desk, notice, "outcome")
    assert poll in html if poll else "hx-trigger" not in html


def test_the_page_polls_slowly_for_a_notice_of_tomorrow(
    desk: Client, study: Study, channel: Channel
) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    later = Notice.objects.create(study=study, title="나중", content="나중", publish_at=tomorrow)
    delivered(later, channel, due_at=tomorrow)
    Notice.objects.update(fanned_out_revision=1)
    assert 'hx-trigger="every 30s"' in page(desk, later, "outcome")


def test_the_desk_runs_no_inline_script(desk: Client, notice: Notice) -> None:
    assert "<script>" not in page(desk, notice)
    assert "onclick" not in page(desk, notice)


def test_the_list_says_in_how_many_channels_it_is_shown(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    notice.channels.add(second_channel)
    delivered(notice, channel, state=STATE.SENT, shown=1, message_id=77)
    html = desk.get(LIST).content.decode()
    assert "1/2" in html
    assert "badge-queued" in html


def test_the_status_filter_counts_an_overdue_scheduled_notice_as_queued(
    desk: Client, notice: Notice
) -> None:
    Notice.objects.filter(pk=notice.pk).update(status=Notice.Status.SCHEDULED)
    assert notice in desk.get(f"{LIST}?status=queued").context["cl"].result_list
    assert notice not in desk.get(f"{LIST}?status=scheduled").context["cl"].result_list


@pytest.mark.parametrize("how_many", [1, 30])
def test_the_list_costs_the_same_queries_however_long(
    desk: Client,
    study: Study,
    channel: Channel,
    how_many: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(how_many):
        made = Notice.objects.create(
            study=study, title=f"{number}", content="x", publish_at=timezone.now()
        )
        made.channels.add(channel)
        failed(made, channel)
    # Session, user, her studies, what else she may (twice), the newest and their authors, the
    # newest of what is asked for, a count, the rows.
    with django_assert_num_queries(10):
        assert desk.get(LIST).status_code == 200


@pytest.mark.parametrize("how_many", [1, 20])
def test_the_polled_part_costs_the_same_queries_however_many_channels(
    desk: Client,
    notice: Notice,
    how_many: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(how_many):
        channel = Channel.objects.create(id=500 + number)
        notice.channels.add(channel)
        delivery = failed(notice, channel)
        Attempt.objects.create(
            delivery=delivery, action="create", nonce="N", claim=1, begun_at=timezone.now()
        )
    # Session, user, may she enter, the notice if it is hers, deliveries, attempts, channels; since
    # something failed, what was tried again.
    with django_assert_num_queries(9):
        desk.get(f"{LIST}{notice.pk}/outcome/")


def act(client: Client, action: str, *notices: Notice) -> Any:
    ids = [notice.pk for notice in notices]
    sent = {"action": action, "_selected_action": ids, "confirmed": "yes"}
    return client.post(LIST, sent, follow=True)


def test_send_again_makes_failed_deliveries_due_and_says_how_many(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    delivery = failed(notice, channel)
    assert said(act(desk, "send_again", notice)) == ["채널 1곳에 다시 시도할게요."]
    delivery.refresh_from_db()
    assert delivery.state == STATE.WAITING
    assert "실패한 채널이 없어" in said(act(desk, "send_again", notice))[0]


def test_withdraw_counts_the_notices_it_took_back_and_the_others(
    desk: Client, notice: Notice, study: Study
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    assert len(said(act(desk, "withdraw", notice, draft))) == 2
    notice.refresh_from_db()
    assert notice.withdrawn_at is not None


def test_duplicate_makes_a_draft_of_hers(desk: Client, notice: Notice, channel: Channel) -> None:
    Notice.objects.update(place="스터디룸 3")
    act(desk, "duplicate", notice)
    copy = Notice.objects.latest("pk")
    assert (copy.title, copy.status) == (notice.title, Notice.Status.DRAFT)
    assert copy.place == "스터디룸 3"
    assert copy.created_by.username == "minji"  # type: ignore[union-attr]
    assert list(copy.channels.all()) == [channel]


def test_the_buttons_of_the_page_do_the_same(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    failed(notice, channel)
    for action in ("send_again", "withdraw"):
        answer = desk.post(f"{LIST}{notice.pk}/do/{action}/", {"confirmed": "yes"})
        assert answer["Location"] == f"{LIST}{notice.pk}/change/"
    notice.refresh_from_db()
    assert notice.withdrawn_at is not None
    answer = desk.post(f"{LIST}{notice.pk}/do/duplicate/")
    assert answer["Location"] == f"{LIST}{Notice.objects.latest('pk').pk}/change/"


@pytest.mark.parametrize("action", ["send_again", "withdraw", "duplicate"])
def test_looking_at_an_address_does_nothing(desk: Client, notice: Notice, action: str) -> None:
    before = Notice.objects.values().get()
    answer = desk.get(f"{LIST}{notice.pk}/do/{action}/")
    assert answer["Location"] == f"{LIST}{notice.pk}/change/"
    assert Notice.objects.values().get() == before


@pytest.mark.parametrize("name", ["log_change", "get_queryset", "unknown"])
def test_only_actions_are_done(desk: Client, notice: Notice, name: str) -> None:
    assert desk.post(f"{LIST}{notice.pk}/do/{name}/").status_code == 404


def test_a_forged_post_from_another_site_is_refused(leader: Any, notice: Notice) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(leader)
    assert browser.post(f"{LIST}{notice.pk}/do/withdraw/").status_code == 403
