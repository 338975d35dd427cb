"""What a load balancer and an operator ask: is the web alive, and which part fails?"""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from notices import ledger
from notices.models import BotInstance

# Above these a part is late: the bot sweeps every few seconds whatever else has stopped.
LATEST_FAN_OUT = timedelta(seconds=15)
LATEST_DUE = timedelta(seconds=60)
LATEST_HEARTBEAT = timedelta(seconds=20)


def healthz(request: HttpRequest) -> JsonResponse:
    """The web process answers. It asks nobody else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 where every part keeps up, else 503; `failing` names the late ones, ages in seconds."""
    try:
        ages = _ages()
    except DatabaseError:
        return JsonResponse({"status": "failing", "failing": ["database"]}, status=503)
    failing = [name for name, (age, limit) in ages.items() if age is not None and age > limit]
    if ages["bot"][0] is None:
        failing.append("bot")
    body: dict[str, Any] = {
        "status": "failing" if failing else "ok",
        "failing": failing,
        "seconds": {name: age and round(age.total_seconds(), 3) for name, (age, _) in ages.items()},
    }
    return JsonResponse(body, status=503 if failing else 200)


def _ages() -> dict[str, tuple[timedelta | None, timedelta]]:
    now = timezone.now()
    heartbeats = BotInstance.objects.filter(is_active=True).order_by("-heartbeat_at")
    heartbeat = heartbeats.values_list("heartbeat_at", flat=True).first()
    return {
        "fan_out": (ledger.oldest_waiting(now), LATEST_FAN_OUT),
        "due": (ledger.oldest_due(now), LATEST_DUE),
        "bot": (now - heartbeat if heartbeat else None, LATEST_HEARTBEAT),
    }
