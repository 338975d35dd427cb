"""Records news beside the answers: echoes, removals, another bot's end, outages and timeouts."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from notices.advice import error_codes
from notices.delivery import counters, outcomes, statuses
from notices.delivery.due import OURS, Shards
from notices.delivery.poison import DATA_ERRORS
from notices.delivery.rows import lock_notices, read_deliveries, write_changes
from notices.delivery.wake import wake
from notices.models import Attempt, Channel, Delivery, ErrorCode, Pause
from notices.sql import Among, Statement

log = logging.getLogger(__name__)

# Discord refuses at once, and the gateway tells why a moment later.
TIMEOUT_TOLD_WITHIN = timedelta(seconds=30)
# The second where an archived thread would have to be opened first.
REFUSED_IN_A_TIMEOUT = (error_codes.MISSING_PERMISSIONS, error_codes.ARCHIVED_THREAD)

State = Delivery.State

# Deliveries that another bot of our shards had claimed (index delivery_sending).
_HELD_BY_OTHERS = Statement(
    """
    SELECT id, notice_id FROM notices_delivery
    WHERE state = '{State.SENDING}' AND NOT claim = ANY(%(but)s::bigint[]) AND {ours}
    """,
    State=State,
    ours=OURS,
)

# The pauses of our channels, and that of all.
_OUR_PAUSES = Statement(
    """
    SELECT id FROM notices_pause WHERE channel_id = {Pause.EVERYTHING} OR {ours}
    """,
    Pause=Pause,
    ours=OURS,
)


def record_echo(nonce: str, message_id: int, revision: int, now: datetime) -> bool:
    """The gateway showed us a message of ours: settle its delivery if that is still unknown.

    Settle it as well if an older revision was written over it, as by a bot that was cut off for a
    while, or if somebody had emptied the message and it is whole again.
    """
    unknown = Q(message_id=None) & ~Q(state__in=[State.SENDING, State.SENT])
    overwritten = Q(message_id=message_id, state=State.SENT, shown__gt=revision)
    emptied = Q(message_id=message_id, state=State.FAILED, error_code=ErrorCode.MESSAGE_EMPTIED)
    concerned = Delivery.objects.filter(unknown | overwritten | emptied, nonce=nonce)
    notice_id = concerned.values_list("notice_id", flat=True).first()
    if notice_id is None:
        return False
    try:
        with transaction.atomic():
            locked = lock_notices([notice_id])
            found = read_deliveries(list(concerned.values_list("pk", flat=True)))
            write_changes(
                [(one, outcomes.shown(one, message_id, revision, now)) for one in found], now
            )
            statuses.refresh(locked, now)
    except DATA_ERRORS:
        log.exception("message %s: what the gateway tells of it cannot be written", message_id)
        return False
    return True


def record_removals(codes: Mapping[int, int], now: datetime) -> int:
    """Somebody deleted messages, or emptied them: `codes` tells which, by the message's id.

    Nearly all are messages of others. What is being sent is left to its own answer.
    """
    there = Delivery.objects.filter(Among("message_id", codes)).exclude(state=State.SENDING)
    notice_ids = set(there.values_list("notice_id", flat=True))
    if not notice_ids:
        return 0
    try:
        return _record_removals(codes, there, notice_ids, now)
    except DATA_ERRORS:
        log.exception("what was removed cannot be written: each is tried by itself")
        if len(codes) == 1:
            return 0
        return sum(record_removals({pk: code}, now) for pk, code in codes.items())


def _record_removals(
    codes: Mapping[int, int], there: QuerySet[Delivery], notice_ids: set[int], now: datetime
) -> int:
    with transaction.atomic():
        locked = lock_notices(notice_ids)
        found = read_deliveries(list(there.values_list("pk", flat=True)))
        changed = [
            (one, changes)
            for one in found
            if one.message_id and (changes := outcomes.removed(one, codes[one.message_id], now))
        ]
        write_changes(changed, now)
        statuses.refresh(locked, now)
    return len(changed)


def take_over(now: datetime, shards: Shards, *, but: Collection[int] = ()) -> int:
    """Take over the deliveries that another bot had claimed when it ended.

    Nobody knows the outcome of its creates. `but` are the claims that are really under way.
    """
    held = _HELD_BY_OTHERS.fetch(but=but, **shards.values())
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
        counts = counters.of_lost(lost.values_list("action", flat=True))
        lost.update(
            ended_at=now,
            outcome=Attempt.Outcome.UNKNOWN,
            detail="the bot stopped before the answer",
        )
        statuses.refresh(locked, now)
        counters.add(counts)
    return len(ids)


def end_pauses(now: datetime, since: datetime) -> int:
    """Discord answers again: what failed since then need not sit out its pause."""
    paused = Delivery.objects.filter(tries=0)
    with transaction.atomic():
        ended = _end_pauses_of(paused, now, since)
        Pause.objects.filter(channel_id=Pause.EVERYTHING).delete()
        counters.add(counters.of_pause(now - since))
    wake()
    return ended


def end_rest(
    channel_ids: Collection[int], guild_id: int | None, now: datetime, since: datetime
) -> None:
    """These channels answer again: what waits there goes at once, and no mark is left."""
    places = Q(pk__in=channel_ids) | (Q(guild_id=guild_id) if guild_id else Q())
    with transaction.atomic():
        _end_pauses_of(Delivery.objects.filter(channel__in=channel_ids), now, since)
        Pause.objects.filter(channel_id__in=channel_ids, is_named=False).delete()
        Channel.objects.filter(places, refused_at__isnull=False).update(
            refused_at=None, refused_code=None
        )
    wake()


def _end_pauses_of(deliveries: QuerySet[Delivery], now: datetime, since: datetime) -> int:
    """Make the deliveries due that failed for now, and close the reason of their failure.

    They go before later ones. A delivery that Discord itself asked to wait goes on waiting.
    """
    paused = (
        deliveries.filter(due_at__gt=now, setbacks__gt=0)
        .filter(Q(state=State.WAITING) | Q(state=State.UNKNOWN, wanted__isnull=False))
        .exclude(error_code__in=error_codes.LIMITS)
    )
    rows = paused.order_by("due_at").values_list("pk", "notice")  # not by id: that is a scan
    found = [
        row for is_create in (True, False) for row in rows.filter(message_id__isnull=is_create)
    ]
    lock_notices(notice_id for _pk, notice_id in found)
    # One that has used up its tries is looked for, and then fails for the reason that it has.
    is_known = Q(tries__gt=0)
    return paused.filter(Among("pk", [pk for pk, _notice in found])).update(
        due_at=min(since, now),
        error_code=Case(When(is_known, then=F("error_code")), default=None),
        error_detail=Case(When(is_known, then=F("error_detail")), default=Value("")),
    )


def note_pauses(
    channel_ids: Collection[int], until: datetime, *, of_creates: bool = True, is_named: bool = True
) -> None:
    """Leave these channels alone until then, whoever is the bot; only a longer pause is news."""
    with transaction.atomic():
        mine = Pause.objects.filter(channel_id__in=channel_ids, of_creates=of_creates)
        known = set(mine.values_list("channel_id", flat=True))
        mine.filter(until__lt=until).update(until=until, is_named=is_named)
        Pause.objects.bulk_create(
            [
                Pause(channel_id=pk, of_creates=of_creates, is_named=is_named, until=until)
                for pk in channel_ids
                if pk not in known
            ],
            ignore_conflicts=True,
        )


def pauses(now: datetime, shards: Shards) -> list[Pause]:
    """Those that are not over, for all or for channels of ours; the others are forgotten."""
    Pause.objects.filter(until__lte=now).delete()
    ours = [pk for (pk,) in _OUR_PAUSES.fetch(**shards.values())]
    return list(Pause.objects.filter(pk__in=ours).order_by("id"))


def guild_of(channel_id: int) -> int | None:
    return Channel.objects.filter(pk=channel_id).values_list("guild_id", flat=True).first()


def channels_of(guild_id: int) -> list[int]:
    return list(Channel.objects.filter(guild_id=guild_id).values_list("pk", flat=True))


def begin_timeouts(channel_ids: Collection[int], now: datetime) -> int:
    """The bot is timed out there: what was refused for it, before it was known, is due once more.

    It then waits for the timeout's end.
    """
    refused = Delivery.objects.filter(
        state=State.FAILED, error_code__in=REFUSED_IN_A_TIMEOUT, channel__in=channel_ids,
        changed_at__gte=now - TIMEOUT_TOLD_WITHIN,
    )  # fmt: skip
    with transaction.atomic():
        found = dict(refused.values_list("pk", "notice"))
        locked = lock_notices(found.values())
        begun = refused.filter(Among("pk", list(found))).update(
            state=State.WAITING, due_at=now, tries=0, error_code=None, error_detail="",
            changed_at=now,
        )  # fmt: skip
        statuses.refresh(locked, now)
    wake()
    return begun


def end_timeouts(guild_id: int, now: datetime) -> int:
    """The bot is timed out in the guild no more: what waited for that is due."""
    waiting = Delivery.objects.filter(
        error_code=ErrorCode.TIMED_OUT, due_at__gt=now, channel__guild_id=guild_id
    )
    rows = waiting.order_by("due_at").values_list("pk", "notice")
    found = [row for create in (True, False) for row in rows.filter(message_id__isnull=create)]
    with transaction.atomic():
        lock_notices(notice_id for _pk, notice_id in found)
        ended = waiting.filter(Among("pk", [pk for pk, _notice in found])).update(due_at=now)
    wake()
    return ended


def known_timeouts(now: datetime) -> dict[int, datetime]:
    """By channel, until when the bot is timed out there for all that was written."""
    timed_out = Channel.objects.filter(timed_out_until__gt=now)
    return dict(timed_out.values_list("pk", "timed_out_until"))  # type: ignore[arg-type]


def recent_requests(since: datetime) -> list[tuple[int, datetime]]:
    """(channel id, begun) of the requests of the last seconds: what the limits still remember."""
    recent = Attempt.objects.filter(begun_at__gte=since).order_by("begun_at")
    return list(recent.values_list("delivery__channel_id", "begun_at"))
