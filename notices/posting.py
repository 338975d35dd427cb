"""A frontend's notice with its channels, saved by a statement written by hand.

The ORM's own way (`save`, `channels.set`) takes six, and cost a POST more than all the rest of it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection, transaction

from notices import signals
from notices.bulk import execute, fetch, id_list, moment
from notices.models import Notice, notice_saved

_COLUMNS = [one.attname for one in Notice._meta.concrete_fields if not one.primary_key]
_NOTICE = (
    f"INSERT INTO notices_notice ({', '.join(_COLUMNS)}) "
    f"SELECT {', '.join('%s' for _column in _COLUMNS)} WHERE {{condition}} RETURNING id"
)
_CHANNELS = "INSERT INTO notices_notice_channels (notice_id, channel_id) SELECT"
_BOTH = f"""
WITH notice AS ({_NOTICE}), chosen AS ({_CHANNELS} id, unnest(%s::bigint[]) FROM notice)
SELECT id FROM notice
"""  # noqa: S608
_NOBODY_IS_TOLD = "NOT EXISTS (SELECT 1 FROM notices_callbackendpoint WHERE active)"
_CONNECTED = (
    "EXISTS (SELECT 1 FROM notices_study_channels WHERE study_id = %s AND channel_id = %s "
    "AND {allowed})"
)


def post(notice: Notice, channel_ids: Collection[int]) -> None:
    """Save a new notice for these channels, tell of it, and have it fanned out."""
    with transaction.atomic():
        _save(notice, channel_ids, "TRUE", [])
        if notice.attachments:
            notice.hold_uploads()
        notice_saved.send(Notice, notice=notice, before=None)


def post_at_once(notice: Notice, channel_id: int, allowed: str, values: Sequence[Any]) -> bool:
    """Save a new notice for one channel, checked and saved by the same statement.

    False, and nothing is done, where the study has not the channel, or is not `allowed` (SQL for
    its study_id, and the values for that), or where somebody is to be told of the notice.
    """
    condition = f"{_NOBODY_IS_TOLD} AND {_CONNECTED.format(allowed=allowed)}"
    return _save(notice, [channel_id], condition, [notice.study_id, channel_id, *values])


def _save(
    notice: Notice, channel_ids: Collection[int], condition: str, values: Sequence[Any]
) -> bool:
    notice.status = notice.first_status()
    written = [_plain(getattr(notice, name)) for name in _COLUMNS]
    insert = _insert_both if connection.vendor == "postgresql" else _insert_one_by_one
    rows = insert(condition, [*written, *values], list(channel_ids))
    if not rows:
        return False
    notice.pk = rows[0][0]
    notice._state.adding = False
    signals.schedule(notice.pk)
    return True


def _insert_both(condition: str, values: list[Any], channel_ids: list[int]) -> Any:
    return fetch(_BOTH.format(condition=condition), [*values, id_list(channel_ids)])


def _insert_one_by_one(condition: str, values: list[Any], channel_ids: list[int]) -> Any:
    with transaction.atomic():
        rows = fetch(_NOTICE.format(condition=condition), values)
        for (pk,) in rows:
            execute(f"{_CHANNELS} %s, value FROM json_each(%s)", [pk, id_list(channel_ids)])
    return rows


def _plain(value: Any) -> Any:
    """As both databases take it."""
    if isinstance(value, datetime):
        return moment(value)
    return orjson.dumps(value).decode() if isinstance(value, list) else value
