"""The database as the queue that counts: fan out, claim, record, sweep.

One rule keeps it free of races and deadlocks: whoever writes a delivery holds the lock of its
notice's row, and locks notices in the order of their ids. (On SQLite a transaction is alone
anyway: settings.py makes every one IMMEDIATE.)
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Count, F, Min, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from notices import embeds, outcomes
from notices.models import Attempt, Channel, Delivery, DeliveryQuerySet, ErrorCode, Notice
from notices.outcomes import Outcome
from notices.transport import Request

# How long a claim stands for its bot. A new active bot need not wait for it: it holds the lock.
LEASE = timedelta(seconds=60)
# The NOTIFY channel on which PostgreSQL tells the bot of new work.
WAKE_CHANNEL = "studybot_wake"
# These answers say that the channel is closed to us, not that the message is wrong.
CHANNEL_REFUSALS = frozenset({401, 403, 404, 10003, 10004, 50001, 50013})

State = Delivery.State
Status = Notice.Status


@dataclass(frozen=True, slots=True)
class Shards:
    """Which guilds are ours: Discord's own arithmetic, (guild_id >> 22) % count."""

    ids: tuple[int, ...] = (0,)
    count: int = 1

    def deliveries(self) -> DeliveryQuerySet:
        everyone = Delivery.objects.all()
        if self.count == 1:
            return everyone
        shard = F("channel__guild_id").bitrightshift(22) % self.count
        ours = Q(shard__in=self.ids)
        if 0 in self.ids:
            # Nobody has seen this channel's guild yet. Any bot can post there; one of them does.
            ours |= Q(channel__guild_id=None)
        return everyone.annotate(shard=shard).filter(ours)


# --- fan out -------------------------------------------------------------------------------


def fan_out(notice_id: int, now: datetime | None = None) -> bool:
    """Make the deliveries say what the leader wants. Returns whether there was anything to do.

    It may run twice, late, or at the same time as another: the answer is the same.
    """
    now = now or timezone.now()
    with transaction.atomic():
        notice = Notice.objects.not_fanned_out().select_for_update().filter(pk=notice_id).first()
        if notice is None:
            return False
        Notice.objects.filter(pk=notice_id).update(
            fanned_out_revision=notice.revision, changed_at=notice.changed_at
        )
        # Once archived its messages are not known any more: a wish would only post it anew.
        if notice.archived_at is None:
            _write_wishes(notice, now)
            refresh_status([notice_id], now)
            wake()
    return True


def fan_out_waiting(now: datetime, older_than: timedelta, *, limit: int = 100) -> int:
    """The sweep: fan out what a crash, a slow queue or a change past the hook left behind."""
    waiting = Notice.objects.not_fanned_out().filter(changed_at__lte=now - older_than)
    ids = list(waiting.order_by("changed_at").values_list("pk", flat=True)[:limit])
    return sum(fan_out(notice_id, now) for notice_id in ids)


def oldest_waiting(now: datetime) -> timedelta | None:
    """The age of the oldest change that is not fanned out."""
    changed_at = (
        Notice.objects.not_fanned_out()
        .order_by("changed_at")
        .values_list("changed_at", flat=True)
        .first()
    )
    return now - changed_at if changed_at else None


def _write_wishes(notice: Notice, now: datetime) -> None:
    live = notice.publish_at is not None and notice.withdrawn_at is None
    chosen = set(notice.channels.values_list("pk", flat=True)) if live else set()
    due_at = notice.publish_at or now
    existing = list(notice.deliveries.all())
    Delivery.objects.bulk_create(
        Delivery(
            notice=notice, channel_id=channel_id, wanted=notice.revision,
            due_at=due_at, expires_at=notice.expires_at,
        )
        for channel_id in sorted(chosen - {delivery.channel_id for delivery in existing})
    )  # fmt: skip
    _write(
        existing,
        lambda delivery: outcomes.wish(
            delivery,
            notice.revision if delivery.channel_id in chosen else None,
            due_at=due_at,
            expires_at=notice.expires_at,
            now=now,
        ),
        now,
    )


def _write(
    deliveries: Iterable[Delivery], decide: Callable[[Delivery], dict[str, Any]], now: datetime
) -> None:
    """One UPDATE for all deliveries that change alike."""
    alike: defaultdict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for delivery in deliveries:
        if changes := decide(delivery):
            alike[tuple(changes.items())].append(delivery.pk)
    for changes_items, ids in alike.items():
        Delivery.objects.filter(pk__in=ids).update(**dict(changes_items), changed_at=now)


def wake() -> None:
    """Tell the bot at once, when this transaction commits. (SQLite's bot watches its file.)"""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


# --- the status of a notice ----------------------------------------------------------------


