"""One notice whose data is broken fails, with a reason; everything else goes on."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet, TextField, Value
from django.test import Client
from django.utils import timezone

from notices import actions
from notices.delivery import counters
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.outcomes import Outcome, Weight
from notices.delivery.recovery import record_echo, take_over
from notices.delivery.request import Request
from notices.models import Attempt, CallbackEndpoint, Channel, Delivery, ErrorCode, Notice, Study
from tests.engine_driver import run_until
from tests.fake_transport import FakeTransport

pytestmark = pytest.mark.django_db(transaction=True)

WINDOW = timedelta(seconds=60)


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


def is_status(notice: Notice, wanted: str) -> bool:
    return Notice.objects.get(pk=notice.pk).status == wanted


def step(results: list[Outcome], *, limit: int = 10) -> list[Request]:
    return exchange(
        results, timezone.now(), limit=limit, busy_channels=[], shards=Shards(), window=WINDOW
    )


@pytest.mark.parametrize(
    "attachments",
    [
        [{"id": 1}], [{}], [1], ["x"], [None], [[]], {"id": 1}, "지도.png", 7, True,
        [{"id": 1, "name": "a", "type": "image/png", "size": 3}],
        [{"id": 1, "name": "a", "type": "image/x", "size": 3, "picture": True}],
        [{"id": "x", "name": "a", "type": "image/png", "size": 3, "picture": True}],
        [{"id": 2**70, "name": "a", "type": "text/plain", "size": 3, "picture": False}],
        [{"id": 1, "name": None, "type": None, "size": "x", "picture": False}],
    ],
)  # fmt: skip
def test_malformed_attachments_fail_their_notice_alone(
    notice: Notice,
    other_notice: Notice,
    discord: FakeTransport,
    attachments: Any,
    admin_client: Client,
) -> None:
    Notice.objects.filter(pk=notice.pk).update(attachments=attachments)
    run_until(lambda: is_status(notice, "failed") and is_status(other_notice, "sent"), discord)
    delivery = notice.deliveries.get()
    assert delivery.error_code in (ErrorCode.UNSENDABLE, ErrorCode.FILE_GONE)
    assert delivery.tries == 0
    page = admin_client.get(f"/admin/notices/notice/{notice.pk}/change/")
    assert page.status_code == 200
    assert admin_client.get(f"/api/v1/notices/{notice.pk}/").status_code == 200

    Notice.objects.filter(pk=notice.pk).update(attachments=[])
    run_until(lambda: is_status(notice, "sent"), discord)


@pytest.mark.parametrize("attachments", [[], {}, "", 0, False])
def test_empty_attachments_count_as_none(
    notice: Notice, discord: FakeTransport, attachments: Any
) -> None:
    Notice.objects.filter(pk=notice.pk).update(attachments=attachments)
    run_until(lambda: is_status(notice, "sent"), discord)


@pytest.mark.parametrize("attachments", [[{"id": 1}], {"id": 1}, "x"])
def test_a_shown_notice_with_broken_data_can_be_withdrawn(
    notice: Notice, discord: FakeTransport, attachments: Any
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    Notice.objects.filter(pk=notice.pk).update(attachments=attachments)
    run_until(lambda: is_status(notice, "partly_sent") or is_status(notice, "failed"), discord)
    actions.withdraw(notice)
    run_until(lambda: is_status(notice, "withdrawn"), discord)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a column that takes anything")
@pytest.mark.parametrize("column", ["publish_at", "expires_at", "changed_at"])
@pytest.mark.parametrize("value", ["soon", "9999-99-99 00:00:00"])
def test_a_malformed_moment_fails_its_notice_alone(
    notice: Notice, other_notice: Notice, discord: FakeTransport, column: str, value: str
) -> None:
    QuerySet(Notice).filter(pk=notice.pk).update(**{column: Value(value, TextField())})
    done = Notice.objects.exclude(pk=notice.pk).filter(status="sent")
    failed = Delivery.objects.filter(notice=notice.pk, error_code=ErrorCode.UNSENDABLE)
    run_until(lambda: done.exists() and failed.exists(), discord)


def test_a_fan_out_that_fails_in_qcluster_fails_that_notice(
    notice: Notice, other_notice: Notice, discord: FakeTransport
) -> None:
    """The database refuses one of its rows: here, any delivery of it."""
    with refused(f"NEW.notice_id = {notice.pk} AND NEW.state = 'waiting'", on="notices_delivery"):
        assert fan_out(notice.pk)
        assert fan_out(other_notice.pk)
        assert is_status(notice, "failed")
        assert notice.deliveries.get().error_code == ErrorCode.UNSENDABLE
        run_until(lambda: is_status(other_notice, "sent"), discord)


def test_the_sweep_finds_the_culprit_among_the_others(
    notice: Notice, other_notice: Notice, discord: FakeTransport
) -> None:
    with refused(f"NEW.notice_id = {notice.pk} AND NEW.state = 'waiting'", on="notices_delivery"):
        run_until(lambda: is_status(notice, "failed") and is_status(other_notice, "sent"), discord)


def test_the_claim_finds_the_culprit_among_the_others(
    notice: Notice, other_notice: Notice, discord: FakeTransport
) -> None:
    fan_out(notice.pk)
    culprit = notice.deliveries.get().pk
    with refused(f"NEW.delivery_id = {culprit}", on="notices_attempt"):
        run_until(lambda: is_status(notice, "failed") and is_status(other_notice, "sent"), discord)
    assert notice.deliveries.get().error_code == ErrorCode.UNSENDABLE


def test_an_outcome_that_cannot_be_written_holds_up_no_other(
    notice: Notice, other_notice: Notice, discord: FakeTransport
) -> None:
    """Two answers name the same message: only one can be right."""
    fan_out(notice.pk)
    fan_out(other_notice.pk)
    requests = step([])
    results = [
        Outcome(one, Attempt.Outcome.SHOWN, timezone.now(), message_id=77, revision=1)
        for one in requests
    ]
    step(results, limit=0)
    states = Delivery.objects.values_list("state", "error_code").order_by("state")
    assert list(states) == [("failed", ErrorCode.UNSENDABLE), ("sent", None)]
    assert not Attempt.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("revision", [2**70, 10**30])
def test_an_event_with_too_large_a_number_is_recorded_nowhere(
    notice: Notice, discord: FakeTransport, revision: int
) -> None:
    fan_out(notice.pk)
    nonce = notice.deliveries.get().nonce
    assert not record_echo(nonce, 77, revision, timezone.now())
    run_until(lambda: is_status(notice, "sent"), discord)


def test_a_callback_that_cannot_be_written_holds_up_no_notice(
    notice: Notice, study: Study, discord: FakeTransport
) -> None:
    endpoint = CallbackEndpoint.objects.create(url="http://127.0.0.1:9/", all_studies=True)
    CallbackEndpoint.objects.filter(pk=endpoint.pk).update(events=5)
    run_until(lambda: is_status(notice, "sent"), discord)


def test_an_outcome_is_counted_once_though_it_is_written_twice(
    notice: Notice, channel: Channel
) -> None:
    """The answer to the first commit was lost."""
    fan_out(notice.pk)
    (request,) = step([])
    result = Outcome(request, Attempt.Outcome.SHOWN, timezone.now(), message_id=77, revision=1)
    for _time in range(2):
        step([result], limit=0)
    assert counted() == {"create:shown": 1}


def test_an_outcome_is_counted_once_though_a_takeover_came_first(notice: Notice) -> None:
    fan_out(notice.pk)
    (request,) = step([])
    take_over(timezone.now(), Shards())
    result = Outcome(
        request, Attempt.Outcome.TRANSIENT, timezone.now(), code=429, weight=Weight.NOTHING
    )
    step([result], limit=0)
    assert counted() == {"create:unknown": 1}
    assert counters.read()[counters.RATE_LIMITED, ""] == 0


def counted() -> dict[str, int]:
    return {label: value for (name, label), value in counters.read().items() if name == "attempts"}


class refused:  # noqa: N801 (reads as a verb)
    """The database refuses rows that meet the condition, as it does for any broken constraint."""

    def __init__(self, condition: str, *, on: str) -> None:
        self._condition = condition
        self._table = on

    def __enter__(self) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in self._statements():
                cursor.execute(statement)

    def __exit__(self, *_error: object) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"DROP TRIGGER refused ON {self._table}"
                if connection.vendor == "postgresql"
                else "DROP TRIGGER refused"
            )

    def _statements(self) -> list[str]:
        if connection.vendor == "postgresql":
            return [
                "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
                "BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'check_violation'; END $$",
                f"CREATE TRIGGER refused BEFORE INSERT ON {self._table} FOR EACH ROW "
                f"WHEN ({self._condition}) EXECUTE FUNCTION refuse()",
            ]
        return [
            f"CREATE TRIGGER refused BEFORE INSERT ON {self._table} FOR EACH ROW "
            f"WHEN {self._condition} BEGIN SELECT RAISE(ABORT, 'refused'); END"
        ]
