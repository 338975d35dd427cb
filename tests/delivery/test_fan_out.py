"""A saved notice becomes one delivery per channel, however often or late it is fanned out."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker

from notices import actions
from notices.delivery.fan_out import fan_out, sweep
from notices.models import Channel, Delivery, Notice, Study


def test_fan_out_makes_one_delivery_per_channel(notice: Notice, channel: Channel) -> None:
    assert fan_out(notice.pk)
    delivery = notice.deliveries.get()
    assert (delivery.channel_id, delivery.wanted, delivery.state) == (channel.pk, 1, "waiting")
    assert delivery.due_at == notice.publish_at


def test_fan_out_twice_is_the_same_as_once(notice: Notice) -> None:
    fan_out(notice.pk)
    before = list(Delivery.objects.values())
    assert not fan_out(notice.pk)
    Notice.objects.filter(pk=notice.pk).update(fanned_out_revision=0)
    assert fan_out(notice.pk)
    assert list(Delivery.objects.values()) == before


def test_a_draft_has_no_deliveries(notice: Notice) -> None:
    draft = Notice.objects.create(study=notice.study, title="초안", content="…")
    draft.channels.set(notice.channels.all())
    fan_out(draft.pk)
    draft.refresh_from_db()
    assert (draft.deliveries.count(), draft.status) == (0, "draft")
    assert draft not in Notice.objects.not_fanned_out()


def test_a_bulk_update_is_found_by_the_sweep(notice: Notice) -> None:
    fan_out(notice.pk)
    Notice.objects.filter(pk=notice.pk).update(title="바뀐 제목")
    sweep(timezone.now(), limit=5)
    assert notice.deliveries.get().wanted == 2


def test_a_sweep_of_many_costs_the_statements_of_one(study: Study, channel: Channel) -> None:
    costs = []
    for count in (1, 5):
        for number in range(count):
            notice = Notice.objects.create(
                study=study, title=f"{number}주차", content="…", publish_at=timezone.now()
            )
            notice.channels.set([channel])
        with CaptureQueriesContext(connection) as captured:
            assert sweep(timezone.now(), limit=5) == (count, 0)
        costs.append(len(captured))
    assert costs[0] == costs[1]
    assert Delivery.objects.count() == 6
    assert set(Notice.objects.values_list("status", flat=True)) == {"queued"}


def test_a_save_that_changes_nothing_shown_keeps_the_revision(notice: Notice) -> None:
    notice.save()
    assert notice.revision == 1
    notice.title = "새 제목"
    notice.save()
    assert notice.revision == 2


def test_a_change_puts_a_sent_notice_back_to_sending_at_once(notice: Notice) -> None:
    for change in ({"title": "새 제목"}, {"title": "새 제목"}):
        Notice.objects.filter(pk=notice.pk).update(status="sent")
        notice.title = change["title"]
        notice.save()
    assert notice.status == "sent"  # the second save changed nothing that is shown
    Notice.objects.filter(pk=notice.pk).update(content="새 내용")
    notice.refresh_from_db()
    assert notice.status == "sending"
    Notice.objects.filter(pk=notice.pk).update(status="sent")
    actions.withdraw(notice)
    assert notice.status == "sending"


def test_a_save_over_somebody_elses_change_counts_as_a_revision(notice: Notice) -> None:
    mine = Notice.objects.get(pk=notice.pk)
    notice.title = "다른 사람의 제목"
    notice.save()
    mine.save()  # it writes the old title back: a change of what is shown
    assert mine.revision == 3


def test_a_plain_save_does_not_undo_a_withdrawal(notice: Notice) -> None:
    stale = Notice.objects.get(pk=notice.pk)
    assert actions.withdraw(notice)
    stale.title = "늦은 수정"
    stale.save()
    assert Notice.objects.get(pk=notice.pk).withdrawn_at is not None


def test_a_notice_withdrawn_before_it_is_sent_is_done(notice: Notice) -> None:
    fan_out(notice.pk)
    actions.withdraw(notice)
    fan_out(notice.pk)
    notice.refresh_from_db()
    assert (notice.deliveries.get().state, notice.status) == ("withdrawn", "withdrawn")


def test_a_channel_taken_away_and_one_added_reach_the_deliveries(
    notice: Notice, second_channel: Channel
) -> None:
    fan_out(notice.pk)
    notice.channels.set([second_channel])
    fan_out(notice.pk)
    states = dict(notice.deliveries.values_list("channel_id", "state"))
    assert states[second_channel.pk] == "waiting"
    assert sorted(states.values()) == ["waiting", "withdrawn"]


def test_the_publish_moment_can_be_moved_before_it_comes(notice: Notice) -> None:
    notice.publish_at = timezone.now() + timedelta(hours=2)
    notice.save()
    fan_out(notice.pk)
    notice.publish_at += timedelta(hours=1)
    notice.save()
    fan_out(notice.pk)
    assert notice.deliveries.get().due_at == notice.publish_at
    notice.refresh_from_db()
    assert notice.status == "scheduled"


@pytest.mark.django_db(transaction=True)
def test_saving_schedules_the_task_after_the_commit(study: Study) -> None:
    broker = get_broker()
    broker.purge_queue()
    with transaction.atomic():
        Notice.objects.create(study=study, title="7주차", content="…", publish_at=timezone.now())
        assert broker.queue_size() == 0
    assert broker.queue_size() == 1
    broker.purge_queue()
