"""/healthz says that the web answers; /readyz which part is late."""

import logging
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from notices.delivery.fan_out import fan_out
from notices.models import BotInstance, Delivery, Notice


@pytest.fixture
def bot(db: None) -> BotInstance:
    now = timezone.now()
    return BotInstance.objects.create(
        name="bot", started_at=now, heartbeat_at=now, is_active=True, gateway_latency_ms=20
    )


def test_healthz_answers_without_a_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("bot")
def test_readyz_is_content_with_a_bot_and_no_delay(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (200, [])


def test_readyz_misses_a_bot(client: Client, bot: BotInstance) -> None:
    bot.heartbeat_at -= timedelta(minutes=5)
    bot.save()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["bot"])
    bot.delete()
    assert client.get("/readyz").json()["failing"] == ["bot"]


def test_readyz_misses_the_bot_of_one_shard(client: Client, bot: BotInstance) -> None:
    bot.shard_ids, bot.shard_count = [0], 2
    bot.save()
    assert client.get("/readyz").json()["failing"] == ["bot"]
    second = BotInstance.objects.create(
        name="second", started_at=bot.started_at, heartbeat_at=bot.heartbeat_at,
        is_active=True, shard_ids=[1], shard_count=2,
    )  # fmt: skip
    assert client.get("/readyz").json()["failing"] == []
    second.heartbeat_at -= timedelta(minutes=5)
    second.save()
    assert client.get("/readyz").json()["failing"] == ["bot"]


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("shard_count", [1, 4])
def test_readyz_forgets_a_killed_bot_once_another_is_active(
    client: Client, shard_count: int
) -> None:
    long_ago = timezone.now() - timedelta(hours=1)
    BotInstance.objects.create(
        name="killed", started_at=long_ago, heartbeat_at=long_ago, paused_since=long_ago,
        is_active=True, shard_ids=[0], shard_count=shard_count,
    )  # fmt: skip
    assert client.get("/readyz").json()["failing"] == []


def test_readyz_counts_no_standby_as_a_bot(client: Client, bot: BotInstance) -> None:
    bot.is_active = False
    bot.save()
    assert client.get("/readyz").json()["failing"] == ["bot"]


def test_readyz_tells_that_discord_is_away(client: Client, bot: BotInstance) -> None:
    bot.paused_since = timezone.now() - timedelta(seconds=30)
    bot.save()
    assert client.get("/readyz").status_code == 200
    bot.paused_since -= timedelta(seconds=60)
    bot.save()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["discord"])
    assert answer.json()["seconds"]["discord"] >= 90


@pytest.mark.usefixtures("no_database")
def test_readyz_tells_that_the_database_is_away(client: Client) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["database"])
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db
def test_a_failing_poll_is_no_error_of_the_web(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/readyz").status_code == 503
    assert caplog.records == []


@pytest.mark.parametrize(("path", "status"), [("/readyz", 500), ("/api/v1/notices/", 503)])
def test_any_other_error_of_the_web_is_logged(
    caplog: pytest.LogCaptureFixture, rf: RequestFactory, path: str, status: int
) -> None:
    # These are the fields that Django documents for an error of a request.
    extra = {"request": rf.get(path), "status_code": status}
    logging.getLogger("django.request").error("failed", extra=extra)
    logging.getLogger("django.request").error("without a request")
    assert [record.message for record in caplog.records] == ["failed", "without a request"]


@pytest.mark.usefixtures("bot")
def test_readyz_tells_a_late_fan_out_from_a_late_delivery(client: Client, notice: Notice) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    Notice.objects.filter(pk=notice.pk).update(changed_at=long_ago)
    assert client.get("/readyz").json()["failing"] == ["fan_out"]
    fan_out(notice.pk)
    Delivery.objects.update(due_at=long_ago)
    assert client.get("/readyz").json()["failing"] == ["due"]
