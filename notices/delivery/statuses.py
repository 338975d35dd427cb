"""A notice's status, computed in SQL from its deliveries: what is stored never contradicts them."""

import logging
from collections.abc import Collection
from datetime import datetime

from notices.callbacks import telling
from notices.models import Delivery, Notice
from notices.sql import Statement

log = logging.getLogger(__name__)

# After an error of the database itself the transaction is lost with it.
NOT_OF_THE_DATABASE = (AttributeError, LookupError, TypeError, ValueError)

# Computes the statuses and writes those that differ. Withdrawn deliveries show nothing and want
# nothing, so they do not count. Each row that was changed brings along whether any callback is
# waiting for news: where none is, nobody has to be told, and that costs no further statement.
_REFRESH = Statement(
    """
    UPDATE notices_notice SET status = computed.status
    FROM (
        SELECT id, CASE
            WHEN publish_at IS NULL THEN '{Status.DRAFT}'
            WHEN withdrawn_at IS NOT NULL AND live = 0 THEN '{Status.WITHDRAWN}'
            WHEN withdrawn_at IS NOT NULL AND under_way > 0 THEN '{Status.SENDING}'
            WHEN withdrawn_at IS NOT NULL THEN '{Status.FAILED}'
            WHEN untouched = live AND publish_at > %(now)s THEN '{Status.SCHEDULED}'
            WHEN untouched = live THEN '{Status.QUEUED}'
            WHEN under_way > 0 THEN '{Status.SENDING}'
            WHEN sent = live THEN '{Status.SENT}'
            WHEN shown > 0 THEN '{Status.PARTLY_SENT}'
            ELSE '{Status.FAILED}'
        END AS status
        FROM (
            SELECT notice.id, notice.publish_at, notice.withdrawn_at,
                COUNT(delivery.id) AS live,
                COUNT(delivery.shown) AS shown,
                COUNT(delivery.id) FILTER (WHERE delivery.state = '{State.SENT}') AS sent,
                COUNT(delivery.id) FILTER (
                    WHERE delivery.state IN
                        ('{State.WAITING}', '{State.SENDING}', '{State.UNKNOWN}')
                ) AS under_way,
                COUNT(delivery.id) FILTER (
                    WHERE delivery.state = '{State.WAITING}' AND delivery.shown IS NULL
                    AND delivery.setbacks = 0 AND delivery.unknown_since IS NULL
                ) AS untouched
            FROM notices_notice AS notice
            LEFT JOIN notices_delivery AS delivery
                ON delivery.notice_id = notice.id AND delivery.state <> '{State.WITHDRAWN}'
            WHERE notice.id = ANY(%(ids)s::bigint[])
            GROUP BY notice.id
        ) AS counted
    ) AS computed
    WHERE notices_notice.id = computed.id AND notices_notice.status <> computed.status
    RETURNING notices_notice.id, notices_notice.status, EXISTS (
        SELECT 1 FROM notices_callbackendpoint WHERE active
    )
    """,
    Status=Notice.Status,
    State=Delivery.State,
)


def refresh(notice_ids: Collection[int], now: datetime) -> None:
    """Write the notices' statuses anew. The caller holds the locks of the notices' rows."""
    if not notice_ids:
        return
    rows = _REFRESH.fetch(ids=notice_ids, now=now)
    if changed := {pk: status for pk, status, is_awaited in rows if is_awaited}:
        try:
            telling.tell_of_statuses(changed, now)
        except NOT_OF_THE_DATABASE:
            # A callback that cannot be written must not stop the delivery itself.
            log.exception("the callbacks of the notices %s cannot be written", list(changed))