def refresh_status(notice_ids: Collection[int], now: datetime) -> None:
    """Compute the notices' status from their deliveries. The caller holds the notices' locks."""
    live = Delivery.objects.filter(notice=OuterRef("pk")).exclude(state=State.WITHDRAWN)
    counted = live.order_by().values("notice").annotate(
        all=Count("pk"),
        untouched=Count(
            "pk", filter=Q(state=State.WAITING, shown=None, setbacks=0, unknown_since=None)
        ),
        open=Count("pk", filter=Q(state__in=[State.WAITING, State.SENDING, State.UNKNOWN])),
        shown=Count("pk", filter=Q(shown__isnull=False)),
        sent=Count("pk", filter=Q(state=State.SENT)),
    )  # fmt: skip
    begun = counted.annotate(
        status=Case(
            When(open=0, sent=F("all"), then=Value(Status.SENT)),
            When(open=0, shown__gt=0, then=Value(Status.PARTLY_SENT)),
            When(open=0, then=Value(Status.FAILED)),
            When(untouched=F("all"), then=Value("")),
            default=Value(Status.SENDING),
        )
    )
    withdrawing = counted.annotate(
        status=Case(When(open__gt=0, then=Value(Status.SENDING)), default=Value(Status.FAILED))
    )
    not_begun = Case(
        When(publish_at__gt=now, then=Value(Status.SCHEDULED)), default=Value(Status.QUEUED)
    )
    Notice.objects.filter(pk__in=notice_ids).update(
        status=Case(
            When(publish_at=None, then=Value(Status.DRAFT)),
            When(
                withdrawn_at__isnull=False,
                then=Coalesce(Subquery(withdrawing.values("status")), Value(Status.WITHDRAWN)),
            ),
            default=Coalesce(Subquery(begun.exclude(status="").values("status")), not_begun),
        )
    )


# --- the bot's side ------------------------------------------------------------------------


def claim(
    now: datetime,
    *,
    limit: int,
    busy_channels: Collection[int],
    shards: Shards,
    window: timedelta,
) -> list[Request]:
    """Take up to `limit` due deliveries, at most one a channel: creates first, oldest first.

    The attempts are written, and committed, before any request goes out.
    """
    picked = _pick(now, limit, busy_channels, shards)
    if not picked:
        return []
    with transaction.atomic():
        locked = _lock_notices(notice_id for _pk, _channel, notice_id in picked)
        deliveries = list(
            Delivery.objects.due(now)
            .filter(pk__in=[pk for pk, _channel, _notice in picked], notice__in=locked)
            .select_related("notice__study")
            .order_by("due_at", "id")
        )
        _expire([d for d in deliveries if outcomes.expired(d, now)], now)
        requests = _stamp([d for d in deliveries if not outcomes.expired(d, now)], now, window)
        refresh_status(locked, now)
    return requests


def next_due(now: datetime, busy_channels: Collection[int], shards: Shards) -> datetime | None:
    """The moment of the next request that is not due yet."""
    waiting = shards.deliveries().filter(due_at__gt=now).exclude(channel__in=busy_channels)
    moment: datetime | None = waiting.aggregate(first=Min("due_at"))["first"]
    return moment


def oldest_due(now: datetime) -> timedelta | None:
    """The age of the oldest request that is due and was not made."""
    due_at = Delivery.objects.due(now).order_by("due_at").values_list("due_at", flat=True).first()
    return now - due_at if due_at else None


def record(results: Collection[Outcome]) -> None:
    """Write how claimed requests ended."""
    if not results:
        return
    now = max(result.ended_at for result in results)
    by_delivery = {result.delivery_id: result for result in results}
    with transaction.atomic():
        locked = _lock_notices(_notices_of(by_delivery))
        for delivery in Delivery.objects.filter(pk__in=by_delivery):
            outcome = by_delivery[delivery.pk]
            if delivery.claim != outcome.claim:
                continue  # somebody else has settled it meanwhile
            changes = outcomes.settle(delivery, outcome, max_tries=settings.MAX_SEND_RETRIES)
            Delivery.objects.filter(pk=delivery.pk).update(**changes, changed_at=now)
        for outcome in results:
            _end_attempt(outcome)
            _mark_channel(outcome)
        refresh_status(locked, now)


def record_echo(nonce: str, message_id: int, revision: int, now: datetime) -> bool:
    """The gateway showed us a message of ours: settle its delivery if that is still unknown."""
    found = Delivery.objects.filter(nonce=nonce, message_id=None).exclude(
        state__in=[State.SENDING, State.SENT]
    )
    notice_id = found.values_list("notice_id", flat=True).first()
    if notice_id is None:
        return False
    with transaction.atomic():
        locked = _lock_notices([notice_id])
        _write(found, lambda delivery: outcomes.shown(delivery, message_id, revision, now), now)
        refresh_status(locked, now)
    return True


def take_over(now: datetime, shards: Shards) -> int:
    """What the last active bot held when it died is ours; of its creates nobody knows the end."""
    held = list(shards.deliveries().filter(state=State.SENDING).values_list("pk", "notice_id"))
    if not held:
        return 0
    ids = [pk for pk, _notice in held]
    with transaction.atomic():
        locked = _lock_notices(notice_id for _pk, notice_id in held)
        Delivery.objects.filter(pk__in=ids, state=State.SENDING).update(
            state=Case(
                When(unknown_since__isnull=False, shown=None, then=Value(State.UNKNOWN)),
                default=Value(State.WAITING),
            ),
            due_at=now, claim=None, changed_at=now,
        )  # fmt: skip
        Attempt.objects.filter(delivery__in=ids, ended_at=None).update(
            ended_at=now,
            outcome=Attempt.Outcome.UNKNOWN,
            detail="the bot stopped before the answer",
        )
        refresh_status(locked, now)
    return len(ids)


