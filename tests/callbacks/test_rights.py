"""The rights at the moment of telling decide what a frontend is told."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from notices import actions
from notices.callbacks import sending
from notices.models import ApiKey, CallbackEndpoint, CallbackMessage, Channel, Notice, Study
from tests.callback_server import CallbackServer
from tests.callbacks.test_callbacks import QUEUED, let_time_pass, listen, publish, told

Rights = dict[str, Any]


@pytest.fixture
def server(settings: Any) -> Iterator[CallbackServer]:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as server:
        yield server


def make_key(*studies: Study, **fields: Any) -> ApiKey:
    key = ApiKey(name="portal", **fields)
    ApiKey.objects.assign_key(key)
    key.save()
    key.studies.set(studies)
    return key


@pytest.fixture
def key(study: Study) -> ApiKey:
    return make_key(study)


@pytest.fixture
def endpoint(server: CallbackServer, key: ApiKey, study: Study) -> CallbackEndpoint:
    return listen(server.url, study, key=key)


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expiry_date=timezone.now() - timedelta(seconds=1))


def revoke(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)


def take_the_study(key: ApiKey) -> None:
    key.studies.clear()


def leave_the_study(key: ApiKey) -> None:
    CallbackEndpoint.objects.get(key=key).studies.clear()


def switch_off(key: ApiKey) -> None:
    CallbackEndpoint.objects.filter(key=key).update(active=False)


LOSSES = [expire, revoke, take_the_study, leave_the_study, switch_off]
Loss = Callable[[ApiKey], None]


@pytest.mark.parametrize("lose", LOSSES)
def test_an_endpoint_is_told_of_no_event_after_the_right_is_lost(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study,
    channel: Channel, lose: Loss,
) -> None:  # fmt: skip
    lose(key)
    publish(study, channel)
    sending.send_due()

    assert told(endpoint) == []
    assert server.received == []


@pytest.mark.parametrize("lose", LOSSES)
def test_a_waiting_message_is_not_sent_after_the_right_is_lost(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study,
    channel: Channel, lose: Loss,
) -> None:  # fmt: skip
    publish(study, channel)
    assert told(endpoint) == [QUEUED]
    lose(key)
    sending.send_due()

    assert server.received == []
    message = endpoint.messages.get()
    assert (message.state, message.due_at, message.tries) == ("failed", None, 0)
    assert message.error.startswith("not told: ")


@pytest.mark.parametrize("lose", LOSSES)
def test_a_refused_message_is_not_tried_again_after_the_right_is_lost(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study,
    channel: Channel, lose: Loss,
) -> None:  # fmt: skip
    server.answers = [503]
    publish(study, channel)
    sending.send_due()
    lose(key)
    let_time_pass()
    sending.send_due()

    assert len(server.received) == 1
    assert endpoint.messages.get().state == "failed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lose", LOSSES)
def test_the_rights_are_looked_at_before_each_message_of_a_batch(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study,
    channel: Channel, lose: Loss,
) -> None:  # fmt: skip
    publish(study, channel)
    publish(study, channel)

    def lose_it() -> None:
        lose(key)
        connection.close()

    server.before_answer = lose_it
    sending.send_due()

    states = endpoint.messages.order_by("id").values_list("state", flat=True)
    assert list(states) == ["delivered", "failed"]
    assert len(server.received) == 1


def test_a_message_that_is_sent_again_by_hand_needs_the_right_too(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    sending.send_due()
    revoke(key)
    CallbackMessage.objects.send_again(timezone.now())
    sending.send_due()

    assert len(server.received) == 1
    assert endpoint.messages.get().error == "not told: its key is revoked or has expired"


def test_a_key_that_is_narrowed_to_one_study_is_told_of_that_one_alone(
    server: CallbackServer, study: Study, channel: Channel, other_study: Study,
    other_channel: Channel,
) -> None:  # fmt: skip
    key = make_key(all_studies=True)
    endpoint = listen(server.url, all_studies=True, key=key)
    publish(study, channel)
    ApiKey.objects.update(all_studies=False)
    key.studies.add(other_study)
    publish(study, channel)
    heard = publish(other_study, other_channel)
    sending.send_due()

    assert told(endpoint) == [QUEUED, QUEUED]
    (request,) = server.received
    assert request.verified(endpoint.secret)["data"]["id"] == heard.pk


@pytest.mark.parametrize("to_the_keys_study", [True, False])
def test_a_waiting_message_of_a_moved_notice_is_not_sent(
    server: CallbackServer, key: ApiKey, study: Study, second_channel: Channel,
    other_study: Study, to_the_keys_study: bool,
) -> None:  # fmt: skip
    """Neither the old study's words reach the new one's listeners, nor the other way round."""
    study.channels.remove(second_channel)
    before, after = (other_study, study) if to_the_keys_study else (study, other_study)
    key.studies.set([before])
    endpoint = listen(server.url, study, other_study, key=key)
    notice = publish(before, before.channels.get())
    assert told(endpoint) == [QUEUED]
    key.studies.set([study])
    Notice.objects.filter(pk=notice.pk).update(study=after)
    sending.send_due()

    assert server.received == []
    message = endpoint.messages.get()
    assert message.error == "not told: its key may not read the notice's study"


def test_a_rotated_keys_endpoint_goes_on_with_its_successor(
    server: CallbackServer, endpoint: CallbackEndpoint, key: ApiKey, study: Study, channel: Channel
) -> None:
    publish(study, channel)
    actions.rotate(key, timedelta(0))
    sending.send_due()

    assert len(server.received) == 1


# --- an endpoint that a person answers for ---------------------------------------------------

OWNERS_LOSSES: list[tuple[str, Rights]] = [
    ("the account that answers for it is switched off", {"is_active": False}),
    ("the account that answers for it may not read the notice's study", {"is_superuser": False}),
]


@pytest.mark.parametrize(("why", "loss"), OWNERS_LOSSES)
def test_an_endpoint_ends_with_the_rights_of_its_owner(
    server: CallbackServer, site_admin: User, study: Study, channel: Channel, why: str,
    loss: Rights,
) -> None:  # fmt: skip
    endpoint = listen(server.url, all_studies=True, owner=site_admin)
    publish(study, channel)
    User.objects.filter(pk=site_admin.pk).update(**loss)
    publish(study, channel)
    sending.send_due()

    assert server.received == []
    assert endpoint.messages.get().error == f"not told: {why}"


def test_an_endpoint_of_a_leader_is_told_of_her_study_alone(
    server: CallbackServer, leader: User, study: Study, channel: Channel, other_study: Study,
    other_channel: Channel,
) -> None:  # fmt: skip
    endpoint = listen(server.url, all_studies=True, owner=leader)
    publish(study, channel)
    publish(other_study, other_channel)
    assert told(endpoint) == [QUEUED]

    study.accounts.clear()
    sending.send_due()

    assert server.received == []


def test_an_endpoint_from_before_owners_were_kept_goes_on(
    server: CallbackServer, study: Study, channel: Channel
) -> None:
    listen(server.url, study)
    publish(study, channel)
    sending.send_due()

    assert len(server.received) == 1
