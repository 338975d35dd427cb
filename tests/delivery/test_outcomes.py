"""A table of each state of a delivery and each event. No database is asked.

A row says what the delivery is, what happens to it, and what it is then. A delivery that is being
sent is named by its request: "create", "edit", "delete" or "look_up". It alone meets an answer,
since no other has a claim. The columns:

- becomes: its state. "never" stands where the event cannot meet such a delivery.
- next: the next request, and when it goes out. "pause" is a second or so, and longer with each
  setback. "5 s" is the time that a lost create gets to take effect. "hour" is the notice's own.
  "kept" is when it was due before.
- shows: the revision in the channel, as far as anybody knows.
- nonce: whether a create would go out with a new one.
- doubt: whether a request may have had an effect that nobody knows of.
- paid: its tries, of which it has 3, and its setbacks since the last success.
- error: the code of what the leader is told.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from notices.delivery import outcomes
from notices.delivery.outcomes import LOOK_AFTER, MOST_SETBACKS, Outcome, Weight
from notices.delivery.request import Request
from notices.delivery.rows import HeldDelivery
from notices.models import Attempt, Delivery, ErrorCode

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)
EARLIER = NOW - timedelta(seconds=10)
HOUR = NOW + timedelta(hours=1)
LONG_AGO = NOW - timedelta(hours=1)
WINDOW = timedelta(seconds=60)
MAX_TRIES = 3
NONCE = "23456789AB"
State, Action, Kind = Delivery.State, Attempt.Action, Attempt.Outcome
Changes = dict[str, Any]

NEW = HeldDelivery(
    id=1, notice_id=1, channel_id=1, wanted=1, shown=None, message_id=None, state=State.WAITING,
    nonce=NONCE, due_at=EARLIER, expires_at=None, tries=0, setbacks=0, unknown_since=None,
    error_code=None, error_detail="", claim=None, is_connected=True,
)  # fmt: skip
SHOWS_1: Changes = {"shown": 1, "message_id": 7}
CLAIMED: Changes = {"state": State.SENDING, "claim": 5, "due_at": NOW + timedelta(seconds=50)}
FAILED: Changes = {"state": State.FAILED, "due_at": None, "error_code": 50013}
LOST: Changes = {"unknown_since": EARLIER}
LOST_LONG_AGO: Changes = {"unknown_since": LONG_AGO}
WITHDRAWN: Changes = {"wanted": None}

DELIVERIES = {
    "waiting": NEW,
    "waiting, old text": replace(NEW, **SHOWS_1, wanted=2),
    "waiting, set back": replace(NEW, tries=1, setbacks=2, error_code=500),
    "waiting, withdrawn": replace(NEW, **SHOWS_1, **WITHDRAWN),
    "create": replace(NEW, **CLAIMED, **LOST),
    "create, withdrawn": replace(NEW, **CLAIMED, **LOST, **WITHDRAWN),
    "create, edited": replace(NEW, **CLAIMED, **LOST, wanted=2),
    "create, last try": replace(NEW, **CLAIMED, **LOST, tries=MAX_TRIES),
    "create, no patience": replace(NEW, **CLAIMED, **LOST, setbacks=MOST_SETBACKS),
    "create, lost before": replace(NEW, **CLAIMED, **LOST_LONG_AGO, tries=1),
    "edit": replace(NEW, **CLAIMED, **SHOWS_1, wanted=2),
    "edit, withdrawn": replace(NEW, **CLAIMED, **SHOWS_1, **WITHDRAWN),
    "delete": replace(NEW, **CLAIMED, **SHOWS_1, **LOST, **WITHDRAWN),
    "delete, wanted anew": replace(NEW, **CLAIMED, **SHOWS_1, **LOST, wanted=2),
    "look_up": replace(NEW, **CLAIMED, **LOST_LONG_AGO),
    "look_up, withdrawn": replace(NEW, **CLAIMED, **LOST_LONG_AGO, **WITHDRAWN),
    "look_up, no tries": replace(
        NEW, **CLAIMED, **LOST_LONG_AGO, tries=MAX_TRIES + 1, error_code=50013
    ),
    "sent": replace(NEW, state=State.SENT, due_at=None, wanted=2, shown=2, message_id=7),
    "failed": replace(NEW, **FAILED),
    "failed, old text": replace(NEW, **FAILED | SHOWS_1, wanted=2),
    "failed, deleted": replace(NEW, **FAILED | {"error_code": ErrorCode.MESSAGE_DELETED}),
    "failed, emptied": replace(NEW, **FAILED | SHOWS_1 | {"error_code": ErrorCode.MESSAGE_EMPTIED}),
    "unknown": replace(NEW, **LOST, state=State.UNKNOWN, due_at=NOW, tries=1, setbacks=1),
    "unknown, undecided": replace(
        NEW, **LOST, state=State.UNKNOWN, due_at=None, error_code=ErrorCode.NO_ANSWER
    ),
    "withdrawn": replace(NEW, **WITHDRAWN, state=State.WITHDRAWN, due_at=None),
}  # fmt: skip

Event = Callable[[HeldDelivery], Changes]


def wish(wanted: int | None) -> Event:
    def event(delivery: HeldDelivery) -> Changes:
        return outcomes.wish(delivery, wanted, due_at=HOUR, expires_at=None, now=NOW)

    return event


def another_hour(delivery: HeldDelivery) -> Changes:
    return outcomes.wish(delivery, delivery.wanted, due_at=HOUR, expires_at=None, now=NOW)


def echo(revision: int) -> Event:
    def event(delivery: HeldDelivery) -> Changes:
        return outcomes.shown(delivery, 7, revision, NOW)

    return event


def removal(code: ErrorCode) -> Event:
    return lambda delivery: outcomes.removed(delivery, code, NOW)


# The deeds of people and the gateway, which come at any moment.
NEWS: dict[str, Event] = {
    "newer text": wish(3),
    "wanted anew": wish(1),
    "withdrawal": wish(None),
    "another hour": another_hour,
    "echo": echo(1),
    "deletion": removal(ErrorCode.MESSAGE_DELETED),
    "emptying": removal(ErrorCode.MESSAGE_EMPTIED),
}
# The answers to a request, as facts of its outcome.
ANSWERS: dict[str, dict[str, Any]] = {
    "shown": {"kind": Kind.SHOWN},
    "gone": {"kind": Kind.GONE},
    "absent": {"kind": Kind.ABSENT},
    "transient": {"kind": Kind.TRANSIENT, "code": 500, "weight": Weight.TRY},
    "transient: setback": {"kind": Kind.TRANSIENT, "code": 0, "weight": Weight.SETBACK},
    "transient: outage": {"kind": Kind.TRANSIENT, "code": 0, "weight": Weight.NOTHING},
    "transient: over": {"kind": Kind.TRANSIENT, "code": 0, "weight": Weight.ALL},
    "transient: 60 s": {
        "kind": Kind.TRANSIENT, "code": 429, "weight": Weight.NOTHING, "retry_after": 60,
    },
    "refused 50013": {"kind": Kind.REFUSED, "code": 50013},
    "refused 10008": {"kind": Kind.REFUSED, "code": ErrorCode.MESSAGE_DELETED},
    "refused 10003": {"kind": Kind.REFUSED, "code": ErrorCode.CHANNEL_DELETED},
    "unknown": {"kind": Kind.UNKNOWN, "code": 0},
    "unknown: over": {"kind": Kind.UNKNOWN, "code": 0, "weight": Weight.ALL},
}  # fmt: skip

TABLE = """
delivery             event               becomes    next           shows  nonce  doubt  paid  error
---------------------------------------------------------------------------------------------------
waiting              newer text          waiting    create hour    -      -      -      0/0   -
waiting              withdrawal          withdrawn  -              -      -      -      0/0   -
waiting              another hour        waiting    create hour    -      -      -      0/0   -
waiting              echo                sent       -              1      -      -      0/0   -
waiting              deletion            never: no message of it is known
waiting              emptying            never: no message of it is known
waiting, set back    newer text          waiting    create hour    -      -      -      0/0   -
waiting, set back    another hour        waiting    create kept    -      -      -      1/2   500
waiting, old text    newer text          waiting    edit now       1      -      -      0/0   -
waiting, old text    withdrawal          waiting    delete now     1      -      -      0/0   -
waiting, old text    another hour        waiting    edit kept      1      -      -      0/0   -
waiting, old text    deletion            failed     -              -      new    -      0/0   10008
waiting, old text    emptying            waiting    edit kept      1      -      -      0/0   -
waiting, withdrawn   wanted anew         waiting    edit now       1      -      -      0/0   -
create               newer text          sending    -              -      -      yes    0/0   -
create               withdrawal          sending    -              -      -      yes    0/0   -
create               another hour        sending    -              -      -      yes    0/0   -
create               echo                never: its own answer tells
create               deletion            never: its own answer tells
create               emptying            never: its own answer tells
delete               wanted anew         sending    -              1      -      yes    0/0   -
sent                 newer text          waiting    edit now       2      -      -      0/0   -
sent                 withdrawal          waiting    delete now     2      -      -      0/0   -
sent                 another hour        sent       -              2      -      -      0/0   -
sent                 echo                waiting    edit now       1      -      -      0/0   -
sent                 deletion            failed     -              -      new    -      0/0   10008
sent                 emptying            failed     -              2      -      -      0/0   11
sent                 wanted anew         never: it is wanted there
failed               newer text          waiting    create hour    -      -      -      0/0   -
failed               withdrawal          withdrawn  -              -      -      -      0/0   -
failed               another hour        failed     -              -      -      -      0/0   50013
failed               echo                sent       -              1      -      -      0/0   -
failed               deletion            never: no message of it is known
failed               emptying            never: no message of it is known
failed               wanted anew         failed     -              -      -      -      0/0   50013
failed, old text     newer text          waiting    edit now       1      -      -      0/0   -
failed, old text     withdrawal          waiting    delete now     1      -      -      0/0   -
failed, old text     deletion            failed     -              -      new    -      0/0   10008
failed, old text     emptying            failed     -              1      -      -      0/0   50013
failed, deleted      newer text          failed     -              -      -      -      0/0   10008
failed, deleted      withdrawal          withdrawn  -              -      -      -      0/0   -
failed, emptied      newer text          waiting    edit now       1      -      -      0/0   -
failed, emptied      withdrawal          waiting    delete now     1      -      -      0/0   -
failed, emptied      echo                sent       -              1      -      -      0/0   -
failed, emptied      deletion            failed     -              -      new    -      0/0   10008
unknown              newer text          unknown    create kept    -      -      yes    0/1   -
unknown              withdrawal          unknown    look_up 5 s    -      -      yes    0/1   -
unknown              another hour        unknown    create kept    -      -      yes    1/1   -
unknown              echo                sent       -              1      -      -      0/0   -
unknown              deletion            never: no message of it is known
unknown              emptying            never: no message of it is known
unknown              wanted anew         unknown    create kept    -      -      yes    1/1   -
unknown, undecided   newer text          unknown    -              -      -      yes    0/0   2
unknown, undecided   withdrawal          unknown    look_up 5 s    -      -      yes    0/0   2
unknown, undecided   echo                sent       -              1      -      -      0/0   -
withdrawn            newer text          waiting    create hour    -      -      -      0/0   -
withdrawn            withdrawal          withdrawn  -              -      -      -      0/0   -
withdrawn            another hour        withdrawn  -              -      -      -      0/0   -
withdrawn            echo                waiting    delete now     1      -      -      0/0   -
withdrawn            deletion            never: no message of it is known
withdrawn            emptying            never: no message of it is known
withdrawn            wanted anew         waiting    create hour    -      -      -      0/0   -
---------------------------------------------------------------------------------------------------
create               shown               sent       -              1      -      -      0/0   -
create               gone                never: only a delete makes it so
create               absent              never: only a look-up tells
create               transient           waiting    create pause   -      -      -      1/1   500
create               transient: setback  waiting    create pause   -      -      -      0/1   0
create               transient: outage   waiting    create pause   -      -      -      0/1   0
create               transient: 60 s     waiting    create 60 s    -      -      -      0/1   429
create               transient: over     failed     -              -      -      -      4/0   0
create               refused 50013       failed     -              -      -      -      0/0   50013
create               refused 10008       failed     -              -      new    -      0/0   10008
create               refused 10003       failed     -              -      -      -      0/0   10003
create               unknown             unknown    create pause   -      -      yes    1/1   0
create               unknown: over       unknown    look_up 5 s    -      -      yes    4/0   0
create, last try     transient           failed     -              -      -      -      4/1   500
create, last try     transient: outage   waiting    create pause   -      -      -      3/1   0
create, last try     unknown             unknown    look_up 5 s    -      -      yes    4/1   0
create, no patience  transient: setback  failed     -              -      -      -      4/0   0
create, no patience  transient: outage   waiting    create pause   -      -      -      0/25  0
create, no patience  unknown             unknown    look_up pause  -      -      yes    4/0   0
create, lost before  shown               sent       -              1      -      -      0/0   -
create, lost before  transient           unknown    look_up pause  -      -      yes    2/1   500
create, lost before  refused 50013       unknown    look_up 5 s    -      -      yes    4/0   50013
create, lost before  refused 10008       failed     -              -      new    -      1/0   10008
create, lost before  transient: over     unknown    look_up 5 s    -      -      yes    4/0   0
create, edited       shown               waiting    edit now       1      -      -      0/0   -
create, edited       transient           waiting    create pause   -      -      -      1/1   500
create, edited       unknown             unknown    create pause   -      -      yes    1/1   0
create, withdrawn    shown               waiting    delete now     1      -      -      0/0   -
create, withdrawn    transient           withdrawn  -              -      -      -      1/1   -
create, withdrawn    refused 50013       withdrawn  -              -      -      -      0/0   -
create, withdrawn    unknown             unknown    look_up 5 s    -      -      yes    1/1   0
---------------------------------------------------------------------------------------------------
edit                 shown               sent       -              2      -      -      0/0   -
edit                 gone                never: only a delete makes it so
edit                 absent              never: only a look-up tells
edit                 transient           waiting    edit pause     1      -      -      1/1   500
edit                 transient: over     failed     -              1      -      -      4/0   0
edit                 refused 50013       failed     -              1      -      -      0/0   50013
edit                 refused 10008       failed     -              -      new    -      0/0   10008
edit                 unknown             waiting    edit pause     1      -      -      1/1   0
edit, withdrawn      shown               waiting    delete now     2      -      -      0/0   -
edit, withdrawn      transient           waiting    delete pause   1      -      -      1/1   500
edit, withdrawn      refused 50013       failed     -              1      -      -      0/0   50013
edit, withdrawn      refused 10008       withdrawn  -              -      new    -      0/0   -
edit, withdrawn      unknown             waiting    delete pause   1      -      -      1/1   0
---------------------------------------------------------------------------------------------------
delete               shown               never: it shows nothing
delete               gone                withdrawn  -              -      new    -      0/0   -
delete               absent              never: only a look-up tells
delete               transient           waiting    delete pause   1      -      -      1/1   500
delete               transient: over     failed     -              1      -      -      4/0   0
delete               refused 50013       failed     -              1      -      -      0/0   50013
delete               refused 10008       withdrawn  -              -      new    -      0/0   -
delete               unknown             waiting    delete pause   1      -      yes    1/1   0
delete, wanted anew  gone                waiting    create now     -      new    -      0/0   -
delete, wanted anew  transient           waiting    edit pause     1      -      -      1/1   500
delete, wanted anew  refused 10008       failed     -              -      new    -      0/0   10008
delete, wanted anew  unknown             waiting    delete pause   1      -      yes    1/1   0
---------------------------------------------------------------------------------------------------
look_up              shown               sent       -              1      -      -      0/0   -
look_up              gone                never: only a delete makes it so
look_up              absent              waiting    create now     -      -      -      0/0   -
look_up              transient           unknown    look_up pause  -      -      yes    0/1   500
look_up              transient: over     unknown    -              -      -      yes    4/1   2
look_up              refused 50013       unknown    -              -      -      yes    0/0   3
look_up              refused 10003       failed     -              -      -      -      0/0   10003
look_up              unknown             unknown    look_up pause  -      -      yes    0/1   0
look_up              unknown: over       unknown    -              -      -      yes    4/1   2
look_up, no tries    shown               sent       -              1      -      -      0/0   -
look_up, no tries    absent              failed     -              -      -      -      4/0   50013
look_up, no tries    transient           unknown    look_up 5 s    -      -      yes    4/1   50013
look_up, withdrawn   shown               waiting    delete now     1      -      -      0/0   -
look_up, withdrawn   absent              withdrawn  -              -      -      -      0/0   -
look_up, withdrawn   transient           unknown    look_up 5 s    -      -      yes    0/1   500
look_up, withdrawn   transient: 60 s     unknown    look_up 60 s   -      -      yes    0/1   429
look_up, withdrawn   refused 50013       unknown    -              -      -      yes    0/0   3
look_up, withdrawn   refused 10003       withdrawn  -              -      -      -      0/0   -
look_up, withdrawn   unknown             unknown    look_up 5 s    -      -      yes    0/1   0
"""


@dataclass(frozen=True, slots=True)
class Row:
    delivery: str
    event: str
    after: tuple[str, ...]


def read(table: str) -> list[Row]:
    """Columns stand two spaces or more apart. The first line names them."""
    lines = [line for line in table.strip().splitlines()[1:] if not line.startswith("---")]
    cells = [re.split(r"\s{2,}", line.strip()) for line in lines]
    return [Row(delivery, event, tuple(after)) for delivery, event, *after in cells]


ROWS = read(TABLE)
POSSIBLE = [row for row in ROWS if not row.after[0].startswith("never")]


def changes_of(row: Row, delivery: HeldDelivery) -> Changes:
    if row.event in NEWS:
        return NEWS[row.event](delivery)
    action = Action(row.delivery.split(",")[0])
    # The claim has set `unknown_since`, unless an earlier request had left it.
    before = None if delivery.unknown_since == EARLIER else delivery.unknown_since
    request = Request(1, 1, 5, action, 1, NONCE, message_id=7, unknown_since=before)
    facts = ANSWERS[row.event]
    if facts["kind"] == Kind.SHOWN:
        facts = facts | {"message_id": 7, "revision": 2 if action == Action.EDIT else 1}
    outcome = Outcome(request=request, ended_at=NOW, **facts)
    return outcomes.settle(delivery, outcome, max_tries=MAX_TRIES)


def describe(before: HeldDelivery, after: HeldDelivery) -> tuple[str, ...]:
    """The cells of a row."""
    error = "-" if after.error_code is None else str(int(after.error_code))
    return (
        after.state, next_of(before, after), str(after.shown or "-"),
        "-" if after.nonce == NONCE else "new", "-" if after.unknown_since is None else "yes",
        f"{after.tries}/{after.setbacks}", error,
    )  # fmt: skip


def next_of(before: HeldDelivery, after: HeldDelivery) -> str:
    if after.state == State.SENDING or after.due_at is None:
        return "-"
    action = outcomes.next_action(after, after.due_at, WINDOW, max_tries=MAX_TRIES)
    return f"{action} {when(before, after.due_at)}"


def when(before: HeldDelivery, due_at: datetime) -> str:
    named = {NOW: "now", HOUR: "hour", NOW + LOOK_AFTER: "5 s", NOW + timedelta(minutes=1): "60 s"}
    return "kept" if due_at == before.due_at else named.get(due_at, "pause")


@pytest.mark.parametrize("row", POSSIBLE, ids=lambda row: f"{row.delivery}, then {row.event}")
def test_an_event_changes_a_delivery_as_the_table_says(row: Row) -> None:
    before = DELIVERIES[row.delivery]
    after = replace(before, **changes_of(row, before))
    assert describe(before, after) == row.after
    assert_is_valid(after)


def assert_is_valid(delivery: HeldDelivery) -> None:
    """Check what the constraints of the database ask for."""
    assert (delivery.shown is None) == (delivery.message_id is None)
    assert (delivery.claim is not None) == (delivery.state == State.SENDING)
    match delivery.state:
        case State.WAITING | State.SENDING:
            assert delivery.due_at is not None
        case State.SENT:
            assert delivery.shown == delivery.wanted is not None
            assert delivery.due_at is None
        case State.FAILED:
            assert delivery.error_code is not None
            assert delivery.due_at is None
        case State.UNKNOWN:
            assert delivery.unknown_since is not None
        case State.WITHDRAWN:
            assert (delivery.wanted, delivery.shown, delivery.due_at) == (None, None, None)


@pytest.mark.parametrize("name", DELIVERIES)
def test_each_delivery_of_the_table_is_one_that_there_can_be(name: str) -> None:
    assert_is_valid(DELIVERIES[name])


def test_each_state_meets_all_that_people_and_the_gateway_do() -> None:
    told = {(DELIVERIES[row.delivery].state, row.event) for row in ROWS}
    assert set(product(State, NEWS)) - told == set()


def test_each_request_meets_each_outcome() -> None:
    told = {(row.delivery, ANSWERS[row.event]["kind"]) for row in ROWS if row.event in ANSWERS}
    assert set(product(Action, Kind)) - told == set()


def test_the_table_uses_each_delivery_event_and_weight() -> None:
    assert {row.delivery for row in ROWS} == DELIVERIES.keys()
    assert {row.event for row in ROWS} == {*NEWS, *ANSWERS}
    assert {facts["weight"] for facts in ANSWERS.values() if "weight" in facts} == set(Weight)
