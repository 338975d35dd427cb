"""Answers a load balancer and an operator: is the web alive, and which part is late?"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import Error
from django.http import HttpRequest, JsonResponse

from notices.delivery.due import oldest_due
from notices.delivery.fan_out import oldest_waiting
from notices.models import BotInstance
from notices.outside import clock

# A part that takes longer is late. A bot polls and reports every five seconds.
LIMITS = {
    "fan_out": timedelta(seconds=15),
    "due": timedelta(seconds=60),
    "bot": timedelta(seconds=20),
    "discord": timedelta(seconds=60),
}
# A killed bot leaves its row behind, and one that cannot start leaves one at each try.
FORGOTTEN = timedelta(days=1)
MOST_BOTS = 100


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that the web process is alive, without asking anything else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 if every part keeps up, else 503 with the late ones in `failing`."""
    try:
        ages = _ages(clock.now())
    except Error:
        return JsonResponse({"status": "failing", "failing": ["database"]}, status=503)
    failing = [name for name, age in ages.items() if age is not None and age > LIMITS[name]]
    if ages["bot"] is None:
        failing.append("bot")
    body: dict[str, object] = {
        "status": "failing" if failing else "ok",
        "failing": failing,
        "seconds": {name: age and round(age.total_seconds(), 3) for name, age in ages.items()},
    }
    return JsonResponse(body, status=503 if failing else 200)


def bots_heard_of(now: datetime) -> list[BotInstance]:
    """Return the bots of the last day, the one heard last first."""
    recent = BotInstance.objects.filter(heartbeat_at__gt=now - FORGOTTEN)
    return list(recent.order_by("-heartbeat_at")[:MOST_BOTS])


def silence(bots: Sequence[BotInstance], now: datetime) -> timedelta | None:
    """Return how long the quietest shard was not heard; None if a shard has no bot.

    `bots` begins with the one heard last, whose number of shards counts.
    """
    active = [bot for bot in bots if bot.is_active]
    count = (active[0].shard_count or 1) if active else 1
    heard: dict[int, datetime] = {}
    for bot in active:
        if (bot.shard_count or 1) == count:
            for shard in bot.shards:
                heard.setdefault(shard, bot.heartbeat_at)
    return now - min(heard.values()) if len(heard) == count else None


def pause(bots: Sequence[BotInstance], now: datetime) -> timedelta | None:
    """Return how long a live bot has waited for Discord. Dead bots do not count."""
    alive = [bot for bot in bots if bot.is_active and now - bot.heartbeat_at <= LIMITS["bot"]]
    return max((now - bot.paused_since for bot in alive if bot.paused_since), default=None)


def _ages(now: datetime) -> dict[str, timedelta | None]:
    bots = bots_heard_of(now)
    return {
        "fan_out": oldest_waiting(now),
        "due": oldest_due(now),
        "bot": silence(bots, now),
        "discord": pause(bots, now),
    }
