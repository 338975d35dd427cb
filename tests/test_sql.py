"""A statement by hand says the same to both databases."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from notices.models import Attempt, Channel, Delivery, Notice, Tally
from notices.sql import CompiledQuery, Parameter, Select, Statement

MOMENT = datetime(2026, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)

# The columns that the INSERTs by hand always name.
BROUGHT_BY_THE_ROWS = {
    Delivery: {"notice_id", "channel_id", "state", "nonce", "changed_at"},
    Attempt: {"delivery_id", "action", "nonce", "claim", "begun_at"},
    Tally: {"name", "label", "value"},
}


@dataclass
class SeenChannel:
    id: int
    name: str
    seen_at: datetime | None


@pytest.mark.django_db
def test_it_takes_a_list_of_ids_and_locks_what_it_finds() -> None:
    for pk in (1, 2, 3):
        Channel.objects.create(pk=pk, name=f"channel-{pk}", seen_at=MOMENT if pk == 1 else None)
    seen = Select(
        SeenChannel,
        """
        SELECT {columns} FROM notices_channel
        WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id FOR UPDATE
        """,
    )
    with transaction.atomic():
        found = seen.rows(ids={1, 3, 4})
    assert found == [SeenChannel(1, "channel-1", MOMENT), SeenChannel(3, "channel-3", None)]
    assert seen.rows(ids=[]) == []


@pytest.mark.django_db
def test_it_takes_rows_with_values_of_their_own() -> None:
    for pk in (1, 2, 3):
        Channel.objects.create(pk=pk, name="old", seen_at=MOMENT)
    rename = Statement(
        """
        UPDATE notices_channel SET name = given.name, seen_at = given.seen_at
        FROM jsonb_to_recordset(%(rows)s::jsonb) AS given(
            id bigint, name text, seen_at timestamptz
        )
        WHERE notices_channel.id = given.id
        RETURNING notices_channel.id
        """
    )
    rows = [{"id": 1, "name": "{공지}'", "seen_at": MOMENT}, {"id": 2, "name": "", "seen_at": None}]
    assert sorted(rename.fetch(rows=rows)) == [(1,), (2,)]
    named = Channel.objects.order_by("pk").values_list("name", "seen_at")
    assert list(named) == [("{공지}'", MOMENT), ("", None), ("old", MOMENT)]


@pytest.mark.django_db
def test_a_state_is_written_by_its_name(notice: Notice) -> None:
    queued = Statement(
        "SELECT id FROM notices_notice WHERE status = '{Status.QUEUED}' AND publish_at <= %(now)s",
        Status=Notice.Status,
    )
    Notice.objects.update(publish_at=MOMENT)
    assert queued.fetch(now=MOMENT) == [(notice.pk,)]
    with pytest.raises(AttributeError):
        Statement("SELECT '{Status.UNHEARD_OF}'", Status=Notice.Status)


@pytest.mark.parametrize("model", BROUGHT_BY_THE_ROWS, ids=lambda model: model.__name__)
def test_a_new_column_breaks_no_insert(model: type[Model]) -> None:
    """It is null, or the database has its default."""
    required = {
        one.attname
        for one in model._meta.concrete_fields
        if not (one.null or one.primary_key or one.has_db_default())
    }
    assert required == BROUGHT_BY_THE_ROWS[model]


@pytest.mark.django_db
def test_a_compiled_query_takes_other_values_at_each_call() -> None:
    for pk in (1, 2):
        Channel.objects.create(pk=pk, name=f"channel-{pk}", seen_at=MOMENT, is_archived=pk == 1)
    query = CompiledQuery(
        lambda: Channel.objects.filter(pk=Parameter("channel_id"), is_archived=True).order_by()
    )
    with CaptureQueriesContext(connection) as asked:
        found = query.first(channel_id=1)
        assert query.first(channel_id=2) is None
    assert found == Channel.objects.get(pk=1)
    assert (found.name, found.seen_at) == ("channel-1", MOMENT)
    assert len(asked) == 2


@pytest.mark.django_db
def test_a_compiled_query_takes_no_value_that_is_not_a_parameter() -> None:
    query = CompiledQuery(lambda: Channel.objects.filter(name="channel-1").order_by())
    with pytest.raises(TypeError, match="is no Parameter"):
        query.fetch()