def end_pauses(now: datetime) -> int:
    """Discord answers again: what failed during the outage need not sit out its pause."""
    paused = Delivery.objects.filter(due_at__gt=now, setbacks__gt=0, tries=0).filter(
        Q(state=State.WAITING) | Q(state=State.UNKNOWN, wanted__isnull=False)
    )
    notice_ids = list(paused.values_list("notice_id", flat=True))
    with transaction.atomic():
        _lock_notices(notice_ids)
        return paused.update(due_at=now)


def recent_requests(since: datetime) -> list[tuple[int, datetime]]:
    """(channel id, begun) of the requests of the last seconds: what the limits still remember."""
    recent = Attempt.objects.filter(begun_at__gte=since).order_by("begun_at")
    return list(recent.values_list("delivery__channel_id", "begun_at"))


def _pick(
    now: datetime, limit: int, busy_channels: Collection[int], shards: Shards
) -> list[tuple[int, int, int]]:
    """(delivery, channel, notice) of what goes next: one a channel, creates before changes."""
    free = shards.deliveries().due(now).exclude(channel__in=busy_channels).order_by("due_at", "id")
    picked: dict[int, tuple[int, int, int]] = {}
    for kind in (Q(message_id=None), Q(message_id__isnull=False)):
        if len(picked) >= limit:
            break
        # A few channels with long queues must not hide the others: read on past them.
        rows = free.filter(kind, due_at__isnull=False).exclude(channel__in=list(picked))
        for row in rows.values_list("pk", "channel_id", "notice_id")[: limit * 4]:
            picked.setdefault(row[1], row)
    return list(picked.values())[:limit]


def _lock_notices(notice_ids: Iterable[int]) -> list[int]:
    ids = set(notice_ids)
    rows = Notice.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _notices_of(delivery_ids: Collection[int]) -> list[int]:
    return list(Delivery.objects.filter(pk__in=delivery_ids).values_list("notice_id", flat=True))


def _expire(deliveries: list[Delivery], now: datetime) -> None:
    ids = [delivery.pk for delivery in deliveries]
    if ids:
        Delivery.objects.filter(pk__in=ids).update(
            state=State.FAILED, due_at=None, error_code=ErrorCode.EXPIRED, error_detail="",
            changed_at=now,
        )  # fmt: skip


def _stamp(deliveries: list[Delivery], now: datetime, window: timedelta) -> list[Request]:
    """Claim these rows, which the caller holds, and write their attempts."""
    if not deliveries:
        return []
    token = secrets.randbits(62)
    planned = [(d, outcomes.next_action(d, now, window)) for d in deliveries]
    creates = [d.pk for d, action in planned if action == Attempt.Action.CREATE]
    Delivery.objects.filter(pk__in=creates).update(unknown_since=Coalesce("unknown_since", now))
    Delivery.objects.filter(pk__in=[d.pk for d in deliveries]).update(
        state=State.SENDING, claim=token, due_at=now + LEASE, changed_at=now
    )
    Attempt.objects.bulk_create(
        Attempt(
            delivery=d, action=action, nonce=d.nonce, claim=token, begun_at=now,
            revision=d.notice.revision if action in ("create", "edit") else None,
        )
        for d, action in planned
    )  # fmt: skip
    return [_request(d, action, token) for d, action in planned]


def _request(delivery: Delivery, action: str, token: int) -> Request:
    payload = None
    if action == Attempt.Action.CREATE:
        payload = embeds.message(delivery)
    elif action == Attempt.Action.EDIT:
        payload = embeds.edited_message(delivery)
    return Request(
        delivery_id=delivery.pk, claim=token, action=action, channel_id=delivery.channel_id,
        nonce=delivery.nonce, message_id=delivery.message_id, payload=payload,
        unknown_since=delivery.unknown_since,
    )  # fmt: skip


def _end_attempt(outcome: Outcome) -> None:
    Attempt.objects.filter(delivery=outcome.delivery_id, claim=outcome.claim, ended_at=None).update(
        ended_at=outcome.ended_at, outcome=outcome.kind, code=outcome.code, detail=outcome.detail
    )


def _mark_channel(outcome: Outcome) -> None:
    channel = Channel.objects.filter(deliveries=outcome.delivery_id)
    if outcome.kind == Attempt.Outcome.REFUSED and outcome.code in CHANNEL_REFUSALS:
        channel.update(refused_at=outcome.ended_at, refused_code=outcome.code)
    elif outcome.kind == Attempt.Outcome.SHOWN:
        channel.filter(refused_at__isnull=False).update(refused_at=None, refused_code=None)
