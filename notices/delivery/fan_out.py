"""The fan-out: what the leader wants becomes the wish of one delivery for each channel."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from notices.delivery import outcomes, statuses
from notices.delivery.poison import DATA_ERRORS, failed_by
from notices.delivery.rows import Changed, HeldDelivery, deliveries_of, write_changes
from notices.delivery.wake import wake
from notices.models import Attempt, Delivery, ErrorCode, Notice, new_nonce
from notices.outside import clock
from notices.sql import Among, Select, Statement
from notices.tables.notice_fields import FannedOutFields

log = logging.getLogger(__name__)

State = Delivery.State


@dataclass(slots=True)
class WaitingNotice(FannedOutFields):
    """One whose deliveries do not know yet what the leader wants."""

    id: int
    revision: int
    archived_at: datetime | None


# The notices that wait to be fanned out, those that wait longest first (index
# notice_to_fan_out).
_WAITING_LONGEST = Statement(
    """
    SELECT id FROM notices_notice WHERE revision > fanned_out_revision
    ORDER BY changed_at LIMIT %(limit)s
    """
)

# Locks those of the notices that nobody has fanned out meanwhile.
_WAITING = """
    SELECT {columns} FROM notices_notice
    WHERE id = ANY(%(ids)s::bigint[]) AND revision > fanned_out_revision
    ORDER BY id {lock}
