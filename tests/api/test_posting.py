"""A POST of the first frontend takes few statements, and does all that saving the model does."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.brokers import get_broker
from rest_framework.test import APIClient

from notices.delivery.fan_out import fan_out
from notices.models import CallbackEndpoint, CallbackMessage, Channel, Notice, Study
from tests.api.conftest import client_with, fields_refused, key_for

# They ask for the key, for the study with its channel, and whether somebody is to be told; they
# begin the transaction, insert the notice and its channel, and end the transaction.
STATEMENTS = 7


def test_it_takes_as_few_statements_as_can_be(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    frontend.post("/notice/", first_post, format="json")  # The key's first use is written down.
    with CaptureQueriesContext(connection) as asked:
        frontend.post("/notice/", first_post, format="json")

    assert len(asked) == STATEMENTS


@pytest.mark.django_db(transaction=True)
def test_its_fan_out_is_queued_once(frontend: APIClient, first_post: dict[str, Any]) -> None:
    broker = get_broker()
    broker.purge_queue()

    frontend.post("/notice/", first_post, format="json")

    assert broker.queue_size() == 1
    broker.purge_queue()


def test_it_becomes_what_the_orm_would_have_made(
    frontend: APIClient, first_post: dict[str, Any], study: Study, channel: Channel
) -> None:
    frontend.post("/notice/", first_post, format="json")

    posted = Notice.objects.get()
    made = Notice(
        pk=posted.pk, study=study, title=first_post["title"], content=first_post["content"],
        author=first_post["author"], publish_at=posted.publish_at, created_at=posted.created_at,
        changed_at=posted.changed_at, created_with=posted.created_with, status="queued",
    )  # fmt: skip
    names = [field.attname for field in Notice._meta.concrete_fields]
    assert [getattr(posted, name) for name in names] == [getattr(made, name) for name in names]
    assert posted.created_with is not None
    assert fan_out(posted.pk)
    assert posted.deliveries.get().channel == channel


@pytest.mark.parametrize("everywhere", [True, False])
def test_a_callback_endpoint_is_told(
    frontend: APIClient, first_post: dict[str, Any], study: Study, *, everywhere: bool
) -> None:
    endpoint = CallbackEndpoint.objects.create(url="https://example.org/", all_studies=everywhere)
    endpoint.studies.set([study])

    answer = frontend.post("/notice/", first_post, format="json")

    (message,) = CallbackMessage.objects.all()
    assert (message.endpoint, message.type) == (endpoint, "notice.queued")
    assert message.notice_id == answer.json()["notice"]


def test_a_channel_that_two_studies_share_opens_neither_to_the_other(
    first_post: dict[str, Any], other_study: Study, channel: Channel
) -> None:
    other_study.channels.add(channel)

    answer = client_with(key_for(other_study)).post("/notice/", first_post, format="json")

    assert fields_refused(answer) == ["study_id"]
    assert not Notice.objects.exists()


@pytest.mark.usefixtures("other_study")
def test_a_leader_posts_for_her_study_by_her_login_and_for_no_other(
    first_post: dict[str, Any], leader: User, other_leader: User
) -> None:
    client = APIClient()
    client.force_login(leader)
    assert client.post("/notice/", first_post, format="json").status_code == 202
    assert Notice.objects.get().created_by == leader

    client.force_login(other_leader)
    assert client.post("/notice/", first_post, format="json").status_code == 400
    assert Notice.objects.count() == 1
