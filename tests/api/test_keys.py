"""A key's life: when it was used, how it is rotated and revoked, and how often it may ask."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis
from rest_framework.test import APIClient

from notices import actions
from notices.api import rate
from notices.api.rate import CallerRate
from notices.models import ApiKey, Notice, Study
from tests.api.conftest import client_with, key_for
from tests.services import redis_url

STUDIES = "/api/v1/studies/"


@pytest.fixture(autouse=True)
def nobody_has_asked(settings: Any) -> Iterator[None]:
    settings.COUNTER_URL = ""
    rate.storage.cache_clear()
    yield
    rate.storage.cache_clear()


def test_its_last_use_is_written_down_at_most_once_a_minute(study: Study) -> None:
    client = client_with(key_for(study))

    client.get(STUDIES)
    first = ApiKey.objects.get().last_used_at
    client.get(STUDIES)
    assert first is not None
    assert ApiKey.objects.get().last_used_at == first

    ApiKey.objects.update(last_used_at=first - timedelta(minutes=1))
    client.get(STUDIES)
    used = ApiKey.objects.get().last_used_at
    assert used is not None
    assert used >= first


def test_a_refused_key_was_not_used(study: Study) -> None:
    past = timezone.now() - timedelta(seconds=1)

    client_with(key_for(study, expiry_date=past)).get(STUDIES)

    assert ApiKey.objects.get().last_used_at is None


def test_rotation_makes_a_successor_and_lets_the_old_key_end(study: Study) -> None:
    old = key_for(study, read_only=True)

    successor, new = actions.rotate(ApiKey.objects.get(), timedelta(hours=1))

    assert client_with(old).get(STUDIES).status_code == 200
    assert client_with(new).get(STUDIES).json() == client_with(old).get(STUDIES).json()
    assert (successor.read_only, successor.expiry_date) == (True, None)
    ApiKey.objects.exclude(pk=successor.pk).update(expiry_date=timezone.now())
    assert client_with(old).get(STUDIES).status_code == 401
    assert client_with(new).get(STUDIES).status_code == 200


def test_rotation_never_lengthens_a_life(study: Study) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    key_for(study, expiry_date=soon)
    key = ApiKey.objects.get()

    successor, _new = actions.rotate(key, timedelta(hours=1))

    key.refresh_from_db()
    assert key.expiry_date == soon
    assert successor.expiry_date is not None
    assert successor.expiry_date - timezone.now() <= timedelta(minutes=5)


def test_rotation_hands_on_the_keys_present_rights(study: Study) -> None:
    key_for(study, may_ping=True)
    key = ApiKey.objects.get()
    ApiKey.objects.update(may_ping=False, revoked=True)

    successor, new = actions.rotate(key, timedelta(hours=1))

    assert (successor.may_ping, successor.revoked) == (False, True)
    client = client_with(new)
    assert client.get(STUDIES).status_code == 401


def test_revoking_works_at_once(study: Study) -> None:
    client = client_with(key_for(study))
    assert client.get(STUDIES).status_code == 200

    ApiKey.objects.update(revoked=True)

    assert client.get(STUDIES).status_code == 401


def test_every_answer_tells_how_many_requests_are_left(study: Study, settings: Any) -> None:
    settings.API_RATE = (3, 3600)
    client = client_with(key_for(study))

    answers = [client.get(STUDIES), client.get("/api/v1/notices/999/"), client.get(STUDIES)]

    assert [answer["RateLimit-Limit"] for answer in answers] == ["3"] * 3
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    assert 0 < int(answers[0]["RateLimit-Reset"]) <= 3600


def test_a_frontend_that_asks_too_often_is_told_when_to_come_back(
    study: Study, settings: Any, first_post: dict[str, Any]
) -> None:
    settings.API_RATE = (1, 3600)
    client = client_with(key_for(study))
    client.get(STUDIES)

    answer = client.post("/notice/", first_post, format="json")

    assert answer.status_code == 429
    assert answer.json()["type"] == "urn:studybot:throttled"
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert answer["RateLimit-Remaining"] == "0"
    assert not Notice.objects.exists()
    assert client_with(key_for(study)).get(STUDIES).status_code == 200


def test_a_cache_that_is_away_limits_nobody_and_is_not_waited_for_each_time(
    study: Study, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(CallerRate, "rests_until", 0.0)
    settings.API_RATE = (1, 3600)
    settings.COUNTER_URL = "redis://127.0.0.1:9/0?socket_connect_timeout=1"
    client = client_with(key_for(study))

    assert [client.get(STUDIES).status_code for _n in range(2)] == [200, 200]
    assert caplog.text.count("the cache is away") == 1
    monkeypatch.setattr(CallerRate, "rests_until", 0.0)
    client.get(STUDIES)
    assert caplog.text.count("the cache is away: ") == 2


@pytest.mark.parametrize("address", ["/api/schema/", "/api/docs/", "/api/docs/?script="])
def test_reading_the_schema_leaves_requests_counted(
    frontend: APIClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(CallerRate, "rests_until", 0.0)

    assert APIClient().get(address).status_code == 200
    assert "RateLimit-Remaining" in frontend.get(STUDIES)


@pytest.mark.redis
def test_with_redis_all_web_processes_count_together(study: Study, settings: Any) -> None:
    settings.API_RATE = (2, 3600)
    settings.COUNTER_URL = redis_url()
    client = client_with(key_for(study))

    assert [client.get(STUDIES).status_code for _n in range(3)] == [200, 200, 429]
    with Redis.from_url(redis_url()) as redis:
        (counter,) = redis.scan_iter(f"*{ApiKey.objects.get().prefix}*")
        assert 0 < redis.ttl(counter) <= 3600


def test_options_names_the_methods_and_is_counted_like_any_request(frontend: APIClient) -> None:
    answer = frontend.options(STUDIES)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert "RateLimit-Remaining" in answer
    assert APIClient().options(STUDIES).status_code == 401


@pytest.mark.redis
def test_with_redis_what_is_left_is_told_alike_by_every_web_process(
    study: Study, settings: Any
) -> None:
    settings.API_RATE = (5_000, 3600)
    settings.COUNTER_URL = redis_url()
    client = client_with(key_for(study))

    def remaining() -> int:
        return int(client.get(STUDIES)["RateLimit-Remaining"])

    assert [remaining() for _n in range(2)] == [4999, 4998]
    rate.storage.cache_clear()  # another process
    assert [remaining() for _n in range(2)] == [4997, 4996]


def test_no_other_site_may_ask_unless_it_is_named(frontend: APIClient, settings: Any) -> None:
    origin = "https://study.example.org"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key, idempotency-key, content-type",
    }

    assert "Access-Control-Allow-Origin" not in frontend.options("/notice/", headers=asked)
    settings.CORS_ALLOWED_ORIGINS = [origin]
    preflight = frontend.options("/notice/", headers=asked)
    answer = frontend.get(STUDIES, headers={"Origin": origin})

    assert preflight["Access-Control-Allow-Origin"] == origin
    assert "idempotency-key" in preflight["Access-Control-Allow-Headers"]
    assert answer["Access-Control-Allow-Origin"] == origin
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Location", "Idempotent-Replayed", "Retry-After"} < exposed
    assert {name for name in answer.headers if name.startswith("RateLimit-")} < exposed
    assert "Access-Control-Allow-Credentials" not in answer
