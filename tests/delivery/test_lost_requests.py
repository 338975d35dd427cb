"""A request whose answer was lost may still take effect, so what comes after it waits."""

from datetime import datetime, timedelta

from django.utils import timezone

from notices import actions
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.outcomes import LOOK_AFTER, Outcome, Weight
from notices.delivery.recovery import take_over
from notices.delivery.request import Request
from notices.models import Attempt, Channel, Delivery, Notice, Study

WINDOW = timedelta(seconds=60)
MOMENT = timedelta(milliseconds=1)
Kind = Attempt.Outcome


def step(now: datetime, *results: Outcome) -> list[Request]:
    return exchange(results, now, limit=5, busy_channels=[], shards=Shards(), window=WINDOW)


def published(study: Study, channel: Channel, now: datetime) -> Notice:
    notice = Notice.objects.create(study=study, title="공지", content="…", publish_at=now)
    study.channels.add(channel)
    notice.channels.add(channel)
    fan_out(notice.pk, now)
    return notice


def corrected(notice: Notice, now: datetime) -> None:
    notice.content += "!"
    notice.save()
    fan_out(notice.pk, now)


def left_by_a_dead_bot(study: Study, channel: Channel, now: datetime) -> Notice:
    """Its create had gone out when the bot died."""
    notice = published(study, channel, now)
    step(now)
    take_over(now, Shards())
    return notice


def lost(request: Request, now: datetime) -> Outcome:
    return Outcome(request, Kind.UNKNOWN, now, weight=Weight.NOTHING)


def test_an_edit_waits_for_one_that_was_lost(study: Study, channel: Channel) -> None:
    now = timezone.now()
    notice = published(study, channel, now)
    (create,) = step(now)
    step(now, Outcome(create, Kind.SHOWN, now, message_id=5, revision=1))
    corrected(notice, now)
    (edit,) = step(now)
    assert step(now, lost(edit, now)) == []
    corrected(notice, now)
    assert step(now) == []
    assert Delivery.objects.get().due_at == now + LOOK_AFTER
    (later,) = step(now + LOOK_AFTER)
    assert (later.action, later.revision) == ("edit", 3)


def test_a_look_up_waits_for_the_create_of_a_bot_that_has_died(
    study: Study, channel: Channel
) -> None:
    now = timezone.now()
    notice = left_by_a_dead_bot(study, channel, now)
    actions.withdraw(notice)
    fan_out(notice.pk, now)
    assert step(now + LOOK_AFTER - MOMENT) == []
    (look_up,) = step(now + LOOK_AFTER)
    assert look_up.action == "look_up"


def test_a_create_is_repeated_at_once_and_told_until_when_it_may_go_out(
    study: Study, channel: Channel
) -> None:
    now = timezone.now()
    left_by_a_dead_bot(study, channel, now)
    (again,) = step(now)
    assert (again.action, again.resend_until) == ("create", now + WINDOW - LOOK_AFTER)
    assert not again.is_late(now)
    assert again.is_late(now + WINDOW - LOOK_AFTER)


def test_late_in_the_nonces_window_the_history_is_read(study: Study, channel: Channel) -> None:
    """A create that waited then could arrive when Discord has forgotten the nonce."""
    now = timezone.now()
    left_by_a_dead_bot(study, channel, now)
    (request,) = step(now + WINDOW - LOOK_AFTER)
    assert request.action == "look_up"


def test_an_answer_that_shows_an_emptied_message_never_says_sent(
    study: Study, channel: Channel
) -> None:
    now = timezone.now()
    published(study, channel, now)
    (create,) = step(now)
    step(now, Outcome(create, Kind.SHOWN, now, message_id=5, revision=1, is_emptied=True))
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.shown, delivery.error_detail) == ("failed", 1, "")
