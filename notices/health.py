"""What a load balancer and an operator ask: is the web alive, and which part fails?"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from notices import ledger
from notices.models import BotInstance

# Above these a part is late. A bot polls and says that it is alive every five seconds.
LIMITS = {
    "fan_out": timedelta(seconds=15),
    "due": timedelta(seconds=60),
    "bot": timedelta(seconds=20),
    "discord": timedelta(seconds=60),
}
# A bot that was killed leaves its row behind, and one that cannot start a row a try.
FORGOTTEN = timedelta(days=1)
MOST_BOTS = 100


def healthz(request: HttpRequest) -> JsonResponse:
    """The web process answers. It asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 where every part keeps up, else 503; `failing` names the late ones, ages in seconds."""
    try:
        ages = _ages(timezone.now())
    except Error:
        return JsonResponse({"status": "failing", "failing": ["database"]}, status=503)
    failing = [name for name, age in ages.items() if age is not None and age > LIMITS[name]]
    if ages["bot"] is None:
        failing.append("bot")
    body: dict[str, Any] = {
        "status": "failing" if failing else "ok",
        "failing": failing,
        "seconds": {name: age and round(age.total_seconds(), 3) for name, age in ages.items()},
    }
    return JsonResponse(body, status=503 if failing else 200)


def bots_heard_of(now: datetime) -> list[BotInstance]:
    """The bots of the last day, the last heard first."""
    recent = BotInstance.objects.filter(heartbeat_at__gt=now - FORGOTTEN)
    return list(recent.order_by("-heartbeat_at")[:MOST_BOTS])


def silence(bots: Sequence[BotInstance], now: datetime) -> timedelta | None:
    """For how long the quietest shard was not heard of; null where one has no bot at all.

    `bots` begins with the last heard: how many shards there are now, that one knows.
    """
    active = [bot for bot in bots if bot.is_active]
    count = (active[0].shard_count or 1) if active else 1
    heard: dict[int, datetime] = {}
    for bot in active:
        if (bot.shard_count or 1) == count:
            for shard in bot.shard_ids or [0]:
                heard.setdefault(shard, bot.heartbeat_at)
    return now - min(heard.values()) if len(heard) == count else None


def pause(bots: Sequence[BotInstance], now: datetime) -> timedelta | None:
    """For how long a bot that is alive has waited for Discord; a dead one's word is no news."""
    alive = [bot for bot in bots if bot.is_active and now - bot.heartbeat_at <= LIMITS["bot"]]
    return max((now - bot.paused_since for bot in alive if bot.paused_since), default=None)


def _ages(now: datetime) -> dict[str, timedelta | None]:
    bots = bots_heard_of(now)
    return {
        "fan_out": ledger.oldest_waiting(now),
        "due": ledger.oldest_due(now),
        "bot": silence(bots, now),
        "discord": pause(bots, now),
    }
