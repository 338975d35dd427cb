"""Answers /metrics for Prometheus, from the database at each scrape.

No process keeps numbers, so every web process answers the same.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import redis
from django.conf import settings
from django.db import Error
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django_q.brokers import get_broker
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from redis.backoff import NoBackoff
from redis.retry import Retry

from notices.delivery import counters
from notices.delivery.due import oldest_due
from notices.delivery.fan_out import oldest_waiting
from notices.models import Attempt, BotInstance, Delivery
from notices.monitoring import health
from notices.outside import clock

# Prometheus waits ten seconds, so a Redis that hangs must not hold up the page.
REDIS_SECONDS = 2.0
OPEN_STATES = (Delivery.State.WAITING, Delivery.State.SENDING, Delivery.State.UNKNOWN)


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer in the format that is asked for. It names bots, but nothing that leaders wrote."""
    registry = CollectorRegistry()
    registry.register(_Collector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type)


class _Collector(Collector):
    def collect(self) -> Iterator[Metric]:
        """Leave out all numbers if the database is away, because old ones would mislead.

        The status stays 200, as with other exporters: a failed scrape means that the web is away.
        """
        yield InfoMetricFamily("studybot_build", "Which studybot this is.", {"version": version()})
        try:
            families = list(_families(clock.now()))
        except Error:
            families = []
        yield _gauge("studybot_database_up", "Whether the database answers.", bool(families))
        yield from families


@cache
def version() -> str:
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _families(now: datetime) -> Iterator[Metric]:
    yield from _counted(counters.read())
    yield from _lateness(now)
    yield from _bots(health.bots_heard_of(now), now)
    yield from _queue()


def _counted(counted: Counter[counters.Key]) -> Iterator[Metric]:
    attempts = CounterMetricFamily(
        "studybot_attempts", "Requests to Discord that ended.", labels=["action", "outcome"]
    )
    for action in Attempt.Action.values:
        for outcome in Attempt.Outcome.values:
            value = counted[counters.ATTEMPTS, f"{action}:{outcome}"]
            attempts.add_metric([action, outcome], value)
    yield attempts
    yield CounterMetricFamily(
        "studybot_rate_limited",
        "Requests that Discord answered with 429.",
        counted[counters.RATE_LIMITED, ""],
    )
    yield HistogramMetricFamily(
        "studybot_publish_to_shown_seconds",
        "From the moment that a notice was to be published to its message in a channel.",
        counters.buckets(counted),
        counted[counters.PUBLISH_TO_SHOWN_SUM, ""] / 1000,
    )
    yield CounterMetricFamily(
        "studybot_pauses", "How often sending paused for Discord.", counted[counters.PAUSES, ""]
    )
    yield CounterMetricFamily(
        "studybot_paused_seconds",
        "How long sending paused for Discord, all pauses together.",
        counted[counters.PAUSED_MILLISECONDS, ""] / 1000,
    )


def _lateness(now: datetime) -> Iterator[Metric]:
    open_deliveries = GaugeMetricFamily(
        "studybot_deliveries", "Deliveries with a request to come or under way.", labels=["state"]
    )
    counts = _open_deliveries()
    for state in OPEN_STATES:
        open_deliveries.add_metric([state], counts[state])
    yield open_deliveries
    yield _gauge(
        "studybot_oldest_not_fanned_out_seconds",
        "The age of the oldest change that the deliveries do not know yet.",
        _seconds(oldest_waiting(now)),
    )
    yield _gauge(
        "studybot_oldest_due_seconds",
        "How late the oldest request is that is due and was not made.",
        _seconds(oldest_due(now)),
    )


def _open_deliveries() -> Counter[str]:
    """Count the open deliveries by state. Partial indexes hold no others."""
    due = Delivery.objects.filter(due_at__isnull=False).order_by()
    creates, changes = (
        due.filter(message_id__isnull=is_create).values_list("state").annotate(Count("pk"))
        for is_create in (True, False)
    )
    counts: Counter[str] = Counter()
    for state, count in creates.union(changes, all=True):
        counts[state] += count
    return counts


def _bots(bots: list[BotInstance], now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "studybot_paused",
        "Whether sending pauses for Discord now.",
        health.pause(bots, now) is not None,
    )
    ages = GaugeMetricFamily(
        "studybot_heartbeat_age_seconds",
        "How long ago a bot was last heard of.",
        labels=["bot", "active", "shards"],
    )
    latencies = GaugeMetricFamily(
        "studybot_gateway_latency_seconds",
        "How long Discord's gateway took to answer the bot's heartbeat.",
        labels=["bot"],
    )
    for bot in bots:
        shards = ",".join(map(str, bot.shards))
        labels = [bot.name, "true" if bot.is_active else "false", shards]
        ages.add_metric(labels, _seconds(now - bot.heartbeat_at))
        if bot.gateway_latency_ms is not None:
            latencies.add_metric([bot.name], bot.gateway_latency_ms / 1000)
    yield ages
    yield latencies


def _queue() -> Iterator[Metric]:
    try:
        length = _queue_length()
    except redis.RedisError:
        length = None
    yield _gauge("studybot_queue_up", "Whether the queue's broker answers.", length is not None)
    if length is not None:
        yield _gauge("studybot_queued_tasks", "Tasks that no qcluster has finished.", length)


def _queue_length() -> int:
    broker = get_broker()
    if isinstance(broker.connection, redis.Redis):
        broker.connection = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
    # The database's broker keeps a task until it is done; Redis drops it once it is taken.
    return int(broker.queue_size() + (broker.lock_size() or 0))


def _gauge(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, float(value))


def _seconds(age: timedelta | None) -> float:
    """Return the seconds; 0 if nothing waits."""
    return max(age.total_seconds(), 0.0) if age else 0.0
