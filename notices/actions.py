"""The deeds of a person to a notice or a key, each in one transaction with its history."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Case, Q, QuerySet, Value, When

from notices.files.attached import readable
from notices.models import (
    Actor,
    ApiKey,
    CallbackEndpoint,
    Change,
    Delivery,
    ErrorCode,
    Notice,
    Upload,
)
from notices.outside import clock
from notices.tables import notice_fields
from notices.tables.key import key_rotated


def write(notice: Notice, channel_ids: Iterable[int]) -> None:
    """Save a new notice for these channels, in the caller's transaction."""
    notice.save()
    # Not by set(): it would look for the channels that a new notice cannot have yet.
    chosen = Notice.channels.through
    chosen.objects.bulk_create(chosen(notice_id=notice.pk, channel_id=pk) for pk in channel_ids)
    if notice.attachments:
        hold_uploads(notice)


def withdraw(notice: Notice, *, by: Actor = None) -> bool:
    """Want all messages removed. Return whether this call changed that; a draft has none."""
    with transaction.atomic():
        locked = Notice.objects.select_for_update().get(pk=notice.pk)
        if locked.withdrawn_at is not None or locked.publish_at is None:
            return False
        if locked.archived_at is not None:
            return False
        notice.withdrawn_at = clock.now()
        notice.save(update_fields=["withdrawn_at"])
        Change.objects.did(Change.Deed.WITHDRAWN, locked, by)
    return True


def send_again(notice: Notice, *, by: Actor = None, undecided: bool = True) -> int:
    """Make failed and undecided deliveries due again, and return how many.

    Without `undecided`, leave out those that may be shown and cannot be looked for.
    """
    again = ~Q(error_code=ErrorCode.LEFT)
    if not undecided:
        again &= ~Delivery.UNDECIDED
    return _decide(notice, _send_again, Change.Deed.SENT_AGAIN, by, again)


def send_again_in(notice: Notice, channel_id: int, *, by: Actor = None) -> bool:
    """Send it again in one channel; a person has seen that an undecided one is not shown."""
    only = Q(channel=channel_id)
    return bool(_decide(notice, _send_again, Change.Deed.SENT_AGAIN, by, only))


def look_again_in(notice: Notice, channel_id: int, *, by: Actor = None) -> bool:
    """Have the bot look for the message in the channel's history, which it can read by now."""
    only = Q(channel=channel_id)
    return bool(_decide(notice, _look_again, Change.Deed.LOOKED_AGAIN, by, only))


def leave_in(notice: Notice, channel_id: int, *, by: Actor = None) -> bool:
    """Leave an undecided delivery as it is: a person has seen that the channel is right."""
    return bool(_decide(notice, _leave, Change.Deed.LEFT, by, Q(channel=channel_id)))


def hold_uploads(notice: Notice) -> None:
    """Keep the attached uploads from being pruned (`upkeep/pruning.py`) while the notice has them.

    Raises Upload.DoesNotExist with the id of an upload that is deleted already.
    """
    ids = [one["id"] for one in readable(notice.attachments)]
    with transaction.atomic():
        locked = Upload.objects.select_for_update().filter(pk__in=ids)
        for gone in set(ids).difference(locked.values_list("pk", flat=True)):
            raise Upload.DoesNotExist(gone)
        notice.uploads.set(ids)


def duplicate(notice: Notice, by: User | None) -> Notice:
    """Make a draft with the same content, for those of its channels that the study still has."""
    with transaction.atomic():
        held = set(notice.uploads.select_for_update().values_list("pk", flat=True))
        copied = {name: getattr(notice, name) for name in notice_fields.SHOWN}
        copied["attachments"] = [one for one in readable(notice.attachments) if one["id"] in held]
        copy = Notice.objects.create(**copied, created_by=by)
        copy.channels.set(notice.study.channels.filter(notices=notice))
        hold_uploads(copy)
    return copy


def rotate(key: ApiKey, overlap: timedelta) -> tuple[ApiKey, str]:
    """Make a successor with the same rights and lifetime; `key` expires after `overlap`.

    Return it and its key in plain text, which is not stored.
    """
    now = clock.now()
    ends = now + overlap
    with transaction.atomic():
        # The lock makes sure that the successor gets no right that is being taken away now.
        key.refresh_from_db(from_queryset=ApiKey.objects.select_for_update())
        successor = ApiKey(**{name: getattr(key, name) for name in ApiKey.INHERITED_FIELDS})
        successor.revoked = key.revoked
        if key.expiry_date is not None:
            successor.expiry_date = now + (key.expiry_date - key.created)
        told = ApiKey.objects.assign_key(successor)
        successor.save()
        successor.studies.set(key.studies.all())
        CallbackEndpoint.objects.filter(key=key).update(key=successor)
        key.expiry_date = min(key.expiry_date or ends, ends)
        key.save(update_fields=["expiry_date"])
    key_rotated.send(ApiKey, old=key, successor=successor)
    return successor, told


# --- decisions about deliveries: each returns the ids of the channels that it changed ---------


def _decide(
    notice: Notice,
    decide: Callable[[QuerySet[Delivery], datetime], list[int]],
    deed: str,
    by: Actor,
    only: Q,
) -> int:
    """Apply `decide` under the notice's lock; return in how many channels it changed something."""
    with transaction.atomic():
        locked = Notice.objects.select_for_update().get(pk=notice.pk)
        channel_ids = decide(notice.deliveries.filter(only), clock.now())
        if channel_ids:
            notice.save(update_fields=["changed_at"])
            Change.objects.did(deed, locked, by, channel_ids)
    return len(channel_ids)


def _send_again(deliveries: QuerySet[Delivery], now: datetime) -> list[int]:
    """Make due again what ended without showing what is wanted."""
    # By this the leader has decided that an undecided message is gone, so none is to be deleted.
    deliveries.filter(Delivery.UNDECIDED, wanted__isnull=False).update(
        state=Delivery.State.FAILED, unknown_since=None
    )
    ended = Delivery.UNDECIDED | Q(state=Delivery.State.FAILED)
    return _make_due(deliveries.filter(ended), now)


def _look_again(deliveries: QuerySet[Delivery], now: datetime) -> list[int]:
    """Have undecided deliveries, and those that were left as they are, looked for in Discord."""
    left = Q(error_code=ErrorCode.LEFT)
    return _make_due(deliveries.filter(Delivery.UNDECIDED | left), now)


def _leave(deliveries: QuerySet[Delivery], now: datetime) -> list[int]:
    """End undecided deliveries as they are.

    `unknown_since` stays on those that should be shown, so that a later change looks for the
    message first.
    """
    undecided = deliveries.filter(Delivery.UNDECIDED)
    channel_ids = list(undecided.values_list("channel_id", flat=True))
    undecided.filter(wanted=None).update(
        state=Delivery.State.WITHDRAWN, unknown_since=None, error_code=None, error_detail="",
        changed_at=now,
    )  # fmt: skip
    undecided.update(
        state=Delivery.State.FAILED, error_code=ErrorCode.LEFT, error_detail="", changed_at=now
    )
    return channel_ids


def _make_due(deliveries: QuerySet[Delivery], now: datetime) -> list[int]:
    channel_ids = list(deliveries.values_list("channel_id", flat=True))
    look_up = When(unknown_since__isnull=False, then=Value(Delivery.State.UNKNOWN))
    deliveries.update(
        state=Case(look_up, default=Value(Delivery.State.WAITING)), due_at=now, tries=0,
        setbacks=0, error_code=None, error_detail="",
    )  # fmt: skip
    return channel_ids
