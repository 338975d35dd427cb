"""A claim takes due deliveries of its own shards once, creates first, one for each channel."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notices import actions
from notices.delivery import counters
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out, sweep
from notices.delivery.outcomes import Outcome
from notices.delivery.recovery import take_over
from notices.delivery.request import Request
from notices.models import Attempt, Channel, Delivery, Notice, Study

WINDOW = timedelta(seconds=60)


ALL = Shards()


def claim(limit: int = 10, busy: list[int] | None = None, shards: Shards = ALL) -> list[Request]:
    return exchange(
        [], timezone.now(), limit=limit, busy_channels=busy or [], shards=shards, window=WINDOW
    )


def record(*results: Outcome) -> None:
    exchange(results, timezone.now(), limit=0, busy_channels=[], shards=ALL, window=WINDOW)


def publish(study: Study, *channels: Channel, title: str = "공지") -> Notice:
    notice = Notice.objects.create(study=study, title=title, content="…", publish_at=timezone.now())
    notice.channels.set(channels)
    study.channels.add(*channels)
    fan_out(notice.pk)
    return notice


def test_a_claim_writes_the_attempt_before_anything_is_sent(study: Study, channel: Channel) -> None:
    publish(study, channel)
    (request,) = claim()
    attempt = Attempt.objects.get()
    assert (attempt.claim, attempt.nonce, attempt.outcome) == (request.claim, request.nonce, None)
    assert Delivery.objects.get().state == "sending"
    assert claim() == []


def test_a_channel_takes_one_request_at_a_time_in_the_order_of_publication(
    study: Study, channel: Channel
) -> None:
    first, _second = publish(study, channel, title="1"), publish(study, channel, title="2")
    (request,) = claim()
    assert request.delivery_id == first.deliveries.get().pk
    assert claim(busy=[channel.pk]) == []


def test_a_long_queue_of_one_channel_hides_no_other(
    study: Study, channel: Channel, second_channel: Channel
) -> None:
    for _number in range(9):
        publish(study, channel)
    publish(study, second_channel)
    assert [request.channel_id for request in claim(limit=2)] == [channel.pk, second_channel.pk]


def test_a_changed_notice_is_not_claimed_before_it_is_fanned_out(
    study: Study, channel: Channel, second_channel: Channel
) -> None:
    withdrawn, edited = publish(study, channel), publish(study, second_channel)
    actions.withdraw(withdrawn)
    edited.title = "바뀐"
    edited.save()
    assert claim() == []
    sweep(timezone.now(), limit=5)
    (request,) = claim()
    assert (request.notice_id, request.revision) == (edited.pk, 2)
    withdrawn.refresh_from_db()
    assert withdrawn.status == "withdrawn"


def test_creates_go_before_edits(study: Study, channel: Channel, second_channel: Channel) -> None:
    edited = publish(study, channel)
    (request,) = claim()
    record(shown(request, 1))
    edited.title = "바뀐"
    edited.save()
    fan_out(edited.pk)
    publish(study, second_channel)
    assert [r.action for r in claim(limit=1)] == ["create"]
    assert [r.action for r in claim(limit=1)] == ["edit"]


def test_each_bot_claims_only_its_own_guilds(
    study: Study, other_study: Study, channel: Channel, other_channel: Channel
) -> None:
    channel.guild_id, other_channel.guild_id = 2 << 22, 3 << 22
    channel.save()
    other_channel.save()
    publish(study, channel)
    publish(other_study, other_channel)
    assert [r.channel_id for r in claim(shards=Shards((1,), 2))] == [other_channel.pk]
    assert [r.channel_id for r in claim(shards=Shards((0,), 2))] == [channel.pk]


def test_a_late_outcome_of_a_claim_taken_over_changes_nothing(
    study: Study, channel: Channel
) -> None:
    publish(study, channel)
    (request,) = claim()
    take_over(timezone.now(), Shards())
    record(shown(request, 7))
    assert Delivery.objects.get().state == "unknown"


def test_an_outcome_is_counted_with_its_delay(study: Study, channel: Channel) -> None:
    publish(study, channel)
    (request,) = claim()
    record(shown(request, 1))
    counted = counters.read()
    assert counted[counters.ATTEMPTS, "create:shown"] == 1
    assert counters.buckets(counted)[-1][1] == 1


def test_a_claim_costs_the_same_queries_for_one_and_for_many(
    study: Study, channel: Channel
) -> None:
    publish(study, channel)
    with CaptureQueriesContext(connection) as one:
        claim()
    publish(study, *(Channel.objects.create(id=10**18 + n) for n in range(20)))
    with CaptureQueriesContext(connection) as many:
        assert len(claim(limit=50)) == 20
    assert len(many) <= len(one)


@pytest.mark.django_db(transaction=True)
def test_two_claims_at_once_never_take_the_same(study: Study) -> None:
    channels = [Channel.objects.create(id=10**18 + n) for n in range(12)]
    publish(study, *channels)
    taken: list[int] = []
    start = Barrier(2)

    def bot() -> None:
        start.wait()
        while requests := claim(limit=3):
            taken.extend(request.delivery_id for request in requests)
        connection.close()

    bots = [Thread(target=bot) for _n in range(2)]
    for thread in bots:
        thread.start()
    for thread in bots:
        thread.join()
    assert sorted(taken) == sorted(Delivery.objects.values_list("pk", flat=True))


@pytest.mark.django_db(transaction=True)
def test_fan_out_in_two_processes_at_once_makes_one_delivery_a_channel(
    study: Study, channel: Channel
) -> None:
    notice = Notice.objects.create(study=study, title="1", content="…", publish_at=timezone.now())
    notice.channels.set([channel])
    start = Barrier(2)

    def worker() -> None:
        start.wait()
        fan_out(notice.pk)
        connection.close()

    workers = [Thread(target=worker) for _n in range(2)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert Delivery.objects.count() == 1


def shown(request: Request, message_id: int) -> Outcome:
    return Outcome(
        request=request,
        kind=Attempt.Outcome.SHOWN,
        ended_at=timezone.now(),
        message_id=message_id,
        revision=1,
    )
