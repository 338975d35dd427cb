"""A key pings people only where a site admin has allowed it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import ApiKey, Channel, Delivery, Notice, Study
from tests.api.conftest import client_with, key_for
from tests.desk.conftest import logged_in

NOTICES = "/api/v1/notices/"
PINGS = ["role", "here", "everyone"]


@pytest.fixture
def quiet(study: Study) -> APIClient:
    """A frontend whose key may not ping."""
    Study.objects.filter(pk=study.pk).update(ping_role_id=7)
    return client_with(key_for(study))


@pytest.fixture
def pinging_draft(study: Study, channel: Channel) -> Notice:
    draft = Notice.objects.create(study=study, title="t", content="c", ping="everyone")
    draft.channels.set([channel])
    return draft


def refused(answer: Any) -> str:
    assert answer.status_code == 403, answer.content
    problem = answer.json()
    assert problem["type"] == "urn:studybot:permission-denied"
    assert "may not ping" in problem["detail"]
    return str(problem["detail"])


def test_a_new_key_may_not_ping_unless_it_is_told_so() -> None:
    assert not ApiKey().may_ping


@pytest.mark.parametrize("ping", PINGS)
@pytest.mark.parametrize("address", [NOTICES, f"{NOTICES}preview/"])
@pytest.mark.parametrize("moment", [{}, {"publish_at": None}])
def test_a_notice_that_pings_is_refused_with_the_ping_and_the_remedy(
    quiet: APIClient, post: dict[str, Any], address: str, ping: str, moment: dict[str, Any]
) -> None:
    detail = refused(quiet.post(address, post | moment | {"ping": ping}, format="json"))

    assert f'"{ping}"' in detail
    assert "site admin" in detail
    assert not Notice.objects.exists()


@pytest.mark.parametrize("ping", [{}, {"ping": "none"}])
def test_a_notice_that_pings_nobody_is_taken(
    quiet: APIClient, post: dict[str, Any], ping: dict[str, str]
) -> None:
    assert quiet.post(NOTICES, post | ping, format="json").status_code == 201


def test_the_first_frontends_notice_pings_nobody(
    quiet: APIClient, first_post: dict[str, Any]
) -> None:
    answer = quiet.post("/notice/", first_post | {"ping": "everyone"}, format="json")
    assert answer.status_code == 202
    assert Notice.objects.get().ping == "none"


@pytest.mark.parametrize("ping", PINGS)
def test_no_ping_is_added_to_a_notice(quiet: APIClient, notice: Notice, ping: str) -> None:
    refused(quiet.patch(f"{NOTICES}{notice.pk}/", {"ping": ping}, format="json"))


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "2035-01-01T00:00:00Z"])
def test_a_leaders_draft_that_pings_is_not_published(
    quiet: APIClient, pinging_draft: Notice, moment: str
) -> None:
    address = f"{NOTICES}{pinging_draft.pk}/"
    refused(quiet.patch(address, {"publish_at": moment}, format="json"))

    assert quiet.patch(address, {"title": "still a draft"}, format="json").status_code == 200
    body = {"publish_at": moment, "ping": "none"}
    assert quiet.patch(address, body, format="json").status_code == 200


def test_other_words_are_not_put_under_a_leaders_ping_before_it_is_sent(
    quiet: APIClient, pinging_draft: Notice
) -> None:
    hour = timezone.now() + timedelta(hours=1)
    Notice.objects.filter(pk=pinging_draft.pk).update(publish_at=hour, status="scheduled")
    address = f"{NOTICES}{pinging_draft.pk}/"

    refused(quiet.patch(address, {"content": "other words"}, format="json"))
    assert quiet.patch(address, {"publish_at": None}, format="json").status_code == 200


def test_a_notice_that_has_pinged_can_be_corrected_but_gets_no_other_channel(
    quiet: APIClient, pinging_draft: Notice, channel: Channel, second_channel: Channel
) -> None:
    Notice.objects.filter(pk=pinging_draft.pk).update(publish_at=timezone.now(), status="sent")
    Delivery.objects.create(
        notice=pinging_draft, channel=channel, wanted=1, shown=1, message_id=7, state="sent"
    )
    address = f"{NOTICES}{pinging_draft.pk}/"
    both = {"channel_ids": [str(channel.pk), str(second_channel.pk)]}

    refused(quiet.patch(address, both, format="json"))
    assert quiet.patch(address, {"title": "corrected"}, format="json").status_code == 200


def test_a_notice_that_pings_is_not_sent_again(quiet: APIClient, failed_delivery: Delivery) -> None:
    address = f"{NOTICES}{failed_delivery.notice_id}/"
    Notice.objects.update(ping="here")

    refused(quiet.post(f"{address}send-again/"))
    assert quiet.post(f"{address}withdraw/").status_code == 200


def test_a_leader_may_ping_by_her_login(leader: Any, study: Study, post: dict[str, Any]) -> None:
    client: Client = logged_in(leader)
    answer = client.post(NOTICES, post | {"ping": "here"}, content_type="application/json")
    assert answer.status_code == 201


@pytest.mark.django_db(transaction=True)
def test_the_keys_that_there_are_may_ping_as_before() -> None:
    executor = MigrationExecutor(connection)
    newest = executor.loader.graph.leaf_nodes("notices")
    executor.migrate([("notices", "0014_name_of_the_bot")])
    old = executor.loader.project_state([("notices", "0014_name_of_the_bot")]).apps
    old.get_model("notices", "ApiKey").objects.create(id="old.x", prefix="old", name="old")
    executor = MigrationExecutor(connection)
    executor.migrate(newest)

    assert ApiKey.objects.get(prefix="old").may_ping
    assert not ApiKey.objects.create_key(name="new")[0].may_ping  # type: ignore[attr-defined]
