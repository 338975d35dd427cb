"""Decides how a new wish, an outcome or other news changes a delivery.

These are decisions alone, which read no clock and no database. Each takes a delivery as it was read
under its notice's lock, and returns the fields that change. `tests/delivery/test_outcomes.py` shows
them as a table.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from notices.delivery.request import Request
from notices.delivery.rows import HeldDelivery
from notices.models import Attempt, Delivery, ErrorCode, new_nonce
from notices.retry import pause_seconds

# A request whose answer was lost may still take effect for so long. To look for its message at once
# could miss it, and a newer edit could be overwritten by it.
LOOK_AFTER = timedelta(seconds=5)
# A date has to hold whatever pause an answer names. The longest that Discord names is an hour.
LONGEST_ASKED_SECONDS = 24 * 3600.0
# So many requests may fail for now, those in an outage not counted, before the leader is asked.
# With the pauses between them that takes an hour and a half.
MOST_SETBACKS = 24

State = Delivery.State
Action = Attempt.Action
# When the answer to one of these is lost, nobody knows what the channel shows.
BLIND_ACTIONS = frozenset({Action.CREATE, Action.DELETE})
# These have to come after whatever a lost request still does.
WAITING_ACTIONS = frozenset({Action.LOOK_UP, Action.EDIT})


class Weight(Enum):
    """The cost of a failed request for its delivery, which is tried again."""

    TRY = auto()
    """One of its tries."""
    SETBACK = auto()
    """No try, since no answer was about this message. `MOST_SETBACKS` end it all the same."""
    NOTHING = auto()
    """Nothing, as there is an outage or a pause that Discord named."""
    ALL = auto()
    """All of its tries, as it has waited long enough."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one claimed request; `kind` is an `Attempt.Outcome`."""

    request: Request
    kind: str
    ended_at: datetime
    message_id: int | None = None
    revision: int | None = None
    is_emptied: bool = False
    code: int | None = None
    detail: str = ""
    retry_after: float = 0
    weight: Weight = Weight.TRY


def wish(
    delivery: HeldDelivery,
    wanted: int | None,
    *,
    due_at: datetime,
    expires_at: datetime | None,
    now: datetime,
) -> dict[str, Any]:
    """The leader wants `wanted` shown (null: nothing), not before `due_at`."""
    if wanted == delivery.wanted:
        return _reschedule(delivery, due_at, expires_at)
    changes: dict[str, Any] = {"wanted": wanted, "expires_at": expires_at}
    match delivery.state:
        case State.SENDING:
            return changes  # the outcome compares when it is written
        case State.UNKNOWN:
            # The new text has not been refused yet, and has used no tries.
            return changes | {"tries": 0} | _look_if_withdrawn(delivery, wanted, now)
        case State.FAILED if _deleted_by_somebody(delivery) and wanted is not None:
            return changes  # never silently posted anew
    fresh = {"tries": 0, "setbacks": 0, "error_code": None, "error_detail": ""}
    if wanted is None and delivery.shown is None:
        return changes | fresh | _withdrawn(delivery, delivery.unknown_since, now)
    # Where it is wanted again before the delete, an edit restores what may have been emptied.
    waits_for_its_hour = delivery.shown is None
    due_at = due_at if waits_for_its_hour else now
    return changes | fresh | _as_waiting(delivery, delivery.unknown_since, due_at)


def settle(delivery: HeldDelivery, outcome: Outcome, *, max_tries: int) -> dict[str, Any]:
    """The request that `delivery` was claimed for has ended."""
    match outcome.kind:
        case Attempt.Outcome.SHOWN:
            changes = shown(delivery, outcome.message_id, outcome.revision, outcome.ended_at)
            # In one write, as a bot that died in between would leave "sent" behind.
            return changes | (_emptied(changes["state"]) if outcome.is_emptied else {})
        case Attempt.Outcome.GONE:
            return _gone(delivery, outcome.ended_at)
        case Attempt.Outcome.ABSENT:
            return _absent(delivery, outcome.ended_at, max_tries)
        case Attempt.Outcome.REFUSED:
            return _refused(delivery, outcome, max_tries)
    return _setback(delivery, outcome, max_tries)


def shown(
    delivery: HeldDelivery, message_id: int | None, revision: int | None, now: datetime
) -> dict[str, Any]:
    """A message of this delivery was seen in its channel, with this revision."""
    wanted = delivery.wanted
    if wanted is not None and revision is not None:
        wanted = max(wanted, revision)  # the text was read after an edit not fanned out yet
    agrees = wanted is not None and wanted == revision
    return {
        "wanted": wanted, "shown": revision, "message_id": message_id, "unknown_since": None,
        "state": State.SENT if agrees else State.WAITING, "due_at": None if agrees else now,
        "claim": None, "tries": 0, "setbacks": 0, "error_code": None, "error_detail": "",
    }  # fmt: skip


