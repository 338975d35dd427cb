"""A notice's status, computed in SQL from its deliveries: what is stored never contradicts them."""

import logging
from collections.abc import Collection
from datetime import datetime

from notices import callbacks
from notices.bulk import among, fetch, moment

log = logging.getLogger(__name__)

# After an error of the database itself the transaction is lost with it.
NOT_OF_THE_DATABASE = (AttributeError, LookupError, TypeError, ValueError)

# Withdrawn deliveries show nothing and want nothing: they count no more. Whether anybody is to be
# told comes with what has changed: where nobody is, it costs no statement.
_REFRESH = """
UPDATE notices_notice SET status = computed.status
FROM (
    SELECT id, CASE
        WHEN publish_at IS NULL THEN 'draft'
        WHEN withdrawn_at IS NOT NULL AND live = 0 THEN 'withdrawn'
        WHEN withdrawn_at IS NOT NULL AND under_way > 0 THEN 'sending'
        WHEN withdrawn_at IS NOT NULL THEN 'failed'
        WHEN untouched = live AND publish_at > %s THEN 'scheduled'
        WHEN untouched = live THEN 'queued'
        WHEN under_way > 0 THEN 'sending'
        WHEN sent = live THEN 'sent'
        WHEN shown > 0 THEN 'partly_sent'
        ELSE 'failed'
    END AS status
    FROM (
        SELECT notice.id, notice.publish_at, notice.withdrawn_at,
            COUNT(delivery.id) AS live,
            COUNT(delivery.shown) AS shown,
            COUNT(delivery.id) FILTER (WHERE delivery.state = 'sent') AS sent,
            COUNT(delivery.id) FILTER (
                WHERE delivery.state IN ('waiting', 'sending', 'unknown')
            ) AS under_way,
            COUNT(delivery.id) FILTER (
                WHERE delivery.state = 'waiting' AND delivery.shown IS NULL
                AND delivery.setbacks = 0 AND delivery.unknown_since IS NULL
            ) AS untouched
        FROM notices_notice AS notice
        LEFT JOIN notices_delivery AS delivery
            ON delivery.notice_id = notice.id AND delivery.state <> 'withdrawn'
        WHERE {condition}
        GROUP BY notice.id
    ) AS counted
) AS computed
WHERE notices_notice.id = computed.id AND notices_notice.status <> computed.status
RETURNING notices_notice.id, notices_notice.status, EXISTS (
    SELECT 1 FROM notices_callbackendpoint WHERE active
)
"""


def refresh(notice_ids: Collection[int], now: datetime) -> None:
    """Write the notices' statuses anew. The caller holds the locks of the notices' rows."""
    if not notice_ids:
        return
    condition, ids = among("notice.id", notice_ids)
    rows = fetch(_REFRESH.format(condition=condition), [moment(now), ids])
    if changed := {pk: status for pk, status, is_awaited in rows if is_awaited}:
        try:
            callbacks.tell_of_statuses(changed, now)
        except NOT_OF_THE_DATABASE:
            # Whoever is to be told of it must not stop what is told of.
            log.exception("the callbacks of the notices %s cannot be written", list(changed))
