"""/metrics: what Prometheus reads is well formed, complete from the start, cheap and documented."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.conf import Conf
from django_q.tasks import async_task
from prometheus_client import Metric
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from notices.delivery import counters
from notices.delivery.fan_out import fan_out
from notices.models import Attempt, BotInstance, Channel, Delivery, Notice, Study

OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"


@pytest.fixture
def bot(db: None) -> BotInstance:
    now = timezone.now()
    return BotInstance.objects.create(
        name="host:1", started_at=now, heartbeat_at=now, is_active=True, gateway_latency_ms=20
    )


@pytest.fixture
def queue(db: None) -> Iterator[Broker]:
    """An empty queue that is emptied again: on Redis the next test would find its tasks."""
    broker = get_broker()
    broker.delete_queue()
    yield broker
    broker.delete_queue()


class Page:
    """The samples of a scrape."""

    def __init__(self, client: Client) -> None:
        answer = client.get("/metrics")
        assert answer.status_code == 200
        self.text = answer.content.decode()
        self.families: dict[str, Metric] = {
            family.name: family for family in text_string_to_metric_families(self.text)
        }

    def value(self, name: str, **labels: str) -> float | None:
        found = [
            sample.value
            for family in self.families.values()
            for sample in family.samples
            if sample.name == name and sample.labels == labels
        ]
        assert len(found) <= 1
        return found[0] if found else None


# --- counters ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_counters_begin_at_0_so_that_the_first_event_has_a_rate(client: Client) -> None:
    page = Page(client)
    for action in Attempt.Action.values:
        for outcome in Attempt.Outcome.values:
            assert page.value("studybot_attempts_total", action=action, outcome=outcome) == 0
    for name in ("rate_limited_total", "pauses_total", "paused_seconds_total"):
        assert page.value(f"studybot_{name}") == 0
    assert page.value("studybot_publish_to_shown_seconds_count") == 0


@pytest.mark.django_db
def test_it_tells_the_counters(client: Client) -> None:
    counters.add({
        (counters.ATTEMPTS, "create:shown"): 7, (counters.RATE_LIMITED, ""): 2,
        (counters.PAUSES, ""): 3, (counters.PAUSED_MILLISECONDS, ""): 4500,
    })  # fmt: skip
    page = Page(client)
    assert page.value("studybot_attempts_total", action="create", outcome="shown") == 7
    assert page.value("studybot_rate_limited_total") == 2
    assert page.value("studybot_pauses_total") == 3
    assert page.value("studybot_paused_seconds_total") == 4.5


@pytest.mark.django_db
def test_delays_are_a_histogram(client: Client) -> None:
    counters.add(counters.of_outcomes([], [0.02, 0.04, 7200.0]))
    page, name = Page(client), "studybot_publish_to_shown_seconds"
    assert page.value(f"{name}_bucket", le="0.025") == 1
    assert page.value(f"{name}_bucket", le="3600.0") == 2
    assert page.value(f"{name}_bucket", le="+Inf") == 3
    assert page.value(f"{name}_count") == 3
    assert page.value(f"{name}_sum") == 7200.06


# --- gauges --------------------------------------------------------------------------------


def test_open_deliveries_are_counted_by_state(client: Client, notice: Notice) -> None:
    fan_out(notice.pk)
    page = Page(client)
    assert page.value("studybot_deliveries", state="waiting") == 1
    assert page.value("studybot_deliveries", state="sending") == 0
    Delivery.objects.update(shown=1, message_id=1)  # an edit to come
    assert Page(client).value("studybot_deliveries", state="waiting") == 1
    Delivery.objects.update(state=Delivery.State.SENT, due_at=None)
    assert Page(client).value("studybot_deliveries", state="waiting") == 0


def test_it_tells_how_long_the_oldest_work_has_waited(client: Client, notice: Notice) -> None:
    not_fanned_out, due = "studybot_oldest_not_fanned_out_seconds", "studybot_oldest_due_seconds"
    long_ago = timezone.now() - timedelta(hours=1)
    Notice.objects.filter(pk=notice.pk).update(changed_at=long_ago)
    page = Page(client)
    assert page.value(not_fanned_out) == pytest.approx(3600, abs=60)
    assert page.value(due) == 0
    fan_out(notice.pk)
    Delivery.objects.update(due_at=long_ago)
    page = Page(client)
    assert page.value(not_fanned_out) == 0
    assert page.value(due) == pytest.approx(3600, abs=60)


def test_a_bot_tells_its_heartbeat_and_its_latency(client: Client, bot: BotInstance) -> None:
    BotInstance.objects.create(
        name="host:2", started_at=bot.started_at, shard_ids=[1, 2], shard_count=3,
        heartbeat_at=timezone.now() - timedelta(minutes=10),
    )  # fmt: skip
    page, name = Page(client), "studybot_heartbeat_age_seconds"
    fresh = page.value(name, bot="host:1", active="true", shards="0")
    quiet = page.value(name, bot="host:2", active="false", shards="1,2")
    assert fresh == pytest.approx(0, abs=60)
    assert quiet == pytest.approx(600, abs=60)
    assert page.value("studybot_gateway_latency_seconds", bot="host:1") == 0.02
    assert page.value("studybot_gateway_latency_seconds", bot="host:2") is None


def test_a_bot_that_waits_for_discord_says_so(client: Client, bot: BotInstance) -> None:
    assert Page(client).value("studybot_paused") == 0
    bot.paused_since = timezone.now()
    bot.save()
    assert Page(client).value("studybot_paused") == 1


def test_the_pause_of_a_dead_bot_is_not_reported(client: Client, bot: BotInstance) -> None:
    bot.paused_since = bot.heartbeat_at = timezone.now() - timedelta(minutes=10)
    bot.save()
    assert Page(client).value("studybot_paused") == 0


def test_bots_of_long_ago_are_left_out(client: Client, bot: BotInstance) -> None:
    bot.heartbeat_at -= timedelta(days=2)
    bot.save()
    assert Page(client).families["studybot_heartbeat_age_seconds"].samples == []


@pytest.mark.django_db
def test_tasks_count_until_they_are_done(client: Client, queue: Broker) -> None:
    page = Page(client)
    assert (page.value("studybot_queue_up"), page.value("studybot_queued_tasks")) == (1, 0)
    async_task("notices.tasks.fan_out_notice", 1)
    async_task("notices.tasks.fan_out_notice", 2)
    assert Page(client).value("studybot_queued_tasks") == 2
    if Conf.ORM:
        queue.dequeue()  # a qcluster that took one and is stuck
        assert Page(client).value("studybot_queued_tasks") == 2


# --- parts that are away -------------------------------------------------------------------


@pytest.mark.usefixtures("no_database")
def test_it_tells_only_that_the_database_is_away(client: Client) -> None:
    page = Page(client)
    assert page.value("studybot_database_up") == 0
    assert page.families.keys() == {"studybot_build_info", "studybot_database_up"}


@pytest.mark.django_db
@pytest.mark.parametrize("listens", [False, True], ids=["refuses", "hangs"])
def test_it_tells_all_else_without_redis(
    client: Client, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if listens:
            listener.listen()
        settings.REDIS_URL = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        monkeypatch.setattr(Conf, "ORM", None)
        monkeypatch.setattr(Conf, "REDIS", settings.REDIS_URL)
        page = Page(client)
    assert page.value("studybot_queue_up") == 0
    assert page.value("studybot_queued_tasks") is None
    assert page.value("studybot_database_up") == 1
    assert page.value("studybot_pauses_total") == 0


# --- what it costs -------------------------------------------------------------------------


@pytest.mark.usefixtures("bot", "notice")
def test_the_number_of_queries_does_not_grow(
    client: Client, study: Study, django_assert_num_queries: Any
) -> None:
    with CaptureQueriesContext(connection) as few:
        Page(client)
    assert len(few) <= 8
    make_history(study, 40)
    with django_assert_num_queries(len(few)):
        Page(client)


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
@pytest.mark.usefixtures("bot")
def test_it_reads_the_partial_indexes_and_never_the_history(
    client: Client, study: Study, path: str
) -> None:
    make_history(study, 40)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    queries = [
        query["sql"]
        for query in captured
        if "notices_delivery" in query["sql"] or "notices_notice" in query["sql"]
    ]
    assert len(queries) >= 2
    for sql in queries:
        assert reads_whole_tables(sql) == []


def make_history(study: Study, count: int) -> None:
    """Make as many notices that are being sent as notices that were, and bots and tallies."""
    now = timezone.now()
    Channel.objects.bulk_create(Channel(id=n) for n in range(1, count + 1))
    notice = Notice.objects.create(study=study, title="7주차", content="모임", publish_at=now)
    settled = {"state": Delivery.State.SENT, "wanted": 1, "shown": 1}
    Delivery.objects.bulk_create(
        Delivery(notice=notice, channel_id=n, due_at=now)
        if n % 2
        else Delivery(notice=notice, channel_id=n, message_id=n, **settled)
        for n in range(1, count + 1)
    )
    BotInstance.objects.bulk_create(
        BotInstance(name=f"host:{n + 10}", started_at=now, heartbeat_at=now) for n in range(count)
    )
    counters.add({("attempts", f"{n}"): 1 for n in range(count)})


def reads_whole_tables(sql: str) -> list[str]:
    """The lines of the plan that read a table without an index made for the query."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # PostgreSQL reads a small table whole by choice: without that, can an index answer?
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            return [line for (line,) in cursor if "Seq Scan" in line]
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        tables = [detail for *_ids, detail in cursor if "notices_" in detail]
        partial = ("delivery_due_create", "delivery_due_change", "notice_to_fan_out")
        asked_of_each = ("SEARCH pause USING INDEX",)
        return [line for line in tables if not any(n in line for n in partial + asked_of_each)]


