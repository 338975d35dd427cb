"""Notices and deliveries as plain rows, held by their locks: how they are read and written.

One rule keeps this free of races and deadlocks: whoever writes a delivery holds the lock of its
notice's row, and locks notices in the order of their ids. (On SQLite a transaction is alone
anyway.)
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from notices.sql import Select, Statement
from notices.tables.notice_fields import ShownFields


@dataclass(slots=True)
class HeldStudy:
    id: int
    name: str
    colour: int
    language: str
    ping_role_id: int | None


@dataclass(slots=True)
class HeldNotice(ShownFields):
    id: int
    publish_at: datetime | None
    changed_at: datetime
    revision: int
    fanned_out_revision: int
    attached_revision: int
    study: HeldStudy = field(init=False)


@dataclass(slots=True)
class HeldDelivery:
    id: int
    notice_id: int
    channel_id: int
    wanted: int | None
    shown: int | None
    message_id: int | None
    state: str
    nonce: str
    due_at: datetime | None
    expires_at: datetime | None
    tries: int
    setbacks: int
    unknown_since: datetime | None
    error_code: int | None
    error_detail: str
    claim: int | None
    is_connected: bool
    """Whether its notice's study has the channel. Nothing new is shown in one that it has lost."""
    notice: HeldNotice = field(init=False)


Changes = dict[str, Any]
"""The fields of a delivery that change, by name."""

Changed = tuple[HeldDelivery, Changes]

Locked = dict[int, HeldNotice]
"""The notices whose rows are locked, as they are."""

_LOCK_NOTICES = Select(
    HeldNotice,
    """
    SELECT {columns} FROM notices_notice
    WHERE id = ANY(%(ids)s::bigint[])
    ORDER BY id FOR UPDATE
    """,
)

# A channel's connection is looked up row by row, so that no planner begins with all the
# channels of a study.
_DELIVERIES = """
    SELECT {columns} FROM (
        SELECT *, EXISTS (
            SELECT 1 FROM notices_notice AS notice
            JOIN notices_study_channels AS connected ON connected.study_id = notice.study_id
            WHERE notice.id = delivery.notice_id AND connected.channel_id = delivery.channel_id
        ) AS is_connected
        FROM notices_delivery AS delivery
    ) AS held
    WHERE {key} = ANY(%(ids)s::bigint[])
"""
_DELIVERIES_BY_ID = Select(HeldDelivery, _DELIVERIES, key="id")
_DELIVERIES_OF_NOTICES = Select(HeldDelivery, _DELIVERIES, key="notice_id")

# Writes all fields that a wish, a claim or an outcome may change, for each delivery its own values.
_WRITE_CHANGES = Statement(
    """
    UPDATE notices_delivery SET
        wanted = given.wanted, shown = given.shown, message_id = given.message_id,
        state = given.state, nonce = given.nonce, due_at = given.due_at,
        expires_at = given.expires_at, tries = given.tries, setbacks = given.setbacks,
        unknown_since = given.unknown_since, error_code = given.error_code,
        error_detail = given.error_detail, claim = given.claim, changed_at = %(now)s
    FROM jsonb_to_recordset(%(deliveries)s::jsonb) AS given(
        id bigint, wanted integer, shown integer, message_id bigint,
        state text, nonce text, due_at timestamptz,
        expires_at timestamptz, tries smallint, setbacks smallint,
        unknown_since timestamptz, error_code integer,
        error_detail text, claim bigint
    )
    WHERE notices_delivery.id = given.id
    """
)
_COLUMNS = tuple(one.name for one in fields(HeldDelivery) if one.init)


def lock_notices(notice_ids: Iterable[int]) -> Locked:
    """The lock that whoever writes a delivery holds. Notices that are gone are left out."""
    return {notice.id: notice for notice in _LOCK_NOTICES.rows(ids=set(notice_ids))}


def hold_deliveries(ids: Collection[int], locked: Locked) -> dict[int, HeldDelivery]:
    """The deliveries as nobody else can write them any more, each with its notice."""
    held = {
        delivery.id: delivery for delivery in read_deliveries(ids) if delivery.notice_id in locked
    }
    for delivery in held.values():
        delivery.notice = locked[delivery.notice_id]
    return held


def read_deliveries(ids: Collection[int]) -> list[HeldDelivery]:
    return _DELIVERIES_BY_ID.rows(ids=ids)


def deliveries_of(notice_ids: Collection[int]) -> list[HeldDelivery]:
    return _DELIVERIES_OF_NOTICES.rows(ids=notice_ids)


def write_changes(changed: Collection[Changed], now: datetime) -> None:
    """One statement for all of them: each is written whole, as it was read and then changed."""
    if changed:
        _WRITE_CHANGES.execute(deliveries=[_whole(*one) for one in changed], now=now)


def _whole(delivery: HeldDelivery, changes: Changes) -> dict[str, Any]:
    return {name: getattr(delivery, name) for name in _COLUMNS} | changes
