"""A client that follows a notice over a real connection is told of each change and of the end."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from notices.api import progress
from notices.delivery.fan_out import fan_out
from notices.models import ApiKey, Channel, Delivery, Notice, Study
from tests.api.conftest import client_with, key_for

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60
Event = tuple[str, str, Any]
"""Its name, its id and its data."""


@pytest.fixture(autouse=True)
def places(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After each test all places are free: a heartbeat notices a reader who has gone away."""
    monkeypatch.setattr(progress, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.02)
    yield
    deadline = time.monotonic() + PATIENCE_SECONDS
    while progress.places.taken:
        assert time.monotonic() < deadline, progress.places.taken
        time.sleep(0.01)


@pytest.fixture
def key(study: Study) -> str:
    return key_for(study)


def address(notice: Notice) -> str:
    return f"/api/v1/notices/{notice.pk}/events/"


@contextmanager
def followed(live_server: Any, notice: Notice, key: str, **headers: str) -> Iterator[HTTPResponse]:
    connection = HTTPConnection(urlsplit(live_server.url).netloc, timeout=PATIENCE_SECONDS)
    sent = {"X-API-Key": key, "Accept": "text/event-stream", "Accept-Language": "en", **headers}
    connection.request("GET", address(notice), headers=sent)
    try:
        yield connection.getresponse()
    finally:
        connection.close()


def events(answer: HTTPResponse) -> Iterator[Event]:
    """Read the stream as its specification says: an empty line ends the fields of an event."""
    fields: dict[str, str] = {}
    for raw in answer:
        line = raw.decode().rstrip("\n")
        if line:
            name, _colon, value = line.partition(": ")
            fields[name] = value
            continue
        if "data" in fields:
            yield fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"])
        fields = {}


def show(notice: Notice) -> None:
    now = timezone.now()
    Delivery.objects.filter(notice=notice).update(
        state="sent", shown=1, wanted=1, message_id=7, due_at=None, changed_at=now
    )
    Notice.objects.filter(pk=notice.pk).update(status="sent")


def test_each_change_is_told_until_all_is_shown(live_server: Any, notice: Notice, key: str) -> None:
    with followed(live_server, notice, key) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
        assert answer.headers["X-Accel-Buffering"] == "no"
        stream = events(answer)
        name, first_id, told = next(stream)
        assert (name, told["status"], told["deliveries"]) == ("progress", "queued", [])

        fan_out(notice.pk)
        _name, second_id, told = next(stream)
        assert [one["state"] for one in told["deliveries"]] == ["waiting"]

        show(notice)
        _name, third_id, told = next(stream)
        assert (told["status"], told["deliveries"][0]["message_id"]) == ("sent", "7")
        assert [name for name, _id, _data in stream] == ["end"]
        assert len({first_id, second_id, third_id}) == 3


def test_a_reader_who_comes_back_is_told_only_the_news(
    live_server: Any, notice: Notice, key: str
) -> None:
    fan_out(notice.pk)
    with followed(live_server, notice, key) as answer:
        _name, seen, _told = next(events(answer))
    show(notice)

    with followed(live_server, notice, key, **{"Last-Event-ID": seen}) as answer:
        (_name, seen, told), (end, _id, _data) = events(answer)
    assert (told["status"], end) == ("sent", "end")

    with followed(live_server, notice, key, **{"Last-Event-ID": seen}) as answer:
        assert answer.status == 204


def test_an_id_is_the_notices_etag(live_server: Any, notice: Notice, key: str) -> None:
    with followed(live_server, notice, key) as answer:
        _name, seen, _told = next(events(answer))
    shown = client_with(key).get(f"/api/v1/notices/{notice.pk}/")
    assert shown["ETag"] == f'"{seen}"'


def test_a_silent_stream_shows_that_it_is_alive_and_ends_in_time(
    live_server: Any, notice: Notice, key: str, settings: Any
) -> None:
    settings.EVENT_STREAM_SECONDS = 0.3
    with followed(live_server, notice, key) as answer:
        text = answer.read().decode()
    assert text.startswith("retry: 3000\n\n")
    assert text.count("event: progress") == 1
    assert text.count(": still here\n\n") > 1
    assert "event: end" not in text


def test_the_stream_tells_that_a_scheduled_moment_has_come(
    live_server: Any, study: Study, channel: Channel, key: str
) -> None:
    soon = timezone.now() + timedelta(seconds=1)
    notice = Notice.objects.create(study=study, title="t", content="c", publish_at=soon)
    with followed(live_server, notice, key) as answer:
        stream = events(answer)
        assert [next(stream)[2]["status"] for _n in "ab"] == ["scheduled", "queued"]


