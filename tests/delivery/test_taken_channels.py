"""A channel that a study has lost gets no new message of it; those there are kept true."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from notices import actions
from notices.advice import reasons
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out, sweep
from notices.delivery.outcomes import LOOK_AFTER, Outcome, Weight
from notices.delivery.request import Request
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice, Study

Kind = Attempt.Outcome
TAKEN = ErrorCode.CHANNEL_TAKEN
WINDOW = timedelta(seconds=60)


def step(*results: Outcome, now: Any = None) -> list[Request]:
    return exchange(
        results, now or timezone.now(), limit=10, busy_channels=(), shards=Shards(), window=WINDOW
    )


def outcome(request: Request, kind: str, **facts: Any) -> Outcome:
    ended = Outcome(request, kind, timezone.now(), **facts)
    if kind == Kind.SHOWN:
        return replace(ended, message_id=request.channel_id + 5, revision=request.revision)
    return ended


def show(notice: Notice) -> Delivery:
    fan_out(notice.pk)
    (request,) = step()
    step(outcome(request, Kind.SHOWN))
    return notice.deliveries.get()


def state_of(delivery: Delivery) -> tuple[str, int | None]:
    delivery.refresh_from_db()
    return delivery.state, delivery.error_code


def take(study: Study, channel: Channel) -> None:
    study.channels.remove(channel)


def by_task(notice: Notice) -> None:
    fan_out(notice.pk)


def by_sweep(_notice: Notice) -> None:
    sweep(timezone.now(), limit=10)


@pytest.mark.parametrize("fan_it_out", [by_task, by_sweep])
def test_a_notice_for_a_lost_channel_fails_at_its_fan_out(
    notice: Notice, study: Study, channel: Channel, second_channel: Channel,
    fan_it_out: Callable[[Notice], None],
) -> None:  # fmt: skip
    notice.channels.add(second_channel)
    take(study, channel)
    fan_it_out(notice)

    lost, kept = (notice.deliveries.get(channel=one) for one in (channel, second_channel))
    assert (lost.state, lost.due_at, lost.error_code) == ("failed", None, TAKEN)
    (request,) = step()
    assert request.channel_id == kept.channel_id
    step(outcome(request, Kind.SHOWN))
    notice.refresh_from_db()
    assert notice.status == "partly_sent"


def test_a_waiting_delivery_in_a_lost_channel_fails_with_a_remedy(
    notice: Notice, study: Study, channel: Channel
) -> None:
    fan_out(notice.pk)
    take(study, channel)

    assert step() == []
    delivery = notice.deliveries.get()
    assert (delivery.state, delivery.due_at, delivery.error_code) == ("failed", None, TAKEN)
    assert not Attempt.objects.exists()
    notice.refresh_from_db()
    assert notice.status == "failed"
    with translation.override("en"):
        assert "site admin" in reasons.explain(TAKEN).remedy


def test_a_scheduled_notice_whose_channel_goes_before_the_hour_is_not_sent(
    notice: Notice, study: Study, channel: Channel, second_channel: Channel
) -> None:
    hour = timezone.now() + timedelta(hours=1)
    notice.publish_at = hour
    notice.save()
    notice.channels.add(second_channel)
    fan_out(notice.pk)
    take(study, channel)
    Notice.objects.filter(pk=notice.pk).update(title="still scheduled")
    fan_out(notice.pk)
    notice.refresh_from_db()
    assert notice.status == "scheduled"

    assert [request.channel_id for request in step(now=hour)] == [second_channel.pk]
    assert state_of(notice.deliveries.get(channel=channel)) == ("failed", TAKEN)


def test_a_channel_that_comes_back_before_the_hour_is_sent_to(
    notice: Notice, study: Study, channel: Channel
) -> None:
    hour = timezone.now() + timedelta(hours=1)
    take(study, channel)
    notice.publish_at = hour
    notice.save()
    fan_out(notice.pk)
    study.channels.add(channel)

    assert [request.channel_id for request in step(now=hour)] == [channel.pk]


def test_a_retry_is_not_sent_once_the_channel_is_lost(
    notice: Notice, study: Study, channel: Channel
) -> None:
    fan_out(notice.pk)
    (request,) = step()
    step(outcome(request, Kind.TRANSIENT, code=503, weight=Weight.NOTHING))
    take(study, channel)

    assert step(now=timezone.now() + timedelta(hours=1)) == []
    assert state_of(notice.deliveries.get()) == ("failed", TAKEN)


def test_a_notice_that_is_sent_again_to_a_lost_channel_fails_again(
    notice: Notice, study: Study, channel: Channel
) -> None:
    fan_out(notice.pk)
    (request,) = step()
    step(outcome(request, Kind.REFUSED, code=50013))
    take(study, channel)
    assert actions.send_again(notice) == 1
    fan_out(notice.pk)
    assert step() == []
    assert state_of(notice.deliveries.get()) == ("failed", TAKEN)

    study.channels.add(channel)
    assert actions.send_again_in(notice, channel.pk)
    fan_out(notice.pk)
    assert len(step()) == 1


def test_a_message_that_somebody_deleted_is_not_posted_anew_in_a_lost_channel(
    notice: Notice, study: Study, channel: Channel
) -> None:
    delivery = show(notice)
    take(study, channel)
    notice.title = "바뀐 제목"
    notice.save()
    fan_out(notice.pk)
    (edit,) = step()
    step(outcome(edit, Kind.REFUSED, code=ErrorCode.MESSAGE_DELETED))
    actions.send_again(notice)
    fan_out(notice.pk)

    assert step() == []
    assert state_of(delivery) == ("failed", TAKEN)


def test_a_withdrawal_that_is_undone_shows_nothing_in_a_lost_channel(
    notice: Notice, study: Study, channel: Channel
) -> None:
    delivery = show(notice)
    actions.withdraw(notice)
    fan_out(notice.pk)
    (removal,) = step()
    step(outcome(removal, Kind.GONE))
    take(study, channel)
    Notice.objects.filter(pk=notice.pk).update(withdrawn_at=None)
    fan_out(notice.pk)

    assert step() == []
    assert state_of(delivery) == ("failed", TAKEN)


def test_a_notice_that_moves_to_another_study_is_not_sent_to_the_first_ones_channels(
    notice: Notice, other_study: Study
) -> None:
    fan_out(notice.pk)
    Notice.objects.filter(pk=notice.pk).update(study=other_study)
    fan_out(notice.pk)

    assert step() == []
    assert state_of(notice.deliveries.get()) == ("failed", TAKEN)


def test_a_message_in_a_lost_channel_can_be_corrected_and_withdrawn(
    notice: Notice, study: Study, channel: Channel
) -> None:
    delivery = show(notice)
    take(study, channel)
    notice.title = "바뀐 제목"
    notice.save()
    fan_out(notice.pk)
    (edit,) = step()
    assert edit.action == Attempt.Action.EDIT
    step(outcome(edit, Kind.SHOWN))
    assert state_of(delivery) == ("sent", None)

    actions.withdraw(notice)
    fan_out(notice.pk)
    (removal,) = step()
    assert removal.action == Attempt.Action.DELETE
    step(outcome(removal, Kind.GONE))
    assert state_of(delivery) == ("withdrawn", None)


@pytest.mark.parametrize("is_there", [True, False])
def test_an_unknown_message_in_a_lost_channel_is_looked_up_and_not_posted_again(
    notice: Notice, study: Study, channel: Channel, is_there: bool
) -> None:
    fan_out(notice.pk)
    (create,) = step()
    step(outcome(create, Kind.UNKNOWN))
    take(study, channel)

    later = timezone.now() + timedelta(seconds=30)
    assert step(now=later) == []
    (look,) = step(now=later + LOOK_AFTER)
    assert look.action == Attempt.Action.LOOK_UP
    if is_there:
        step(replace(outcome(look, Kind.SHOWN), revision=1))
        assert state_of(notice.deliveries.get()) == ("sent", None)
    else:
        step(outcome(look, Kind.ABSENT))
        assert state_of(notice.deliveries.get()) == ("failed", TAKEN)
    assert step(now=later + WINDOW) == []


def test_a_copy_is_for_the_channels_that_the_study_has_yet(
    notice: Notice, study: Study, channel: Channel, second_channel: Channel
) -> None:
    notice.channels.add(second_channel)
    take(study, channel)

    copy = actions.duplicate(notice, by=None)

    assert list(copy.channels.all()) == [second_channel]


def test_a_scheduled_notice_that_moves_forgets_the_channels_of_the_study_it_left(
    notice: Notice, other_study: Study, other_channel: Channel
) -> None:
    notice.publish_at = timezone.now() + timedelta(hours=1)
    notice.save()
    fan_out(notice.pk)
    notice.study = other_study
    notice.save()
    notice.channels.set([other_channel])
    fan_out(notice.pk)

    assert [one.channel_id for one in notice.deliveries.all()] == [other_channel.pk]


def test_a_withdrawal_from_a_lost_channel_is_remembered(
    notice: Notice, study: Study, channel: Channel
) -> None:
    show(notice)
    take(study, channel)
    actions.withdraw(notice)
    fan_out(notice.pk)
    (removal,) = step()
    step(outcome(removal, Kind.GONE))
    Notice.objects.filter(pk=notice.pk).update(fanned_out_revision=0)
    fan_out(notice.pk)

    assert notice.deliveries.get().state == "withdrawn"