# --- who may read it, and what ---------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_it_names_nothing_that_people_wrote(client: Client, notice: Notice) -> None:
    fan_out(notice.pk)
    text = Page(client).text
    channel = notice.channels.get()
    for name in (notice.title, notice.study.name, channel.name, channel.guild_name, "minji"):
        assert name not in text
    assert str(channel.pk) not in text


@pytest.mark.django_db
def test_it_is_not_sent_to_https(client: Client, settings: LazySettings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/metrics").status_code == 200


@pytest.mark.usefixtures("bot")
def test_it_answers_in_openmetrics_on_request(client: Client) -> None:
    assert client.get("/metrics")["Content-Type"].startswith("text/plain; version=0.0.4")
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = client.get("/metrics", headers={"accept": accept})
    assert answer["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    text = answer.content.decode()
    families = openmetrics.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"studybot_attempts", "studybot_build"}


# --- docs/operations.md ----------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
def test_the_docs_list_exactly_the_metrics_that_exist(client: Client) -> None:
    told = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in Page(client).families.values()
    }
    rows = re.findall(r"^\| `(studybot_\w+)", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(told)


@pytest.mark.usefixtures("bot")
def test_each_alarm_uses_known_metrics_and_has_a_remedy(client: Client) -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    told = {sample.name for family in Page(client).families.values() for sample in family.samples}
    (rules,) = re.findall(r"```yaml\n(groups:.*?)```", text, re.DOTALL)
    assert set(re.findall(r"studybot_\w+", rules)) <= told
    alarms = re.findall(r"- alert: (\w+)", rules)
    assert alarms
    assert re.findall(r"^\| `(Studybot\w+)`", text, re.MULTILINE) == alarms