def test_only_so_many_are_open_at_once(
    live_server: Any, notice: Notice, key: str, settings: Any
) -> None:
    settings.EVENT_STREAMS = 1
    with followed(live_server, notice, key) as first:
        next(events(first))
        with followed(live_server, notice, key) as second:
            assert second.status == 503
            assert int(second.headers["Retry-After"]) > 0
            problem = json.load(second)
            assert problem["type"] == "urn:studybot:unavailable"
            assert "GET the notice" in problem["detail"]


def test_another_studys_key_follows_nothing(
    live_server: Any, notice: Notice, other_study: Study
) -> None:
    with followed(live_server, notice, key_for(other_study)) as answer:
        assert answer.status == 404
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert Client().get(address(notice)).status_code == 401
    assert progress.places.taken == 0


def test_a_reader_who_loses_the_right_is_told_no_more(
    live_server: Any, notice: Notice, other_study: Study, key: str
) -> None:
    with followed(live_server, notice, key) as answer:
        stream = events(answer)
        next(stream)
        Notice.objects.filter(pk=notice.pk).update(study=other_study)
        assert list(stream) == []


def revoke(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)


def expire(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(expiry_date=timezone.now())


def take_the_study(key: ApiKey) -> None:
    key.studies.clear()


@pytest.mark.parametrize("lose", [revoke, expire, take_the_study])
def test_a_stream_ends_with_its_keys_right(
    live_server: Any, notice: Notice, key: str, lose: Callable[[ApiKey], None]
) -> None:
    with followed(live_server, notice, key) as answer:
        stream = events(answer)
        next(stream)
        lose(ApiKey.objects.get())
        Notice.objects.filter(pk=notice.pk).update(title="not for this key any more")
        assert list(stream) == []


def test_a_stream_ends_when_a_key_for_every_study_is_narrowed(
    live_server: Any, notice: Notice
) -> None:
    with followed(live_server, notice, key_for(all_studies=True)) as answer:
        stream = events(answer)
        next(stream)
        ApiKey.objects.update(all_studies=False)
        assert list(stream) == []


def remove_from_the_study(leader: User, _client: Client) -> None:
    Study.objects.get().accounts.remove(leader)


def switch_off(leader: User, _client: Client) -> None:
    User.objects.filter(pk=leader.pk).update(is_active=False)


def log_out(_leader: User, client: Client) -> None:
    client.logout()


def change_the_password(leader: User, _client: Client) -> None:
    leader.set_password("another-password-of-hers")
    leader.save()


@pytest.mark.parametrize("lose", [remove_from_the_study, switch_off, log_out, change_the_password])
def test_a_stream_ends_with_its_leaders_right(
    live_server: Any, notice: Notice, leader: User, lose: Callable[[User, Client], None]
) -> None:
    client = Client()
    client.force_login(leader)
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    with followed(live_server, notice, "", Cookie=cookie) as answer:
        assert answer.status == 200
        stream = events(answer)
        next(stream)
        lose(leader, client)
        Notice.objects.filter(pk=notice.pk).update(title="not for her any more")
        assert list(stream) == []


def test_one_caller_leaves_places_for_the_others(
    live_server: Any, notice: Notice, study: Study, key: str, settings: Any
) -> None:
    settings.EVENT_STREAMS, settings.EVENT_STREAMS_PER_CALLER = 3, 2
    reader = key_for(study, read_only=True)
    with ExitStack() as open_ones:
        answers = [open_ones.enter_context(followed(live_server, notice, reader)) for _n in "ab"]
        assert [next(events(mine))[0] for mine in answers] == ["progress", "progress"]
        third = open_ones.enter_context(followed(live_server, notice, reader))
        assert (third.status, third.headers["Retry-After"]) == (429, "5")
        problem = json.load(third)
        assert problem["type"] == "urn:studybot:throttled"
        assert "2 streams open" in problem["detail"]

        others = open_ones.enter_context(followed(live_server, notice, key))
        assert (others.status, next(events(others))[0]) == (200, "progress")


def test_a_look_costs_one_statement_and_a_head_request_takes_no_place(
    frontend: APIClient, notice: Notice, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        assert progress._mark(Notice.objects.filter(pk=notice.pk))
    assert frontend.head(address(notice)).status_code == 200
    assert progress.places.taken == 0
