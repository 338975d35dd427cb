"""Frontends are told of each event, signed and in order, and again if they did not take it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from standardwebhooks import WebhookVerificationError

from notices import actions, tasks
from notices.callbacks import queueing, sending
from notices.callbacks.http import EndpointResponse
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.outcomes import Outcome
from notices.delivery.request import Request
from notices.models import (
    Attempt,
    CallbackEndpoint,
    CallbackMessage,
    Channel,
    Notice,
    Study,
    new_secret,
)
from notices.upkeep import pruning
from tests.callback_server import CallbackServer

Kind = Attempt.Outcome
QUEUED, SENT, FAILED = "notice.queued", "notice.sent", "notice.failed"
EDITED, WITHDRAWN = "notice.edited", "notice.withdrawn"


@pytest.fixture
def server(settings: Any) -> Iterator[CallbackServer]:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as server:
        yield server


@pytest.fixture
def endpoint(server: CallbackServer, study: Study) -> CallbackEndpoint:
    return listen(server.url, study)


def listen(url: str, *studies: Study, **fields: Any) -> CallbackEndpoint:
    endpoint = CallbackEndpoint.objects.create(url=url, **fields)
    endpoint.studies.set(studies)
    return endpoint


def publish(study: Study, *channels: Channel, **fields: Any) -> Notice:
    given = {"title": "7주차", "content": "…", "publish_at": timezone.now(), **fields}
    notice = Notice.objects.create(study=study, **given)
    notice.channels.set(channels)
    fan_out(notice.pk)
    return notice


def step(*results: Outcome, now: Any = None) -> list[Request]:
    return exchange(
        results,
        now or timezone.now(),
        limit=10,
        busy_channels=(),
        shards=Shards(),
        window=timedelta(seconds=60),
    )


def ended(request: Request, kind: str = Kind.SHOWN) -> Outcome:
    outcome = Outcome(request, kind, timezone.now())
    if kind == Kind.SHOWN:
        message_id = request.channel_id + 5
        return replace(outcome, message_id=message_id, revision=request.revision)
    return replace(outcome, code=50013) if kind == Kind.REFUSED else outcome


def deliver(*kinds: str) -> None:
    """Make the due requests; they end in the given kinds in their order, and the rest as shown."""
    requests = step()
    ways = [*kinds, *[Kind.SHOWN] * (len(requests) - len(kinds))]
    step(*(ended(request, way) for request, way in zip(requests, ways, strict=True)))


def told(endpoint: CallbackEndpoint) -> list[str]:
    return list(endpoint.messages.order_by("id").values_list("type", flat=True))


def let_time_pass() -> None:
    """End the rests of all endpoints, and make each waiting message due."""
    CallbackEndpoint.objects.update(rests_until=None)
    CallbackMessage.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


# --- which events there are ------------------------------------------------------------------


def test_a_notice_that_is_shown_is_told_of_twice(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    deliver()

    first, second = endpoint.messages.order_by("id")
    assert (first.type, second.type) == (QUEUED, SENT)
    data = json.loads(second.payload)["data"]
    delivery = notice.deliveries.get()
    assert (data["id"], data["study_id"], data["status"]) == (notice.pk, study.pk, "sent")
    assert data["deliveries"] == [
        {
            "channel_id": str(channel.pk),
            "state": "sent",
            "shown": 1,
            "message_url": delivery.message_url,
            "error_code": None,
        }
    ]


def test_a_scheduled_notice_is_told_of_when_it_begins(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    hour = timezone.now() + timedelta(hours=1)
    publish(study, channel, publish_at=hour)
    assert told(endpoint) == []

    (request,) = step(now=hour)
    step(ended(request))

    assert told(endpoint) == [QUEUED, SENT]


def test_a_draft_that_is_published_is_told_of(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel, publish_at=None)
    notice.content = "Still a draft."
    notice.save()
    assert told(endpoint) == []

    notice.publish_at = timezone.now()
    notice.save()

    assert told(endpoint) == [QUEUED]


@pytest.mark.parametrize(
    ("kinds", "status"),
    [([Kind.REFUSED], "partly_sent"), ([Kind.REFUSED, Kind.REFUSED], "failed")],
)
def test_a_failure_says_how_far_it_goes(
    endpoint: CallbackEndpoint, study: Study, channel: Channel, second_channel: Channel,
    kinds: list[str], status: str,
) -> None:  # fmt: skip
    publish(study, channel, second_channel)
    deliver(*kinds)

    assert told(endpoint) == [QUEUED, FAILED]
    data = json.loads(endpoint.messages.latest("id").payload)["data"]
    assert data["status"] == status
    assert 50013 in [delivery["error_code"] for delivery in data["deliveries"]]


def test_an_edit_is_told_of_when_it_is_written_and_when_it_is_shown(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    deliver()
    notice.content = "Moved to Thursday."
    notice.save()
    notice.save()  # a second save changes nothing
    fan_out(notice.pk)
    deliver()

    assert told(endpoint) == [QUEUED, SENT, EDITED, SENT]
    assert json.loads(endpoint.messages.latest("id").payload)["data"]["revision"] == 2


def test_a_bulk_update_is_told_of_when_it_is_shown(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    deliver()
    Notice.objects.filter(pk=notice.pk).update(title="8주차")
    fan_out(notice.pk)
    deliver()
    assert told(endpoint) == [QUEUED, SENT, SENT]


def test_a_withdrawal_is_told_of_when_all_messages_are_gone(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    deliver()
    actions.withdraw(notice)
    fan_out(notice.pk)
    assert told(endpoint) == [QUEUED, SENT]

    deliver(Kind.GONE)

    assert told(endpoint) == [QUEUED, SENT, WITHDRAWN]


def test_a_notice_that_is_sent_again_is_told_of_again(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    deliver(Kind.REFUSED)
    actions.send_again(notice)
    fan_out(notice.pk)
    deliver()

    assert told(endpoint) == [QUEUED, FAILED, SENT]


def test_each_endpoint_hears_of_its_studies_and_its_events_alone(
    server: CallbackServer, study: Study, channel: Channel, other_study: Study
) -> None:
    hers, others = listen(server.url, study), listen(server.url, other_study)
    everything = listen(server.url, all_studies=True)
    failures = listen(server.url, study, events=[FAILED])
    off = listen(server.url, study, active=False)
    publish(study, channel)

    heard = [told(one) for one in (hers, others, everything, failures, off)]
    assert heard == [[QUEUED], [], [QUEUED], [], []]


@pytest.mark.django_db(transaction=True)
def test_an_event_is_committed_and_rolled_back_with_its_change(
    endpoint: CallbackEndpoint, study: Study
) -> None:
    class CrashError(Exception):
        pass

    def crash() -> None:
        with transaction.atomic():
            Notice.objects.create(study=study, title="t", content="c", publish_at=timezone.now())
            assert CallbackMessage.objects.exists()
            raise CrashError

    with pytest.raises(CrashError):
        crash()
    assert not CallbackMessage.objects.exists()

    broker = get_broker()
    broker.purge_queue()
    Notice.objects.create(study=study, title="t", content="c", publish_at=timezone.now())
    assert CallbackMessage.objects.count() == 1
    assert broker.queue_size() == 2  # one task for the fan-out, and one for the callbacks


def test_the_engine_makes_no_other_query_without_an_endpoint(
    study: Study, channel: Channel
) -> None:
    publish(study, channel)
    with CaptureQueriesContext(connection) as captured:
        deliver()

    statements = [query["sql"] for query in captured]
    named = [sql for sql in statements if "callback" in sql]
    assert named
    assert all(sql.strip().startswith("UPDATE notices_notice") for sql in named)


# --- sending ---------------------------------------------------------------------------------


def test_a_message_is_signed_as_standard_webhooks_are(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    notice = publish(study, channel)
    assert tasks.send_callbacks()

    (request,) = server.received
    said = request.verified(endpoint.secret)
    assert (said["type"], said["data"]["id"]) == (QUEUED, notice.pk)
    assert request.headers["content-type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        request.verified(new_secret())
    request.body = request.body.replace(b"7", b"8")
    with pytest.raises(WebhookVerificationError):
        request.verified(endpoint.secret)
    message = endpoint.messages.get()
    assert (message.state, message.code, message.tries) == ("delivered", 200, 1)


def test_messages_go_in_the_order_of_the_events(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    for _n in range(queueing.BATCH + 5):
        publish(study, channel)
    sending.send_due()
    sending.send_due()

    wanted = endpoint.messages.order_by("id").values_list("message_id", flat=True)
    assert [request.id for request in server.received] == list(wanted)


@pytest.mark.parametrize("answer", [500, 429, 404, 302])
def test_a_message_that_is_not_taken_is_sent_again_with_the_same_id(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel, answer: int
) -> None:
    server.answers = [answer]
    server.headers = {"Location": f"{server.url}/elsewhere"}
    publish(study, channel)
    sending.send_due()

    message = endpoint.messages.get()
    assert (message.state, message.code, message.tries) == ("waiting", answer, 1)
    assert str(answer) in message.error
    assert message.due_at is not None
    assert message.due_at > timezone.now()
    sending.send_due()
    assert len(server.received) == 1  # neither is the redirect followed, nor the pause cut short

    let_time_pass()
    sending.send_due()
    first, second = server.received
    assert (first.id, first.path) == (second.id, second.path)
    assert first.verified(endpoint.secret) == second.verified(endpoint.secret)
    message.refresh_from_db()
    assert (message.state, message.tries, message.error) == ("delivered", 2, "")


def test_the_pauses_grow_until_it_is_given_up_after_a_day(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    message = endpoint.messages.get()
    start = now = timezone.now()
    pauses = []
    while message.due_at is not None:
        lane = queueing.Lane(endpoint, [message], [(message, EndpointResponse(500, "HTTP 500"))])
        queueing.record(lane, now)
        message.refresh_from_db()
        if message.due_at is not None:
            pauses.append(message.due_at - now)
            now = message.due_at

    assert (message.state, message.code) == ("failed", 500)
    assert 15 <= message.tries <= 30
    assert timedelta(hours=18) < now - start <= timedelta(days=1)
    assert pauses[0] < timedelta(seconds=15)
    assert pauses[-1] > timedelta(hours=2)


def test_an_endpoint_that_fails_rests_and_holds_up_nobody_else(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    with CallbackServer(answers=[503] * 100) as broken:
        failing = listen(broken.url, study)
        for _n in range(3):
            publish(study, channel)
        sending.send_due()

        assert len(server.received) == 3
        assert len(broken.received) == 1
        failing.refresh_from_db()
        assert failing.rests_until is not None
        assert failing.setbacks == 1


def test_an_endpoint_that_answers_gone_is_called_no_more(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    server.answers = [410]
    publish(study, channel)
    sending.send_due()
    publish(study, channel)
    let_time_pass()
    sending.send_due()

    endpoint.refresh_from_db()
    assert not endpoint.active
    assert len(server.received) == 1
    assert endpoint.messages.get().state == "failed"


def test_a_refused_connection_is_a_failure_in_words(
    settings: Any, study: Study, channel: Channel
) -> None:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as server:
        url = server.url
    endpoint = listen(url, study)
    publish(study, channel)
    sending.send_due()

    message = endpoint.messages.get()
    assert (message.state, message.code) == ("waiting", None)
    assert "127.0.0.1" in message.error


def test_one_worker_at_a_time_is_at_an_endpoint(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    (lane,) = queueing.take(timezone.now())

    sending.send_due()
    assert server.received == []  # another worker is at it
    assert queueing.take(timezone.now() + queueing.LEASE)  # it died: its lease runs out
    assert lane.endpoint == endpoint


def test_a_message_that_is_sent_again_by_hand_keeps_its_id(
    server: CallbackServer, endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    sending.send_due()
    assert CallbackMessage.objects.send_again(timezone.now()) == 1
    sending.send_due()

    first, second = server.received
    assert first.id == second.id
    assert endpoint.messages.get().state == "delivered"


def test_old_messages_go_with_the_attempts_of_their_time(
    endpoint: CallbackEndpoint, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    publish(study, channel)
    old = endpoint.messages.earliest("id")
    CallbackMessage.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=91))
    assert pruning.prune(timezone.now(), 60)
    assert old not in endpoint.messages.all()
    assert endpoint.messages.count() == 1