def removed(delivery: HeldDelivery, code: int, now: datetime) -> dict[str, Any]:
    """Somebody has deleted its message, or emptied it: `code` tells which."""
    if code == ErrorCode.MESSAGE_EMPTIED:
        return _emptied(delivery.state)
    if delivery.unknown_since is not None:
        return _gone(delivery, now)  # by a delete of ours, whose answer was lost
    changes = {"claim": None, "due_at": None} | _deleted()
    if delivery.wanted is None:
        return changes | {"state": State.WITHDRAWN, "error_code": None, "error_detail": ""}
    return changes | {"state": State.FAILED, "error_code": code, "error_detail": ""}


def _emptied(state: str) -> dict[str, Any]:
    if state != State.SENT:
        return {}  # an edit, or a delete, is due anyway
    return {"state": State.FAILED, "error_code": ErrorCode.MESSAGE_EMPTIED, "error_detail": ""}


def expired(delivery: HeldDelivery, now: datetime) -> bool:
    """Return whether its last moment is over and its channel surely does not show it."""
    return _is_over(delivery, now) and delivery.shown is None and delivery.unknown_since is None


def barred(delivery: HeldDelivery, now: datetime, *, max_tries: int) -> dict[str, Any] | None:
    """Return the changes if its study no longer has the channel, or None if it may go on.

    A message that is shown there is still corrected and removed. One that may be shown there is
    looked for first.
    """
    if delivery.is_connected or delivery.wanted is None or delivery.shown is not None:
        return None
    reason = {"error_code": ErrorCode.CHANNEL_TAKEN, "error_detail": ""}
    if delivery.unknown_since is None:
        return {"state": State.FAILED, "due_at": None, **reason}
    if delivery.tries > max_tries:
        return None
    return {
        "state": State.UNKNOWN, "due_at": now + LOOK_AFTER, "tries": max_tries + 1, **reason,
    }  # fmt: skip


def next_action(delivery: HeldDelivery, now: datetime, window: timedelta, *, max_tries: int) -> str:
    """Return the request after which the channel shows the wanted revision."""
    if delivery.shown is not None:
        removing = delivery.wanted is None or _removal_is_unknown(delivery)
        return Action.DELETE if removing else Action.EDIT
    since = delivery.unknown_since
    if since is None:
        return Action.CREATE
    ends = delivery.wanted is None or delivery.tries > max_tries or _is_over(delivery, now)
    return Action.LOOK_UP if ends or now >= resend_until(since, window) else Action.CREATE


def resend_until(unknown_since: datetime, window: timedelta) -> datetime:
    """Return until when a create may go out again, so that Discord still knows its nonce then."""
    return unknown_since + window - LOOK_AFTER


def _is_over(delivery: HeldDelivery, now: datetime) -> bool:
    return delivery.expires_at is not None and delivery.expires_at <= now


def _reschedule(
    delivery: HeldDelivery, due_at: datetime, expires_at: datetime | None
) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if delivery.expires_at != expires_at:
        changes["expires_at"] = expires_at
    not_begun = delivery.state == State.WAITING and delivery.shown is None
    if not_begun and delivery.setbacks == 0 and delivery.due_at != due_at:
        changes["due_at"] = due_at
    return changes


def _look_if_withdrawn(delivery: HeldDelivery, wanted: int | None, now: datetime) -> dict[str, Any]:
    if wanted is not None or delivery.unknown_since is None:
        return {}
    return {"due_at": now + LOOK_AFTER}


def _withdrawn(
    delivery: HeldDelivery,
    unknown_since: datetime | None,
    now: datetime,
    asked: timedelta = timedelta(),
) -> dict[str, Any]:
    """The channel shows nothing, as far as anybody knows. `asked` is Discord's pause."""
    if unknown_since is not None:
        pause = timedelta(seconds=pause_seconds(max(delivery.setbacks, 1)))
        return {"state": State.UNKNOWN, "due_at": now + max(pause, asked, LOOK_AFTER)}
    return {"state": State.WITHDRAWN, "due_at": None, "error_code": None, "error_detail": ""}


def _as_waiting(
    delivery: HeldDelivery, unknown_since: datetime | None, due_at: datetime
) -> dict[str, Any]:
    unknown = unknown_since is not None and delivery.shown is None
    return {"state": State.UNKNOWN if unknown else State.WAITING, "due_at": due_at}


def _removal_is_unknown(delivery: HeldDelivery) -> bool:
    """The answer to a delete was lost. Only another delete tells what the channel shows."""
    return delivery.shown is not None and delivery.unknown_since is not None


def _deleted_by_somebody(delivery: HeldDelivery) -> bool:
    return delivery.shown is None and delivery.error_code == ErrorCode.MESSAGE_DELETED


def _gone(delivery: HeldDelivery, now: datetime) -> dict[str, Any]:
    """It was deleted. It gets a new nonce: Discord would refuse a create under the old one."""
    done = delivery.wanted is None
    return {
        "shown": None, "message_id": None, "nonce": new_nonce(), "unknown_since": None,
        "state": State.WITHDRAWN if done else State.WAITING, "due_at": None if done else now,
        "claim": None, "tries": 0, "setbacks": 0, "error_code": None, "error_detail": "",
    }  # fmt: skip


