"""The database as the queue that counts: fan out, claim, record, sweep.

One rule keeps it free of races and deadlocks: whoever writes a delivery holds the lock of its
notice's row, and locks notices in the order of their ids. (On SQLite a transaction is alone
anyway: settings.py makes every one IMMEDIATE.)
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from notices import embeds, outcomes, statuses, tallies
from notices.bulk import Among, insert_each, update_each
from notices.models import Attempt, Channel, Delivery, DeliveryQuerySet, ErrorCode, Notice
from notices.outcomes import Outcome
from notices.transport import Request

# How long a claim stands for its bot. A new active bot need not wait for it: it holds the lock.
LEASE = timedelta(seconds=60)
# The NOTIFY channel on which PostgreSQL tells the bot of new work.
WAKE_CHANNEL = "studybot_wake"
# These answers say that the channel is closed to us, not that the message is wrong.
CHANNEL_REFUSALS = frozenset({401, 403, 404, 10003, 10004, 50001, 50013})

# What an outcome may change of a delivery.
SETTLED_FIELDS = (
    "wanted", "shown", "message_id", "state", "nonce", "due_at", "tries", "setbacks",
    "unknown_since", "error_code", "error_detail", "claim", "changed_at",
)  # fmt: skip
# What a claim reads: to decide on the request, and to write its payload.
CLAIMED_FIELDS = (
    "notice", "channel", "wanted", "shown", "message_id", "nonce", "expires_at", "unknown_since",
    *(f"notice__{name}" for name in (
        "title", "content", "author", "url", "image", "ping", "publish_at", "revision",
        "study__name", "study__colour", "study__ping_role_id",
    )),
)  # fmt: skip
# Each has its own index on what is due.
CREATES = Q(due_at__isnull=False, message_id=None)
CHANGES = Q(due_at__isnull=False, message_id__isnull=False)

State = Delivery.State
Action = Attempt.Action


# The notices whose rows are locked, each with the moment from which it is to be shown.
Locked = dict[int, datetime]


class _Due(NamedTuple):
    id: int
    channel_id: int
    notice_id: int


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


def fan_out(notice_id: int, now: datetime | None = None, *, wait: bool = True) -> bool:
    """Make the deliveries say what the leader wants. Returns whether there was anything to do.

    It may run twice, late, or at the same time as another: the answer is the same. Without `wait`
    a notice that another is at is left to it.
    """
    now = now or timezone.now()
    with transaction.atomic():
        waiting = Notice.objects.not_fanned_out().select_for_update(skip_locked=not wait)
        notice = waiting.filter(pk=notice_id).first()
        if notice is None:
            return False
        Notice.objects.filter(pk=notice_id).update(
            fanned_out_revision=notice.revision, changed_at=notice.changed_at
        )
        # Once archived its messages are not known any more: a wish would only post it anew.
        if notice.archived_at is None:
            _write_wishes(notice, now)
            statuses.refresh([notice_id], now)
            wake()
    return True


def sweep(now: datetime, *, limit: int) -> tuple[int, int]:
    """Fan out what nobody has fanned out yet: qcluster may be slow, stuck, or told of nothing.

    Returns how many notices it did, and how many it left because others are at them.
    """
    waiting = Notice.objects.not_fanned_out().order_by("changed_at")
    ids = list(waiting.values_list("pk", flat=True)[:limit])
    done = sum(fan_out(notice_id, now, wait=False) for notice_id in ids)
    return done, len(ids) - done


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


# --- the bot's side ------------------------------------------------------------------------


def exchange(
    results: Collection[Outcome],
    now: datetime,
    *,
    limit: int,
    busy_channels: Collection[int],
    shards: Shards,
    window: timedelta,
) -> list[Request]:
    """Write how requests ended and take up to `limit` due ones, in one transaction.

    At most one a channel: creates first, oldest first. Their attempts are committed when this
    returns, before any request goes out.
    """
    picked = _pick(now, limit, busy_channels, shards) if limit > 0 else []
    if not picked and not results:
        return []
    with transaction.atomic():
        notice_ids = {due.notice_id for due in picked} | {r.request.notice_id for r in results}
        locked = lock_notices(notice_ids)
        counts = _record(results, locked)
        requests = _claim([due.id for due in picked], locked, now, window)
        statuses.refresh(locked, now)
        tallies.add(counts)  # last, as other shards' bots write these rows too
    return requests


def next_due(now: datetime, shards: Shards) -> datetime | None:
    """The moment of the next request that is not due yet."""
    return _earliest(shards.deliveries().filter(due_at__gt=now))


def oldest_due(now: datetime) -> timedelta | None:
    """The age of the oldest request that is due and was not made."""
    oldest = _earliest(Delivery.objects.due(now))
    return now - oldest if oldest else None


def _earliest(deliveries: DeliveryQuerySet) -> datetime | None:
    due = deliveries.order_by("due_at").values_list("due_at", flat=True)
    moments = [due.filter(kind).first() for kind in (CREATES, CHANGES)]
    return min((moment for moment in moments if moment), default=None)


def record_echo(nonce: str, message_id: int, revision: int, now: datetime) -> bool:
    """The gateway showed us a message of ours: settle its delivery if that is still unknown.

    Or if it was overwritten by an older revision, as a bot can that was cut off for a while.
    """
    unknown = Q(message_id=None) & ~Q(state__in=[State.SENDING, State.SENT])
    overwritten = Q(message_id=message_id, state=State.SENT, shown__gt=revision)
    found = Delivery.objects.filter(unknown | overwritten, nonce=nonce)
    notice_id = found.values_list("notice_id", flat=True).first()
    if notice_id is None:
        return False
    with transaction.atomic():
        locked = lock_notices([notice_id])
        _write(found, lambda delivery: outcomes.shown(delivery, message_id, revision, now), now)
        statuses.refresh(locked, now)
    return True


def take_over(now: datetime, shards: Shards, *, but: Collection[int] = ()) -> int:
    """What another bot held when it ended is ours; of its creates nobody knows the outcome.

    `but` are the claims of what is really under way.
    """
    sending = shards.deliveries().filter(state=State.SENDING).exclude(claim__in=but)
    held = list(sending.values_list("pk", "notice_id"))
    if not held:
        return 0
    ids = [pk for pk, _notice in held]
    with transaction.atomic():
        locked = lock_notices(notice_id for _pk, notice_id in held)
        Delivery.objects.filter(Among("pk", ids), state=State.SENDING).update(
            state=Case(
                When(unknown_since__isnull=False, shown=None, then=Value(State.UNKNOWN)),
                default=Value(State.WAITING),
            ),
            due_at=now, claim=None, changed_at=now,
        )  # fmt: skip
        lost = Attempt.objects.filter(Among("delivery", ids), ended_at=None)
        counts = tallies.of_lost(lost.values_list("action", flat=True))
        lost.update(
            ended_at=now,
            outcome=Attempt.Outcome.UNKNOWN,
            detail="the bot stopped before the answer",
        )
        statuses.refresh(locked, now)
        tallies.add(counts)
    return len(ids)


def end_pauses(now: datetime, since: datetime) -> int:
    """Discord answers again: what failed since then need not sit out its pause."""
    paused = Delivery.objects.filter(due_at__gt=now, setbacks__gt=0, tries=0).filter(
        Q(state=State.WAITING) | Q(state=State.UNKNOWN, wanted__isnull=False)
    )
    rows = paused.order_by("due_at").values_list("pk", "notice")  # not by id: that is a scan
    found = [row for kind in (CREATES, CHANGES) for row in rows.filter(kind)]
    with transaction.atomic():
        lock_notices(notice_id for _pk, notice_id in found)
        ended = paused.filter(Among("pk", [pk for pk, _notice in found])).update(due_at=now)
        tallies.add(tallies.of_pause(now - since))
    wake()
    return ended


def recent_requests(since: datetime) -> list[tuple[int, datetime]]:
    """(channel id, begun) of the requests of the last seconds: what the limits still remember."""
    recent = Attempt.objects.filter(begun_at__gte=since).order_by("begun_at")
    return list(recent.values_list("delivery__channel_id", "begun_at"))


def _pick(now: datetime, limit: int, busy_channels: Collection[int], shards: Shards) -> list[_Due]:
    """What goes next: one a channel, creates before changes."""
    free = (
        shards.deliveries()
        .due(now)
        .exclude(Among("channel", busy_channels))
        .order_by("due_at", "id")
    )
    picked: dict[int, _Due] = {}
    for kind in (CREATES, CHANGES):
        if len(picked) >= limit:
            break
        # A few channels with long queues must not hide the others: read on past them.
        rows = free.filter(kind).exclude(Among("channel", picked))
        for row in rows.values_list("id", "channel_id", "notice_id")[: limit * 4]:
            picked.setdefault(row[1], _Due(*row))
    return list(picked.values())[:limit]


def lock_notices(notice_ids: Iterable[int]) -> Locked:
    """The lock that whoever writes a delivery holds. Notices that are gone are left out."""
    rows = Notice.objects.select_for_update().filter(Among("pk", set(notice_ids))).order_by("pk")
    read = rows.values_list("pk", "publish_at", "changed_at")
    return {pk: max(publish_at or changed_at, changed_at) for pk, publish_at, changed_at in read}


# --- how requests ended --------------------------------------------------------------------


def _record(results: Collection[Outcome], locked: Locked) -> Counter[tallies.Key]:
    """Returns what there is to count."""
    if not results:
        return Counter()
    by_delivery = {result.request.delivery_id: result for result in results}
    rows, delays = [], []
    found = Delivery.objects.filter(Among("pk", by_delivery))
    for delivery in found.only("notice", *SETTLED_FIELDS):
        outcome = by_delivery[delivery.pk]
        if delivery.claim != outcome.request.claim or delivery.notice_id not in locked:
            continue  # somebody else has settled it meanwhile
        changes = outcomes.settle(delivery, outcome, max_tries=settings.MAX_SEND_RETRIES)
        changes["changed_at"] = outcome.ended_at
        if delivery.shown is None and changes.get("shown") is not None:
            delays.append((outcome.ended_at - locked[delivery.notice_id]).total_seconds())
        values = [changes.get(name, getattr(delivery, name)) for name in SETTLED_FIELDS]
        rows.append([delivery.pk, *values])
    update_each(Delivery, ["id"], SETTLED_FIELDS, rows)
    update_each(
        Attempt,
        ["delivery", "claim"],
        ["ended_at", "outcome", "code", "detail"],
        [
            (r.request.delivery_id, r.request.claim, r.ended_at, r.kind, r.code, r.detail)
            for r in results
        ],
        where="ended_at IS NULL",
    )
    _mark_channels(results)
    return tallies.of_outcomes(results, delays)


def _mark_channels(results: Collection[Outcome]) -> None:
    """A channel that refuses us is marked for the reader; one that shows us is not any more."""
    for result in results:
        if result.kind == Attempt.Outcome.REFUSED and result.code in CHANNEL_REFUSALS:
            Channel.objects.filter(pk=result.request.channel_id).update(
                refused_at=result.ended_at, refused_code=result.code
            )
    shown = [r.request.channel_id for r in results if r.kind == Attempt.Outcome.SHOWN]
    if shown:
        marked = Channel.objects.filter(Among("pk", shown), refused_at__isnull=False)
        marked.update(refused_at=None, refused_code=None)


# --- the claim -----------------------------------------------------------------------------


def _claim(ids: Collection[int], locked: Locked, now: datetime, window: timedelta) -> list[Request]:
    if not ids:
        return []
    # Read again under the lock: somebody may have been faster.
    due = Delivery.objects.due(now).filter(Among("pk", ids))
    due = due.select_related("notice__study").only(*CLAIMED_FIELDS)
    deliveries = [d for d in due.order_by("due_at", "id") if d.notice_id in locked]
    _expire([d for d in deliveries if outcomes.expired(d, now)], now)
    return _stamp([d for d in deliveries if not outcomes.expired(d, now)], now, window)


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
    update_each(
        Delivery,
        ["id"],
        ["state", "claim", "due_at", "changed_at", "unknown_since"],
        [
            (d.pk, State.SENDING, token, now + LEASE, now, _unknown_from(d, action, now))
            for d, action in planned
        ],
    )
    insert_each(
        Attempt,
        ["delivery", "action", "revision", "nonce", "claim", "begun_at", "detail"],
        [(d.pk, action, _revision(d, action), d.nonce, token, now, "") for d, action in planned],
    )
    return [_request(d, action, token) for d, action in planned]


def _unknown_from(delivery: Delivery, action: str, now: datetime) -> datetime | None:
    """From when nobody knows whether it is shown: until the answer, if that comes."""
    if action in outcomes.BLIND_ACTIONS and delivery.unknown_since is None:
        return now
    return delivery.unknown_since


def _revision(delivery: Delivery, action: str) -> int | None:
    return delivery.notice.revision if action in (Action.CREATE, Action.EDIT) else None


def _request(delivery: Delivery, action: str, token: int) -> Request:
    payload = None
    if action == Action.CREATE:
        payload = embeds.message(delivery)
    elif action == Action.EDIT:
        payload = embeds.edited_message(delivery)
    return Request(
        delivery_id=delivery.pk, notice_id=delivery.notice_id, claim=token, action=action,
        channel_id=delivery.channel_id, nonce=delivery.nonce, message_id=delivery.message_id,
        revision=_revision(delivery, action), payload=payload,
        unknown_since=delivery.unknown_since,
    )  # fmt: skip
