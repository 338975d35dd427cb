"""The bot's step: how requests ended is written, and what is due is claimed, in one transaction."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from notices.advice import error_codes
from notices.delivery import counters, message, outcomes, statuses
from notices.delivery.due import NOBODY, Due, Resting, Shards, pick_due
from notices.delivery.outcomes import Outcome
from notices.delivery.poison import DATA_ERRORS, detail_of, failed_by
from notices.delivery.request import Request
from notices.delivery.rows import (
    Changed,
    HeldDelivery,
    HeldNotice,
    HeldStudy,
    hold_deliveries,
    lock_notices,
    write_changes,
)
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice
from notices.outside import chance
from notices.sql import Select, Statement, read_moment
from notices.tables.limits import DETAIL_LIMIT

log = logging.getLogger(__name__)

# A claim lasts so long. A new active bot need not wait for its end, as it holds the lock.
LEASE = timedelta(seconds=60)
_EXPIRED = {
    "state": Delivery.State.FAILED, "due_at": None, "error_code": ErrorCode.EXPIRED,
    "error_detail": "",
}  # fmt: skip

State = Delivery.State
Action = Attempt.Action

# Closes attempts. What a takeover has closed before, or a commit whose answer was lost, stays as it
# is and is not returned.
_END_ATTEMPTS = Statement(
    """
    UPDATE notices_attempt SET
        ended_at = given.ended_at, outcome = given.outcome,
        code = given.code, detail = given.detail
    FROM jsonb_to_recordset(%(ended)s::jsonb) AS given(
        delivery_id bigint, claim bigint, ended_at timestamptz,
        outcome text, code integer, detail text
    )
    WHERE notices_attempt.delivery_id = given.delivery_id
        AND notices_attempt.claim = given.claim AND notices_attempt.ended_at IS NULL
    RETURNING notices_attempt.delivery_id, notices_attempt.claim
    """
)

# Takes the marks off channels in which a message is shown. What the bot may do in one that was
# taken for gone is not known until the gateway tells.
_UNMARK_CHANNELS = Statement(
    """
    UPDATE notices_channel SET
        refused_at = NULL, refused_code = NULL, gone_at = NULL,
        permissions = CASE WHEN gone_at IS NULL THEN permissions END
    WHERE id = ANY(%(ids)s::bigint[]) AND (refused_at IS NOT NULL OR gone_at IS NOT NULL)
    """
)

_STUDIES = Select(
    HeldStudy, "SELECT {columns} FROM notices_study WHERE id = ANY(%(ids)s::bigint[])"
)

# The last creates and edits whose answers were lost only now (attempt_once_per_claim).
_LAST_LOST = Statement(
    """
    SELECT delivery_id, CAST(MAX(ended_at) AS text) FROM notices_attempt
    WHERE delivery_id = ANY(%(ids)s::bigint[]) AND ended_at > %(since)s
        AND outcome = '{Outcome.UNKNOWN}' AND action IN ('{Action.CREATE}', '{Action.EDIT}')
    GROUP BY delivery_id
    """,
    Outcome=Attempt.Outcome,
    Action=Attempt.Action,
)

# Writes the attempts, before any of their requests goes out.
_BEGIN_ATTEMPTS = Statement(
    """
    INSERT INTO notices_attempt (delivery_id, action, revision, nonce, claim, begun_at)
    SELECT delivery_id, action, revision, nonce, claim, begun_at
    FROM jsonb_to_recordset(%(attempts)s::jsonb) AS given(
        delivery_id bigint, action text, revision integer, nonce text,
        claim bigint, begun_at timestamptz
    )
    """
)


def exchange(
    results: Collection[Outcome],
    now: datetime,
    *,
    limit: int,
    busy_channels: Collection[int],
    shards: Shards,
    window: timedelta,
    resting: Resting = NOBODY,
) -> list[Request]:
    """Write how requests ended and take up to `limit` due ones, in one transaction.

    At most one a channel: creates first, oldest first. Their attempts are committed when this
    returns, before any request goes out.
    """
    ended = {result.request.delivery_id for result in results}
    busy = Resting([*busy_channels, *resting.creates], [*busy_channels, *resting.changes])
    picked = pick_due(now, limit, busy, shards) if limit > 0 else []
    picked = [due for due in picked if due.id not in ended]
    if not picked and not results:
        return []
    try:
        return _exchange(results, picked, now, window)
    except DATA_ERRORS:
        log.exception("one of these cannot be written or claimed: each is tried by itself")
        return _exchange_one_by_one(results, picked, now, window)


def _exchange(
    results: Collection[Outcome], picked: Collection[Due], now: datetime, window: timedelta
) -> list[Request]:
    ids = [due.id for due in picked]
    ended = {result.request.delivery_id for result in results}
    with transaction.atomic():
        locked = lock_notices(
            {due.notice_id for due in picked} | {r.request.notice_id for r in results}
        )
        held = hold_deliveries(ended.union(ids), locked)
        recorded, counts = _record(results, held)
        claimed, requests = _claim([held[pk] for pk in ids if pk in held], now, window)
        write_changes([*recorded, *claimed], now)
        _stamp(requests, now)
        statuses.refresh(locked, now)
        counters.add(counts)  # last, as other shards' bots write these rows too
    return requests


def _record(
    results: Collection[Outcome], held: Mapping[int, HeldDelivery]
) -> tuple[list[Changed], Counter[counters.Key]]:
    """Returns what changes, and what there is to count."""
    if not results:
        return [], Counter()
    changed: list[Changed] = []
    delays = []
    max_tries = settings.MAX_SEND_RETRIES
    for result in results:
        delivery = held.get(result.request.delivery_id)
        if delivery is None or delivery.claim != result.request.claim:
            continue  # somebody else has settled it meanwhile
        changes = outcomes.settle(delivery, result, max_tries=max_tries)
        changed.append((delivery, changes))
        if delivery.shown is None and changes.get("shown") is not None:
            delays.append((result.ended_at - _began(delivery.notice)).total_seconds())
    ended = _END_ATTEMPTS.fetch(
        ended=[
            {
                "delivery_id": r.request.delivery_id, "claim": r.request.claim,
                "ended_at": r.ended_at, "outcome": r.kind, "code": r.code, "detail": r.detail,
            }
            for r in results
        ]
    )  # fmt: skip
    _mark_channels(results)
    # An attempt that was closed before was counted then.
    new = set(ended)
    counted = [r for r in results if (r.request.delivery_id, r.request.claim) in new]
    return changed, counters.of_outcomes(counted, delays)


def _began(notice: HeldNotice) -> datetime:
    """The moment from which it is to be shown."""
    return max(notice.publish_at or notice.changed_at, notice.changed_at)


def _mark_channels(results: Collection[Outcome]) -> None:
    """Mark a channel that refuses us, and unmark one in which a message is shown."""
    for result in results:
        is_refused = result.kind == Attempt.Outcome.REFUSED
        if is_refused and error_codes.about(result.code or 0) is error_codes.About.CHANNEL:
            Channel.objects.filter(pk=result.request.channel_id).update(
                refused_at=result.ended_at, refused_code=result.code
            )
    if shown := [r.request.channel_id for r in results if r.kind == Attempt.Outcome.SHOWN]:
        _UNMARK_CHANNELS.execute(ids=shown)


def _claim(
    deliveries: list[HeldDelivery], now: datetime, window: timedelta
) -> tuple[list[Changed], list[Request]]:
    """Returns what changes, and the requests to make."""
    token = chance.bits(62)
    max_tries = settings.MAX_SEND_RETRIES
    changed: list[Changed] = []
    requests = []
    studies = _studies({delivery.notice.study_id for delivery in deliveries})
    lost = _last_lost(deliveries, now)
    for delivery in deliveries:
        if delivery.due_at is None or delivery.due_at > now:
            continue  # somebody was faster
        if delivery.notice.fanned_out_revision < delivery.notice.revision:
            continue  # the leader has changed it: what she wants now is fanned out first
        if outcomes.expired(delivery, now):
            changed.append((delivery, _EXPIRED))
            continue
        if barred := outcomes.barred(delivery, now, max_tries=max_tries):
            changed.append((delivery, barred))
            continue
        action = outcomes.next_action(delivery, now, window, max_tries=max_tries)
        if action in outcomes.WAITING_ACTIONS and delivery.id in lost:
            changed.append((delivery, {"due_at": lost[delivery.id] + outcomes.LOOK_AFTER}))
            continue
        try:
            delivery.notice.study = studies[delivery.notice.study_id]
            requests.append(_request(delivery, action, token, window))
        except DATA_ERRORS as error:
            log.exception("delivery %s: no message can be made of its notice", delivery.id)
            changed.append((delivery, failed_by(error, now)))
            continue
        changes = {
            "state": State.SENDING, "claim": token, "due_at": now + LEASE,
            "unknown_since": _unknown_from(delivery, action, now),
        }  # fmt: skip
        changed.append((delivery, changes))
    return changed, requests


def _studies(ids: Collection[int]) -> dict[int, HeldStudy]:
    return {study.id: study for study in _STUDIES.rows(ids=ids)} if ids else {}


def _last_lost(deliveries: Collection[HeldDelivery], now: datetime) -> dict[int, datetime]:
    """By delivery, when a request of it was lost that may still take effect."""
    ids = [one.id for one in deliveries if one.shown is not None or one.unknown_since is not None]
    rows = _LAST_LOST.fetch(ids=ids, since=now - outcomes.LOOK_AFTER) if ids else []
    moments = ((pk, read_moment(ended_at)) for pk, ended_at in rows)
    return {pk: ended_at for pk, ended_at in moments if ended_at}


def _unknown_from(delivery: HeldDelivery, action: str, now: datetime) -> datetime | None:
    """From when nobody knows whether it is shown: until the answer, if that comes."""
    if action in outcomes.BLIND_ACTIONS and delivery.unknown_since is None:
        return now
    return delivery.unknown_since


def _request(delivery: HeldDelivery, action: str, token: int, window: timedelta) -> Request:
    payload = resend_until = None
    if action == Action.CREATE and delivery.unknown_since is not None:
        resend_until = outcomes.resend_until(delivery.unknown_since, window)
    if action == Action.CREATE:
        payload = message.build(delivery)
    elif action == Action.EDIT:
        payload = message.build_edit(delivery)
    return Request(
        delivery_id=delivery.id, notice_id=delivery.notice_id, claim=token, action=action,
        channel_id=delivery.channel_id, nonce=delivery.nonce, message_id=delivery.message_id,
        revision=_revision(delivery, action), payload=payload,
        unknown_since=delivery.unknown_since, attachments=delivery.notice.attachments,
        resend_until=resend_until,
        brings_files=bool(payload and payload.get("attachments")),
    )  # fmt: skip


def _revision(delivery: HeldDelivery, action: str) -> int | None:
    return delivery.notice.revision if action in (Action.CREATE, Action.EDIT) else None


def _stamp(requests: list[Request], now: datetime) -> None:
    if not requests:
        return
    _BEGIN_ATTEMPTS.execute(
        attempts=[
            {
                "delivery_id": r.delivery_id, "action": r.action, "revision": r.revision,
                "nonce": r.nonce, "claim": r.claim, "begun_at": now,
            }
            for r in requests
        ]
    )  # fmt: skip


def _exchange_one_by_one(
    results: Collection[Outcome], picked: Collection[Due], now: datetime, window: timedelta
) -> list[Request]:
    """Take each step by itself, so that a row that fails by its own data stops no other."""
    steps = [([result], list[Due](), result.request.delivery_id) for result in results]
    steps += [(list[Outcome](), [due], due.id) for due in picked]
    requests = []
    for ended, due, delivery_id in steps:
        try:
            requests += _exchange(ended, due, now, window)
        except DATA_ERRORS as error:
            log.exception("delivery %s: cannot be written or claimed", delivery_id)
            _give_up(delivery_id, error, now)
    return requests


def _give_up(delivery_id: int, error: Exception, now: datetime) -> None:
    """Its own data cannot be sent, or what became of it cannot be written."""
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=delivery_id)
        notice_ids = list(mine.values_list("notice_id", flat=True))
        list(Notice.objects.select_for_update().filter(pk__in=notice_ids).values_list("pk"))
        mine.update(**failed_by(error, now))
        Attempt.objects.filter(delivery=delivery_id, ended_at=None).update(
            ended_at=now, outcome=Attempt.Outcome.UNKNOWN, detail=detail_of(error)[:DETAIL_LIMIT]
        )
        statuses.refresh(notice_ids, now)
