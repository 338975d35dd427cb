"""/healthz says that the web answers; /readyz which part is late."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from notices import ledger
from notices.models import BotInstance, Delivery, Notice


@pytest.fixture
def bot(db: None) -> BotInstance:
    now = timezone.now()
    return BotInstance.objects.create(
        name="bot", started_at=now, heartbeat_at=now, is_active=True, gateway_latency_ms=20
    )


def test_healthz_asks_nobody(client: Client) -> None:
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


@pytest.mark.usefixtures("bot")
def test_readyz_tells_a_late_fan_out_from_a_late_delivery(client: Client, notice: Notice) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    Notice.objects.filter(pk=notice.pk).update(changed_at=long_ago)
    assert client.get("/readyz").json()["failing"] == ["fan_out"]
    ledger.fan_out(notice.pk)
    Delivery.objects.update(due_at=long_ago)
    assert client.get("/readyz").json()["failing"] == ["due"]
