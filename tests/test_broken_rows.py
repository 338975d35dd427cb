"""A row whose data is broken breaks no page of the desk, no answer of the API and no upkeep.

A change in bulk, or whoever has the database, may write what no form of ours lets through.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import JSONField, Value
from django.db.models.expressions import RawSQL
from django.test import Client
from django.utils import timezone

from notices.callbacks import sending
from notices.delivery.due import Shards
from notices.delivery.fan_out import sweep
from notices.delivery.recovery import pauses
from notices.models import (
    Attempt,
    BotInstance,
    CallbackEndpoint,
    Change,
    Channel,
    Delivery,
    KeptAnswer,
    Notice,
    Pause,
    Study,
)
from notices.upkeep import pruning
from tests.api.conftest import client_with, key_for
from tests.api.test_ugly_values import check
from tests.desk.conftest import logged_in

pytestmark = pytest.mark.django_db

FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
A_FILE = {"id": 1, "name": "a", "type": "image/png", "size": 3, "picture": True}

Broken = tuple[type[Any], str, Any]


def each(table: type[Any], column: str, *values: Any) -> list[Broken]:
    return [(table, column, value) for value in values]


def each_json(table: type[Any], column: str, *values: Any) -> list[Broken]:
    return each(table, column, *(Value(value, JSONField()) for value in values))


BROKEN: list[Broken] = [
    *each_json(
        Notice, "attachments",
        [{"id": 1}], ["x"], {}, None, 5, "x", [A_FILE, None], [A_FILE | {"id": 2**70}],
        [A_FILE | {"id": True}], [A_FILE | {"size": 2**2000}], [A_FILE | {"type": "image/x"}],
        [A_FILE] * 2000,
    ),
    *each(Notice, "publish_at", FIRST, LAST),
    *each(Notice, "expires_at", LAST),
    *each(Notice, "changed_at", FIRST, LAST),
    *each(Notice, "title", " ", "\u3164"),
    *each(Notice, "content", "가" * 10_000, "\u200b"),
    *each(Notice, "url", "no address", "javascript:alert(1)", "https://[x"),
    *each(Notice, "image", "http://[x"),
    *each(Notice, "ping", "role"),
    *each(Study, "time_zone", "Nowhere/Gone", "", "Asia", "../x"),
    *each(Study, "ping_role_id", 1),
    *each(Channel, "type", 99),
    *each(Channel, "guild_id", -1),
    *each(Channel, "timed_out_until", LAST),
    *each(Delivery, "due_at", FIRST, LAST),
    *each(Delivery, "unknown_since", FIRST, LAST),
    *each(Delivery, "expires_at", FIRST),
    *each(Delivery, "setbacks", 32767),
    *each(Delivery, "error_code", -5),
    *each(Attempt, "begun_at", FIRST, LAST),
    *each_json(
        Change, "differences",
        5, "x", None, [], ["study_id"], {"title": "x"}, {"title": [1]}, {"title": [1, {}]},
        {"content": [None, "x"]}, {"study_id": [[], {}]}, {"study_id": 5}, {"channels": 5},
        {"channels": [["x"], None]}, {"channels": [[2**70], []]}, {"publish_at": ["soon", 5]},
        {"publish_at": [FIRST.isoformat(), LAST.isoformat()]}, {"attachments": [5, [1]]},
        {"url": [{}, []]}, {"publish_at": ["2026-01-01", None]},
    ),
    *each_json(Change, "channel_ids", 5, "x", None, {"a": 1}, [[1]], [2**70], [None]),
    *each(Change, "at", LAST),
    *each_json(BotInstance, "shard_ids", 5, "x", {}, [None], [[1]], True),
    *each(BotInstance, "heartbeat_at", FIRST, LAST),
    *each(BotInstance, "paused_since", LAST),
    *each_json(CallbackEndpoint, "events", 5, "x", None, {}, [None], [[1]]),
    *each(CallbackEndpoint, "rests_until", LAST),
    *each_json(KeptAnswer, "headers", 5, None),
    *each(KeptAnswer, "body", "x", "[]", "{}"),
    *each(KeptAnswer, "status", 0, 9999),
    *each(Pause, "until", FIRST, LAST),
]  # fmt: skip
if connection.vendor == "sqlite":  # PostgreSQL takes none of these
    NO_UTF8 = RawSQL("CAST(x'41ff' AS TEXT)", ())
    BROKEN += [
        *each(Notice, "title", NO_UTF8),
        *each(Notice, "content", NO_UTF8),
        *each(Notice, "author", NO_UTF8),
        *each(Channel, "name", NO_UTF8),
        *each(Delivery, "error_detail", NO_UTF8),
        *each(Attempt, "detail", NO_UTF8),
        *each(Notice, "title", "\0"),
        *each(Notice, "content", "가\0나"),
        *each_json(Notice, "attachments", [A_FILE | {"name": "\ud800"}]),
        *each(Study, "time_zone", "\0"),
        *each(Channel, "name", "a\0b"),
        *each_json(Change, "differences", {"title": ["\ud800", "\0"]}),
    ]  # fmt: skip


def named(broken: Broken) -> str:
    table, column, value = broken
    return f"{table.__name__}.{column}={getattr(value, 'value', value)!r}"[:80]


LIST, NOTICE = "/admin/notices/notice/", "/admin/notices/notice/{notice}/"
READERS: dict[type[Any], tuple[str, ...]] = {
    Notice: (
        "/admin/", LIST, f"{NOTICE}change/", f"{NOTICE}history/",
        "/admin/notices/notice/{draft}/change/", "/api/v1/notices/", "/api/v1/notices/{notice}/",
        "/api/v1/notices/{notice}/events/", "/metrics",
    ),
    Study: (
        "/admin/", f"{LIST}?from=2026-01-01", f"{LIST}add/", f"{NOTICE}change/",
        f"{NOTICE}history/", "/admin/notices/notice/{scheduled}/change/",
        "/admin/notices/study/{study}/change/", "/api/v1/studies/",
    ),
    Channel: (
        f"{NOTICE}change/", "/admin/notices/channel/{channel}/change/", "/api/v1/channels/",
    ),
    Delivery: ("/admin/", f"{NOTICE}change/", "/api/v1/notices/{notice}/", "/metrics"),
    Attempt: (f"{NOTICE}change/", f"{NOTICE}history/", "/api/v1/notices/{notice}/attempts/"),
    Change: (f"{NOTICE}change/", f"{NOTICE}history/", "/api/v1/notices/{notice}/attempts/"),
    BotInstance: (
        "/admin/", "/admin/notices/botinstance/", "/admin/notices/botinstance/{bot}/change/",
        "/metrics",
    ),
    CallbackEndpoint: (
        "/admin/notices/callbackendpoint/",
        "/admin/notices/callbackendpoint/{endpoint}/change/", "/api/v1/callbacks/",
    ),
    KeptAnswer: (),
    Pause: ("/metrics",),
}  # fmt: skip


@pytest.fixture
def rows(study: Study, notice: Notice, channel: Channel) -> dict[str, int]:
    """A row of each table, by what stands for it in an address."""
    now = timezone.now()
    draft = Notice.objects.create(study=study, title="다음 모임", content="추후 공지")
    draft.channels.add(channel)
    scheduled = Notice.objects.create(
        study=study, title="곧", content="글", publish_at=now + timedelta(days=2)
    )
    delivery = Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, due_at=now, state="unknown", unknown_since=now
    )
    Attempt.objects.create(
        delivery=delivery, action="create", nonce="a", claim=1, begun_at=now, ended_at=now,
        outcome="unknown", code=500,
    )  # fmt: skip
    for deed in ("changed", "sent_again"):
        Change.objects.create(
            notice=notice, deed=deed, revision=1, channel_ids=[channel.pk],
            differences={"study_id": [study.pk, study.pk]},
        )  # fmt: skip
    bot = BotInstance.objects.create(name="bot", started_at=now, heartbeat_at=now, is_active=True)
    endpoint = CallbackEndpoint.objects.create(url="https://example.com/", all_studies=True)
    Pause.objects.create(channel_id=channel.pk, until=now)
    return {
        "notice": notice.pk, "draft": draft.pk, "scheduled": scheduled.pk, "study": study.pk,
        "channel": channel.pk, "bot": bot.pk, "endpoint": endpoint.pk,
    }  # fmt: skip


@pytest.fixture
def frontend(study: Study, settings: Any) -> Any:
    settings.EVENT_STREAM_SECONDS = 0
    settings.API_RATE = None
    return client_with(key_for(study, all_studies=True))


# `make test` tries every third of them.
@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(one, id=named(one), marks=pytest.mark.exhaustive if number % 3 else ())
        for number, one in enumerate(BROKEN)
    ],
)
def test_a_broken_row_breaks_nothing_else(
    rows: dict[str, int], frontend: Any, site_admin: User, broken: Broken
) -> None:
    written = {"study_id": rows["study"], "title": "제목", "content": "글", "publish_at": None}
    send = {"format": "json", "headers": {"Idempotency-Key": "a"}}
    frontend.post("/api/v1/notices/", written, **send)
    table, column, value = broken
    assert table.objects.order_by().update(**{column: value})

    desk: Client = logged_in(site_admin)
    for address in READERS[table]:
        reader = frontend if address.startswith("/api/") else desk
        answer = reader.get(address.format(**rows))
        assert answer.status_code == 200, address
        check(answer, address)
    again = frontend.post("/api/v1/notices/", written, **send)
    assert again.status_code == (409 if table is KeptAnswer else 201)

    for one in (rows["notice"], rows["draft"]) if table in (Notice, Study) else ():
        assert desk.post(f"/admin/notices/notice/{one}/do/duplicate/").status_code == 302
        check(frontend.patch(f"/api/v1/notices/{one}/", {"author": "민지"}, format="json"), one)
    check(frontend.post(f"/api/v1/notices/{rows['notice']}/withdraw/"), "withdraw")
    now = timezone.now()
    sweep(now, limit=10)
    pauses(now, Shards())
    sending.send_due()
    pruning.prune(now + timedelta(days=400), seconds=5)
