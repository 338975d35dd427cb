"""No state is for ever: whatever fails for now ends, and then the leader knows or is asked."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from notices.delivery import outcomes
from notices.delivery.outcomes import MOST_SETBACKS, Outcome, Weight
from notices.delivery.request import Request
from notices.delivery.rows import HeldDelivery
from notices.models import Attempt, Delivery, ErrorCode

WINDOW = timedelta(seconds=60)
MOST_TRIES = 5
BEGUN = timezone.now()
Kind, State = Attempt.Outcome, Delivery.State


def a_delivery(**more: object) -> HeldDelivery:
    fresh = HeldDelivery(
        id=1, notice_id=1, channel_id=1, wanted=1, shown=None, message_id=None,
        state=State.WAITING, nonce="23456789AB", due_at=BEGUN, expires_at=None, tries=0,
        setbacks=0, unknown_since=None, error_code=None, error_detail="", claim=7,
        is_connected=True,
    )  # fmt: skip
    return replace(fresh, **more)  # type: ignore[arg-type]


NEW = a_delivery()
LOST = a_delivery(unknown_since=BEGUN, state=State.UNKNOWN)
EDITED = a_delivery(wanted=2, shown=1, message_id=5)
WITHDRAWN = a_delivery(wanted=None, shown=1, message_id=5)
LOST_AND_WITHDRAWN = a_delivery(wanted=None, unknown_since=BEGUN, state=State.UNKNOWN)
REMOVAL_LOST = a_delivery(wanted=1, shown=1, message_id=5, unknown_since=BEGUN)
EXPIRED_LOST = a_delivery(
    unknown_since=BEGUN, state=State.UNKNOWN, expires_at=BEGUN + timedelta(seconds=1)
)
ALL = [NEW, LOST, EDITED, WITHDRAWN, LOST_AND_WITHDRAWN, REMOVAL_LOST, EXPIRED_LOST]


def fail(delivery: HeldDelivery, kind: str, weight: Weight) -> HeldDelivery:
    """Its next request is made when it is due, and fails for now."""
    assert delivery.due_at is not None
    now = delivery.due_at
    action = outcomes.next_action(delivery, now, WINDOW, max_tries=MOST_TRIES)
    blind = action in outcomes.BLIND_ACTIONS
    request = Request(
        1, 1, 7, action, 1, delivery.nonce, message_id=delivery.message_id,
        unknown_since=delivery.unknown_since,
    )  # fmt: skip
    claimed = replace(
        delivery, state=State.SENDING, claim=7,
        unknown_since=(delivery.unknown_since or now) if blind else delivery.unknown_since,
    )  # fmt: skip
    outcome = Outcome(request, kind, now, code=6, detail="a page", weight=weight)
    return replace(claimed, **outcomes.settle(claimed, outcome, max_tries=MOST_TRIES))


@pytest.mark.parametrize("delivery", ALL)
@pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.UNKNOWN])
@pytest.mark.parametrize("weight", [Weight.TRY, Weight.SETBACK, Weight.ALL])
def test_a_delivery_ends_however_it_fails(
    delivery: HeldDelivery, kind: str, weight: Weight
) -> None:
    requests = 0
    while delivery.due_at is not None:
        delivery = fail(delivery, kind, weight)
        requests += 1
        assert requests <= 2 * (MOST_SETBACKS + 1)
    is_asked = delivery.state == State.UNKNOWN and delivery.error_code == ErrorCode.NO_ANSWER
    is_told = delivery.state == State.FAILED and delivery.error_code is not None
    assert is_asked or is_told or delivery.state == State.WITHDRAWN
    # While it may be shown, it is never said to have failed or to be gone.
    if delivery.unknown_since is not None and delivery.shown is None:
        assert is_asked


@pytest.mark.parametrize("delivery", ALL)
@pytest.mark.parametrize("kind", [Kind.TRANSIENT, Kind.UNKNOWN])
def test_an_outage_ends_nothing(delivery: HeldDelivery, kind: str) -> None:
    is_gone = delivery.wanted is None and delivery.shown is None and delivery.unknown_since is None
    for _request in range(5 * MOST_SETBACKS):
        delivery = fail(delivery, kind, Weight.NOTHING)
    assert delivery.due_at is not None or is_gone
    assert delivery.tries <= MOST_TRIES + 1


def test_the_bound_is_about_an_hour_and_a_half() -> None:
    delivery = NEW
    while delivery.due_at is not None:
        ends_at = delivery.due_at
        delivery = fail(delivery, Kind.TRANSIENT, Weight.SETBACK)
    assert timedelta(hours=1) < ends_at - BEGUN < timedelta(hours=2)
