"""Fills one database for `growth` to the size asked for, then measures on demand.

It reads lines, and writes a line of JSON for each, the first once the database is filled.
"""

import json
import os
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "studybot.settings"
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.old_rows import CHANNELS_PER_STUDY, Past, add  # noqa: E402
from notices.delivery.due import Shards  # noqa: E402
from notices.delivery.exchange import exchange  # noqa: E402
from notices.delivery.fan_out import fan_out  # noqa: E402
from notices.delivery.outcomes import Outcome  # noqa: E402
from notices.delivery.request import Request  # noqa: E402
from notices.models import ApiKey, Attempt, Notice  # noqa: E402

PAST = Past(first_study=1001, studies=10, begin=datetime(2015, 1, 1, tzinfo=UTC))
# One notice in each study at a time: as many deliveries are due as there are channels.
DUE = PAST.studies * CHANNELS_PER_STUDY
LED = (PAST.first_study, PAST.first_study + 1)
REPEATS = 2
WINDOW = timedelta(seconds=60)
HOST = "127.0.0.1"
LATER_THAN_THE_PAST = 2 * 10**18

step = partial(exchange, busy_channels=(), shards=Shards(), window=WINDOW)


def main() -> None:
    call_command("migrate", verbosity=0)
    began = time.monotonic()
    PAST.create()
    add(PAST, int(sys.argv[1]))
    _settle_down()
    answer({"seconds": round(time.monotonic() - began), "megabytes": _megabytes()})
    pages = _pages()
    for _line in sys.stdin:
        answer(_measure(pages))


def answer(answered: Any) -> None:
    print(json.dumps(answered), flush=True)


def _settle_down() -> None:
    """Let the database finish the work of the fill before it is measured."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
            cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
            if cursor.fetchone() == (True,):
                cursor.execute("CHECKPOINT")
        else:
            cursor.execute("ANALYZE")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _megabytes() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return int(cursor.fetchone()[0]) >> 20
    return os.stat(connection.settings_dict["NAME"]).st_size >> 20


def _measure(pages: dict[str, Callable[[], Any]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}

    def timed(what: str, call: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        done = call()
        times.setdefault(what, []).append(round((time.perf_counter() - began) * 1000, 2))
        return done

    for _n in range(REPEATS):
        _publish(timed)
        now = timezone.now()
        requests = timed(f"claim of {DUE}", partial(step, [], now, limit=DUE))
        assert len(requests) == DUE, len(requests)
        results = _shown(requests)
        timed(f"{DUE} outcomes and their statuses", partial(step, results, now, limit=0))
        for what, page in pages.items():
            timed(what, page)
    return times


def _publish(timed: Callable[[str, Callable[[], Any]], Any]) -> None:
    for study in range(PAST.first_study, PAST.first_study + PAST.studies):
        moment = timezone.now()
        notice = Notice.objects.create(study_id=study, title="Now", content="…", publish_at=moment)
        notice.channels.set(PAST.channels_of(study))
        timed("fan-out of one notice", partial(fan_out, notice.pk))


def _shown(requests: list[Request]) -> list[Outcome]:
    now = timezone.now()
    # They grow with time, as Discord's ids do.
    first = LATER_THAN_THE_PAST + time.time_ns() // 1000
    return [
        Outcome(request, Attempt.Outcome.SHOWN, now, message_id=first + n, revision=1)
        for n, request in enumerate(requests)
    ]


def _pages() -> dict[str, Callable[[], Any]]:
    site_admin = Client(SERVER_NAME=HOST)
    site_admin.force_login(User.objects.create_superuser("admin"))
    user = User.objects.create_user("leader")
    user.studies.set(LED)
    leader = Client(SERVER_NAME=HOST)
    leader.force_login(user)
    key = ApiKey(name="two studies")
    secret = ApiKey.objects.assign_key(key)
    key.save()
    key.studies.set(LED)
    frontend = Client(headers={"X-API-Key": secret}, SERVER_NAME=HOST)
    middle = Notice.objects.values_list("pk", flat=True)[Notice.objects.count() // 2]
    cursor = b64encode(f"p={middle}".encode()).decode()
    notices = "/admin/notices/notice/"
    api = "/api/v1/notices/"
    return {
        "list of a site admin": _page(site_admin, notices),
        "list of a leader of two studies": _page(leader, notices),
        "her list of what failed": _page(leader, notices, status="failed"),
        "API, first page of two studies": _page(frontend, api),
        "API, a page in the middle": _page(frontend, api, cursor=cursor),
        "/readyz": partial(Client(SERVER_NAME=HOST).get, "/readyz"),
    }


def _page(client: Client, path: str, **query: str) -> Callable[[], Any]:
    def page() -> None:
        answer = client.get(path, query)
        assert answer.status_code == 200, answer.content

    return page


if __name__ == "__main__":
    main()
