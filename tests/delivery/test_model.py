"""The delivery's promises, driven in any order: claim, send, lose, echo, edit, withdraw,
expire, die.

Time is simulated; the models, the statements and the decisions are the real ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notices import actions
from notices.delivery import statuses
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.identity import identify
from notices.delivery.outcomes import Outcome, Weight
from notices.delivery.recovery import end_pauses, record_echo, take_over
from notices.delivery.request import Request
from notices.models import Attempt, Channel, Delivery, Notice, Study

WINDOW = timedelta(seconds=60)
DISCORDS_WINDOW = timedelta(seconds=180)
Kind = Attempt.Outcome


@dataclass
class Message:
    id: int
    nonce: str
    revision: int
    made_at: datetime
    alive: bool = True


class DeliveryMachine(RuleBasedStateMachine):
    """One notice in one channel, and a Discord that keeps its documented promises."""

    @initialize()
    def publish(self) -> None:
        for model in (Attempt, Delivery, Notice, Study, Channel):
            model.objects.all().delete()
        self.now = timezone.now()
        self.messages: list[Message] = []
        self.in_hand: list[Request] = []
        self.deleted_by_somebody = False
        study = Study.objects.create(name="스터디")
        self.channel = Channel.objects.create(id=1)
        self.notice = Notice.objects.create(
            study=study, title="1", content="…", publish_at=self.now
        )
        self.notice.channels.add(self.channel)

    # --- the leader ------------------------------------------------------------------------

    @rule()
    def edit(self) -> None:
        self.notice.title = str(int(self.notice.title) + 1)
        self.notice.save()

    @rule()
    def withdraw(self) -> None:
        actions.withdraw(self.notice)

    @rule()
    def take_the_channel_away(self) -> None:
        self.notice.channels.clear()

    @rule()
    def give_the_channel_back(self) -> None:
        self.notice.channels.add(self.channel)

    @rule(seconds=st.sampled_from([5, 100]))
    def set_a_last_moment(self, seconds: int) -> None:
        self.notice.expires_at = self.now + timedelta(seconds=seconds)
        self.notice.save()

    @rule()
    def send_again(self) -> None:
        actions.send_again(self.notice, undecided=False)

    @rule()
    def look_again(self) -> None:
        actions.look_again_in(self.notice, self.channel.pk)

    @rule()
    def look_and_decide(self) -> None:
        """The leader looks for a message where the bot cannot, and says whether it is there."""
        undecided = Delivery.objects.filter(Delivery.UNDECIDED).first()
        if undecided is None:
            return
        is_there = any(m.alive and m.nonce == undecided.nonce for m in self.messages)
        if is_there == (undecided.wanted is not None):
            assert actions.leave_in(self.notice, self.channel.pk)
        elif not is_there:
            assert actions.send_again_in(self.notice, self.channel.pk)

    @rule()
    def fan_out(self) -> None:
        fan_out(self.notice.pk, self.now)

    @precondition(lambda self: not self.in_hand)  # a claimed request goes out at once
    @rule(seconds=st.sampled_from([1, 10, 70, 200]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # --- the bot and Discord ---------------------------------------------------------------

    @rule()
    def claim(self) -> None:
        if not self.in_hand:
            self.in_hand = self.exchange([], limit=5)

    @precondition(lambda self: self.in_hand)
    @rule()
    def send(self) -> None:
        request = self.in_hand.pop()
        self.record(request, **self.carry_out(request))

    @precondition(lambda self: self.in_hand)
    @rule(arrives=st.booleans(), dies=st.booleans())
    def lose(self, *, arrives: bool, dies: bool) -> None:
        """The reply is lost, or the bot dies with the request out."""
        request = self.in_hand.pop()
        if arrives:
            self.carry_out(request)
        if dies:
            take_over(self.now, Shards())
        else:
            self.record(request, kind=Kind.UNKNOWN, weight=Weight.SETBACK)

    @precondition(lambda self: self.in_hand)
    @rule(code=st.sampled_from([10003, 50013, 50035]))
    def refuse(self, code: int) -> None:
        """A refused look into the channel leaves the delivery undecided."""
        self.record(self.in_hand.pop(), kind=Kind.REFUSED, code=code)

    @precondition(lambda self: self.in_hand)
    @rule(weight=st.sampled_from(Weight), lost=st.booleans())
    def fail_for_now(self, weight: Weight, *, lost: bool) -> None:
        kind = Kind.UNKNOWN if lost else Kind.TRANSIENT
        self.record(self.in_hand.pop(), kind=kind, code=500, weight=weight)

    @rule()
    def outage_ends(self) -> None:
        end_pauses(self.now, self.now)

    @precondition(lambda self: any(m.alive for m in self.messages))
    @rule()
    def echo(self) -> None:
        message = next(m for m in self.messages if m.alive)
        record_echo(message.nonce, message.id, message.revision, self.now)

    @precondition(lambda self: any(m.alive for m in self.messages))
    @rule()
    def somebody_deletes(self) -> None:
        for message in self.messages:
            message.alive = False
        self.deleted_by_somebody = True

    def record(self, request: Request, **result: object) -> None:
        self.exchange([Outcome(request=request, ended_at=self.now, **result)], limit=0)  # type: ignore[arg-type]

    def exchange(self, results: list[Outcome], *, limit: int) -> list[Request]:
        return exchange(
            results, self.now, limit=limit, busy_channels=[], shards=Shards(), window=WINDOW
        )

    def carry_out(self, request: Request) -> dict[str, object]:
        """Do what Discord would do, and return the facts of its answer."""
        if request.action == "create":
            return self.create(request)
        if request.action == "look_up":
            found = [m for m in self.messages if m.alive and m.nonce == request.nonce]
            if not found:
                return {"kind": Kind.ABSENT}
            return {
                "kind": Kind.SHOWN, "message_id": found[0].id, "revision": found[0].revision,
            }  # fmt: skip
        message = next(m for m in self.messages if m.id == request.message_id)
        if request.action == "delete":
            message.alive = False
            return {"kind": Kind.GONE}
        if not message.alive:
            return {"kind": Kind.REFUSED, "code": 10008}
        message.revision = revision_of(request)
        return {"kind": Kind.SHOWN, "message_id": message.id, "revision": message.revision}

    def create(self, request: Request) -> dict[str, object]:
        same = [m for m in self.messages if m.nonce == request.nonce]
        recent = [m for m in same if self.now - m.made_at < DISCORDS_WINDOW]
        if recent and not recent[-1].alive:
            return {"kind": Kind.REFUSED, "code": 10008}
        if not recent:
            number = 1000 + len(self.messages)
            recent = [Message(number, request.nonce, revision_of(request), self.now)]
            self.messages += recent
        return {
            "kind": Kind.SHOWN, "message_id": recent[-1].id, "revision": recent[-1].revision,
        }  # fmt: skip

    # --- the promises ----------------------------------------------------------------------

    @invariant()
    def never_shown_twice(self) -> None:
        assert sum(message.alive for message in self.messages) <= 1

    @invariant()
    def the_status_never_contradicts_the_deliveries(self) -> None:
        stored = Notice.objects.get().status
        if Notice.objects.not_fanned_out().exists():
            return
        statuses.refresh([self.notice.pk], self.now)
        assert Notice.objects.get().status == stored

    @invariant()
    def sent_is_true(self) -> None:
        if self.deleted_by_somebody:
            return  # the bot notices it at the next request
        for delivery in Delivery.objects.filter(state="sent"):
            (message,) = [m for m in self.messages if m.alive]
            assert (message.id, message.revision) == (delivery.message_id, delivery.wanted)

    def teardown(self) -> None:
        """Undisturbed, the delivery ends in what the leader wanted last."""
        if not hasattr(self, "now"):
            return
        for _round in range(30):
            fan_out(self.notice.pk, self.now)
            self.claim()
            while self.in_hand:
                self.send()
            self.now += timedelta(seconds=400)
        delivery = Delivery.objects.first()
        if delivery is None:
            return  # withdrawn before anything was fanned out
        alive = [m for m in self.messages if m.alive]
        assert delivery.due_at is None, delivery.state
        if delivery.wanted is None:
            assert not alive or delivery.state == "failed"
        elif delivery.state == "sent" and not self.deleted_by_somebody:
            assert [m.revision for m in alive] == [Notice.objects.get().revision]


def revision_of(request: Request) -> int:
    found = identify(request.payload or {})
    assert found is not None
    return found.revision


@pytest.mark.django_db(transaction=True)
def test_the_promises_hold_for_any_order_of_events() -> None:
    run_state_machine_as_test(
        DeliveryMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
