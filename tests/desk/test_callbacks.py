"""Callbacks on the desk: site admins set them up, read the log and send again; leaders do not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from notices.callbacks import sending
from notices.models import CallbackEndpoint, CallbackMessage, Notice, Study
from tests.callback_server import CallbackServer

ENDPOINTS = "/admin/notices/callbackendpoint/"
MESSAGES = "/admin/notices/callbackmessage/"
URL = "https://frontend.example.org/hook"


@pytest.fixture
def server(settings: Any) -> Iterator[CallbackServer]:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as server:
        yield server


def add(desk: Client, **fields: Any) -> Any:
    sent = {"url": URL, "events": ["notice.sent"], "active": "on", **fields}
    return desk.post(f"{ENDPOINTS}add/", sent, follow=True)


def test_its_secret_is_shown_exactly_once(admin_desk: Client, study: Study) -> None:
    answer = add(admin_desk, studies=[study.pk])
    made = CallbackEndpoint.objects.get()
    assert (made.url, made.events, list(made.studies.all())) == (URL, ["notice.sent"], [study])
    assert made.secret in answer.content.decode()
    for page in ("", f"{made.pk}/change/", f"{made.pk}/history/"):
        assert made.secret not in admin_desk.get(f"{ENDPOINTS}{page}").content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("url", "http://10.0.0.1/"), ("url", "ftp://example.com/"), ("events", []), ("studies", [])],
)
def test_a_bad_value_is_refused_at_its_field(
    admin_desk: Client, study: Study, field: str, value: Any
) -> None:
    answer = add(admin_desk, **{"studies": [study.pk], field: value})
    assert field in answer.context["adminform"].form.errors
    assert not CallbackEndpoint.objects.exists()


def test_the_log_shows_a_failed_message_and_sends_it_again(
    admin_desk: Client, study: Study, server: CallbackServer
) -> None:
    CallbackEndpoint.objects.create(url=server.url, all_studies=True)
    server.answers = [410]
    Notice.objects.create(study=study, title="<b>1</b>", content="c", publish_at=timezone.now())
    sending.send_due()
    message = CallbackMessage.objects.get()
    page = admin_desk.get(f"{MESSAGES}?state__exact=failed").content.decode()
    assert "HTTP 410" in page
    assert "<b>1</b>" not in page
    one = admin_desk.get(f"{MESSAGES}{message.pk}/change/").content.decode()
    assert message.message_id in one
    assert "&lt;b&gt;1&lt;/b&gt;" in one

    CallbackEndpoint.objects.update(active=True, rests_until=None)
    sent = {"action": "send_again", "_selected_action": [message.pk]}
    assert admin_desk.post(MESSAGES, sent).status_code == 302
    sending.send_due()

    message.refresh_from_db()
    assert message.state == "delivered"
    assert [request.id for request in server.received] == [message.message_id] * 2


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_two_events_are_called_the_same(language: str) -> None:
    with translation.override(language):
        called = [str(label) for label in CallbackMessage.Type.labels]
    assert len(set(called)) == len(called)


def test_the_log_is_edited_by_nobody(admin_desk: Client, study: Study) -> None:
    CallbackEndpoint.objects.create(url=URL, all_studies=True)
    Notice.objects.create(study=study, title="t", content="c", publish_at=timezone.now())
    message = CallbackMessage.objects.get()
    for page in ("add/", f"{message.pk}/change/", f"{message.pk}/delete/"):
        assert admin_desk.post(f"{MESSAGES}{page}", {"post": "yes"}).status_code == 403
    endpoint = CallbackEndpoint.objects.get()
    assert admin_desk.post(f"{ENDPOINTS}{endpoint.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_leader_finds_neither(desk: Client) -> None:
    for page in (ENDPOINTS, f"{ENDPOINTS}add/", MESSAGES):
        assert desk.get(page).status_code == 403
