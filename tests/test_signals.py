"""The hook only schedules; what goes past it, or what it cannot schedule, the sweep finds."""

import pytest
from django.core import serializers
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf

from notices.delivery.fan_out import fan_out, sweep
from notices.models import Channel, Notice, Study


def swept() -> int:
    """Sweep once; return how many notices that fanned out."""
    return sweep(timezone.now(), limit=100)[0]


def test_a_notice_loaded_over_another_is_a_change(notice: Notice) -> None:
    fan_out(notice.pk)
    dumped = serializers.serialize("json", Notice.objects.filter(pk=notice.pk))
    for loaded in serializers.deserialize("json", dumped.replace("7주차", "8주차")):
        loaded.save()
    assert swept() == 1
    assert notice.deliveries.get().wanted == 2


def test_a_whole_backup_loaded_into_an_empty_database_changes_nothing(notice: Notice) -> None:
    fan_out(notice.pk)
    rows = [*Notice.objects.all(), *notice.deliveries.all()]
    dumped = serializers.serialize("json", rows)
    notice.deliveries.all().delete()
    Notice.objects.all().delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()
    loaded_notice = Notice.objects.get()
    assert (loaded_notice.revision, loaded_notice.deliveries.get().wanted) == (1, 1)


def test_notices_created_in_bulk_are_found_by_the_sweep(study: Study, channel: Channel) -> None:
    notices = Notice.objects.bulk_create(
        [
            Notice(study=study, title=f"{n}", content="…", publish_at=timezone.now())
            for n in range(3)
        ]
    )
    Notice.channels.through.objects.bulk_create(
        [Notice.channels.through(notice=notice, channel=channel) for notice in notices]
    )
    assert swept() == 3
    assert channel.deliveries.count() == 3


@pytest.mark.django_db(transaction=True)
def test_one_transaction_schedules_a_notice_once(study: Study, channel: Channel) -> None:
    broker = get_broker()
    broker.purge_queue()
    with transaction.atomic():
        notice = Notice.objects.create(
            study=study, title="한 번", content="…", publish_at=timezone.now()
        )
        notice.channels.add(channel)
        notice.save()
    assert broker.queue_size() == 1
    broker.purge_queue()


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_loses_nothing(
    study: Study, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conf, "BROKER_CLASS", "tests.no_broker.NoBroker")
    with transaction.atomic():
        notice = Notice.objects.create(
            study=study, title="그래도", content="…", publish_at=timezone.now()
        )
        notice.channels.add(channel)
    assert swept() == 1
    assert notice.deliveries.count() == 1


def test_channels_changed_from_the_channels_side_are_a_change(
    notice: Notice, second_channel: Channel
) -> None:
    fan_out(notice.pk)
    second_channel.notices.add(notice)
    assert swept() == 1
    assert notice.deliveries.count() == 2
    second_channel.notices.clear()
    assert swept() == 1
    assert notice.deliveries.get(channel=second_channel).state == "withdrawn"