"""
_LOCK_WAITING = Select(WaitingNotice, _WAITING, lock="FOR UPDATE")
_LOCK_WAITING_UNLOCKED = Select(WaitingNotice, _WAITING, lock="FOR UPDATE SKIP LOCKED")

# Not by the queryset's own update(), for which this would be a change too.
_MARK_FANNED_OUT = Statement(
    """
    UPDATE notices_notice SET fanned_out_revision = revision WHERE id = ANY(%(ids)s::bigint[])
    """
)

# The channels of each notice, each with whether the notice's study has it.
_CHOSEN_CHANNELS = Statement(
    """
    SELECT chosen.notice_id, chosen.channel_id, connected.id IS NOT NULL
    FROM notices_notice_channels AS chosen
    JOIN notices_notice AS notice ON notice.id = chosen.notice_id
    LEFT JOIN notices_study_channels AS connected
        ON connected.study_id = notice.study_id AND connected.channel_id = chosen.channel_id
    WHERE chosen.notice_id = ANY(%(ids)s::bigint[])
    """
)

# All other columns are null, or have a default in the database.
_INSERT_DELIVERIES = Statement(
    """
    INSERT INTO notices_delivery (
        notice_id, channel_id, wanted, state, nonce, due_at, expires_at, error_code, changed_at
    )
    SELECT
        notice_id, channel_id, wanted, state, nonce, due_at, expires_at, error_code, changed_at
    FROM jsonb_to_recordset(%(deliveries)s::jsonb) AS given(
        notice_id bigint, channel_id bigint, wanted integer, state text, nonce text,
        due_at timestamptz, expires_at timestamptz, error_code integer, changed_at timestamptz
    )
    """
)


def fan_out(notice_id: int, now: datetime | None = None) -> bool:
    """Make the deliveries say what the leader wants. Returns whether there was anything to do.

    It may run twice, late, or at the same time as another: the answer is the same.
    """
    now = now or clock.now()
    try:
        with transaction.atomic():
            return bool(_fan_out(_LOCK_WAITING.rows(ids=[notice_id]), now))
    except DATA_ERRORS as error:
        log.exception("notice %s: cannot be fanned out", notice_id)
        _give_up_notice(notice_id, error, now)
        return True


def sweep(now: datetime, *, limit: int) -> tuple[int, int]:
    """Fan out what nobody has fanned out yet: qcluster may be slow, stuck, or told of nothing.

    Returns how many notices it did, and how many it left because others are at them.
    """
    ids = [pk for (pk,) in _WAITING_LONGEST.fetch(limit=limit)]
    if not ids:
        return 0, 0
    try:
        with transaction.atomic():
            done = _fan_out(_LOCK_WAITING_UNLOCKED.rows(ids=ids), now)
    except DATA_ERRORS:
        # One of them cannot be fanned out: the others can, one by one.
        done = sum(fan_out(pk, now) for pk in ids)
    return done, len(ids) - done


def _fan_out(notices: list[WaitingNotice], now: datetime) -> int:
    """The caller has locked them. Returns how many there are."""
    if not notices:
        return 0
    _MARK_FANNED_OUT.execute(ids=[notice.id for notice in notices])
    # The messages of an archived one are not known any more: a wish would only post it anew.
    live = [notice for notice in notices if notice.archived_at is None]
    if live:
        _write_wishes(live, now)
        statuses.refresh([notice.id for notice in live], now)
        wake()
    return len(notices)


def _write_wishes(notices: list[WaitingNotice], now: datetime) -> None:
    chosen, existing = _chosen_channels(notices), _existing_deliveries(notices)
    new: list[Mapping[str, Any]] = []
    changed: list[Changed] = []
    foreign: list[int] = []
    for notice in notices:
        wanted = chosen.get(notice.id, {})
        due_at = notice.publish_at or now
        known = existing.get(notice.id, [])
        for delivery in known:
            changes = outcomes.wish(
                delivery,
                notice.revision if delivery.channel_id in wanted else None,
                due_at=due_at,
                expires_at=notice.expires_at,
                now=now,
            )
            if changes:
                changed.append((delivery, changes))
            is_done = changes.get("state", delivery.state) == State.WITHDRAWN
            if is_done and not delivery.is_connected:
                foreign.append(delivery.id)
        for channel_id in sorted(wanted.keys() - {delivery.channel_id for delivery in known}):
            # Until the hour its study may get the channel back; the claim then looks again.
            begins = wanted[channel_id] or due_at > now
            new.append({
                "notice_id": notice.id, "channel_id": channel_id, "wanted": notice.revision,
                "state": State.WAITING if begins else State.FAILED, "nonce": new_nonce(),
                "due_at": due_at if begins else None, "expires_at": notice.expires_at,
                "error_code": None if begins else ErrorCode.CHANNEL_TAKEN, "changed_at": now,
            })  # fmt: skip
    if new:
        _INSERT_DELIVERIES.execute(deliveries=new)
    write_changes(changed, now)
    _forget_wishes(foreign)


def _chosen_channels(notices: list[WaitingNotice]) -> dict[int, dict[int, bool]]:
    """By notice, where it is to be shown, and whether its study has that channel."""
    live = [n.id for n in notices if n.publish_at is not None and n.withdrawn_at is None]
    chosen: dict[int, dict[int, bool]] = {}
    for notice_id, channel_id, is_connected in _CHOSEN_CHANNELS.fetch(ids=live):
        chosen.setdefault(notice_id, {})[channel_id] = bool(is_connected)
    return chosen


def _existing_deliveries(notices: list[WaitingNotice]) -> dict[int, list[HeldDelivery]]:
    found: dict[int, list[HeldDelivery]] = {}
    for delivery in deliveries_of([notice.id for notice in notices]):
        found.setdefault(delivery.notice_id, []).append(delivery)
    return found


def _forget_wishes(ids: list[int]) -> None:
    """Delete those of another study's channels to which nothing was ever sent.

    The notice has moved, and whoever reads it now has nothing to do with these channels.
    """
    if ids:
        attempts = Attempt.objects.filter(delivery=OuterRef("pk"))
        Delivery.objects.filter(~Exists(attempts), Among("pk", ids)).delete()


def _give_up_notice(notice_id: int, error: Exception, now: datetime) -> None:
    """Its own data cannot be fanned out: it fails, with a reason, in all of its channels."""
    with transaction.atomic():
        mine = Notice.objects.filter(pk=notice_id)
        revision = mine.select_for_update().values_list("revision", flat=True).first()
        if revision is None:
            return
        known = Delivery.objects.filter(notice=notice_id)
        channel_ids = set(mine.values_list("channels", flat=True)) - {None}
        channel_ids -= set(known.values_list("channel_id", flat=True))
        fails = failed_by(error, now)
        known.exclude(state=State.WITHDRAWN).update(**fails)
        Delivery.objects.bulk_create(
            Delivery(notice_id=notice_id, channel_id=pk, wanted=revision, **fails)
            for pk in channel_ids
        )
        mine.update(
            fanned_out_revision=F("revision"),
            status=Notice.Status.FAILED,
            changed_at=F("changed_at"),  # which the update would set else: the notice is the same
        )


def oldest_waiting(now: datetime) -> timedelta | None:
    """The age of the oldest change that is not fanned out."""
    changed_at = (
        Notice.objects.not_fanned_out()
        .order_by("changed_at")
        .values_list("changed_at", flat=True)
        .first()
    )
    return now - changed_at if changed_at else None