def _absent(delivery: HeldDelivery, now: datetime, max_tries: int) -> dict[str, Any]:
    """The history does not have it, so it was never shown."""
    changes: dict[str, Any] = {"unknown_since": None, "claim": None}
    if delivery.wanted is not None and delivery.tries > max_tries:
        # Its `error_code` is that of the request that failed before.
        return changes | {"state": State.FAILED, "due_at": None}
    done = delivery.wanted is None
    return changes | {
        "state": State.WITHDRAWN if done else State.WAITING, "due_at": None if done else now,
        "error_code": None, "error_detail": "",
    }  # fmt: skip


def _refused(delivery: HeldDelivery, outcome: Outcome, max_tries: int) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "state": State.FAILED, "due_at": None, "claim": None,
        "error_code": outcome.code, "error_detail": outcome.detail,
    }  # fmt: skip
    if outcome.request.action == Action.LOOK_UP:
        if outcome.code == ErrorCode.CHANNEL_DELETED:
            return changes | _gone_with_its_channel(delivery)
        return changes | {"state": State.UNKNOWN, "error_code": ErrorCode.NOT_READABLE}
    unknown_since = _still_unknown(delivery, outcome)
    changes["unknown_since"] = unknown_since
    if outcome.code == ErrorCode.MESSAGE_DELETED:
        changes |= _deleted()
        if delivery.wanted is None:
            return changes | {"state": State.WITHDRAWN, "error_code": None, "error_detail": ""}
    elif delivery.wanted is None and delivery.shown is None:
        return changes | _withdrawn(delivery, unknown_since, outcome.ended_at)
    elif unknown_since is not None and delivery.shown is None:
        # An earlier request may have shown it. It is looked for before it counts as failed.
        return changes | {
            "state": State.UNKNOWN, "due_at": outcome.ended_at + LOOK_AFTER,
            "tries": max_tries + 1,
        }  # fmt: skip
    return changes


def _deleted() -> dict[str, Any]:
    """It gets a new nonce: Discord would answer "send again" under the old one with an error."""
    return {"shown": None, "message_id": None, "unknown_since": None, "nonce": new_nonce()}


def _gone_with_its_channel(delivery: HeldDelivery) -> dict[str, Any]:
    """Nobody knows whether it was ever shown. It is surely not shown now."""
    if delivery.wanted is None:
        return {
            "unknown_since": None, "state": State.WITHDRAWN, "error_code": None, "error_detail": "",
        }  # fmt: skip
    return {"unknown_since": None}


def _setback(delivery: HeldDelivery, outcome: Outcome, max_tries: int) -> dict[str, Any]:
    """It failed for now. It is due again after a pause, unless it has waited long enough."""
    looked = outcome.request.action == Action.LOOK_UP
    tries = delivery.tries + (1 if outcome.weight is Weight.TRY and not looked else 0)
    setbacks = min(delivery.setbacks + 1, 1000)
    unknown_since = _still_unknown(delivery, outcome)
    is_over = _is_enough(outcome, setbacks)
    gives_up = tries > max_tries or is_over
    changes: dict[str, Any] = {
        "tries": max(tries, max_tries + 1) if gives_up else tries,
        # A look-up may follow, which has as many setbacks to spend.
        "setbacks": 0 if is_over and not looked else setbacks,
        "claim": None, "unknown_since": unknown_since,
    }  # fmt: skip
    may_be_shown = delivery.shown is None and unknown_since is not None
    if looked and is_over:
        return changes | _undecided(ErrorCode.NO_ANSWER, outcome.detail)
    if not (looked and gives_up):
        changes |= {"error_code": outcome.code, "error_detail": outcome.detail}
    if gives_up and not may_be_shown:
        return changes | {"state": State.FAILED, "due_at": None}
    asked = timedelta(seconds=min(outcome.retry_after, LONGEST_ASKED_SECONDS))
    if delivery.wanted is None and delivery.shown is None:
        return changes | _withdrawn(delivery, unknown_since, outcome.ended_at, asked)
    due_at = outcome.ended_at + max(timedelta(seconds=pause_seconds(setbacks)), asked)
    if gives_up or _is_over(delivery, outcome.ended_at):
        due_at = max(due_at, outcome.ended_at + LOOK_AFTER)
    return changes | _as_waiting(delivery, unknown_since, due_at)


def _is_enough(outcome: Outcome, setbacks: int) -> bool:
    """Return whether it has waited long enough."""
    if outcome.weight is Weight.ALL:
        return True
    return outcome.weight is not Weight.NOTHING and setbacks > MOST_SETBACKS


def _undecided(code: ErrorCode, detail: str) -> dict[str, Any]:
    """The bot cannot find out whether it is shown, so the leader is asked to look."""
    return {
        "state": State.UNKNOWN, "due_at": None, "error_code": code, "error_detail": detail,
    }  # fmt: skip


def _still_unknown(delivery: HeldDelivery, outcome: Outcome) -> datetime | None:
    """Since when its effect is unknown. A request that surely did nothing adds no doubt."""
    if outcome.request.action in BLIND_ACTIONS and outcome.kind != Attempt.Outcome.UNKNOWN:
        return outcome.request.unknown_since
    return delivery.unknown_since
