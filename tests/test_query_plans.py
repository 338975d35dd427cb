"""The frequent calls read no more of the history than they need, however long it is.

Each call is run over a long history and undone; then its statements are run again, one by one,
with the database's own account of what each of them reads, and by which index.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from benchmarks.old_rows import Past, add
from notices.delivery.due import Shards, next_due, oldest_due
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out, oldest_waiting, sweep
from notices.delivery.outcomes import Outcome
from notices.delivery.recovery import (
    end_pauses,
    recent_requests,
    record_echo,
    record_removals,
    take_over,
)
from notices.delivery.request import Request
from notices.models import ApiKey, Attempt, Notice
from notices.upkeep import pruning

# Rows of the history: notices a quarter of these.
DELIVERIES = 80_000
# The limits of a call: rows that it reads on PostgreSQL, steps of SQLite's virtual machine. To read
# all notices once would exceed the largest.
FEW = {"postgresql": 1_000, "sqlite": 7_000}
A_PAGE = {"postgresql": 4_000, "sqlite": 40_000}
STEPS_AT_ONCE = 10

pytestmark = pytest.mark.django_db

IS_POSTGRES = connection.vendor == "postgresql"
FIRST_STUDY = 101
# Nobody writes in the first two any more, while the others go on.
IDLE, BUSY = (101, 102), (103, 104)
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = timezone.now()
WINDOW = timedelta(seconds=60)

# Whether ANALYZE was run: PostgreSQL does it by itself, on SQLite nobody does, or an operator.
ANALYZED = [True] if IS_POSTGRES else [False, True]

Call = Callable[[], Any]
Statement = tuple[str, Any, bool]


@dataclass
class Cost:
    """The rows that a call's statements read together, their indexes, and their plans."""

    read: int = 0
    indexes: set[str] = field(default_factory=set)
    plans: list[str] = field(default_factory=list)


@dataclass
class World:
    """A long history, and a little to do: ten creates and ten changes due, ten under way."""

    site_admin: Client
    leader: dict[tuple[int, ...], Client]
    every_key: APIClient
    key: dict[tuple[int, ...], APIClient]
    held: list[Request]
    unfanned: Notice


# --- the world -----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=ANALYZED)
def world(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world(is_analyzed=request.param)
        transaction.set_rollback(True)


def make_world(*, is_analyzed: bool) -> World:
    past = Past(FIRST_STUDY, len(IDLE) + len(BUSY), BEGIN)
    past.create()
    add(past, DELIVERIES // 8)
    add(Past(BUSY[0], len(BUSY), BEGIN + timedelta(days=1)), DELIVERIES * 7 // 8)
    if is_analyzed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    for number in range(6):
        publish(BUSY[number % 2])
    held = claim(10)
    for number in range(6):
        publish(BUSY[number % 2])
    old = Notice.objects.filter(study=IDLE[0], status="sent").order_by("-pk")[:4]
    for notice in old:
        notice.content = "Moved to Thursday."
        notice.save()
        fan_out(notice.pk)
    chosen: list[tuple[int, ...]] = [IDLE, BUSY, IDLE[:1], BUSY[:1]]
    return World(
        site_admin=logged_in(User.objects.create_superuser("plans-admin")),
        leader={studies: leader_of(studies) for studies in chosen},
        every_key=key_for(()),
        key={studies: key_for(studies) for studies in chosen},
        held=held,
        unfanned=publish(BUSY[0], fanned_out=False),
    )


def publish(study: int, *, fanned_out: bool = True) -> Notice:
    notice = Notice.objects.create(study_id=study, title="Now", content="…", publish_at=NOW)
    notice.channels.set(Past.channels_of(study))
    if fanned_out:
        fan_out(notice.pk)
    return notice


def leader_of(studies: tuple[int, ...]) -> Client:
    user = User.objects.create_user(f"leader-of-{'-'.join(map(str, studies))}")
    user.studies.set(studies)
    return logged_in(user)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def key_for(studies: tuple[int, ...]) -> APIClient:
    row = ApiKey(name="plans", all_studies=not studies, may_see_people=True)
    key = ApiKey.objects.assign_key(row)
    row.save()
    row.studies.set(studies)
    return APIClient(headers={"X-API-Key": key})


def claim(limit: int, shards: Shards | None = None, busy: tuple[int, ...] = ()) -> list[Request]:
    return exchange(
        [], NOW, limit=limit, busy_channels=busy, shards=shards or Shards(), window=WINDOW
    )


def record(requests: list[Request]) -> None:
    results = [
        Outcome(request, Attempt.Outcome.SHOWN, NOW, message_id=n, revision=1)
        for n, request in enumerate(requests, start=1)
    ]
    exchange(results, NOW, limit=0, busy_channels=(), shards=Shards(), window=WINDOW)


# --- what a call costs ---------------------------------------------------------------------


def cost_of(call: Call) -> Cost:
    statements: list[Statement] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            statements.append((sql, params, many))
        return execute(sql, params, many, context)

    with undone(), connection.execute_wrapper(note):
        call()
    cost = Cost()
    with undone():
        for statement in statements:
            (explain_postgres if IS_POSTGRES else explain_sqlite)(statement, cost)
    return cost


class undone:  # noqa: N801
    """A transaction that is rolled back, within the module's own."""

    def __enter__(self) -> None:
        self.savepoint = transaction.savepoint()

    def __exit__(self, *_error: Any) -> None:
        transaction.savepoint_rollback(self.savepoint)


def explain_postgres(statement: Statement, cost: Cost) -> None:
    sql, params, many = statement
    with connection.cursor() as cursor:
        if many or not sql.startswith(("SELECT", "UPDATE", "DELETE", "\nUPDATE")):
            (cursor.executemany if many else cursor.execute)(sql, params)
            return
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        plan = cursor.fetchone()[0]
    (top,) = json.loads(plan) if isinstance(plan, str) else plan
    for node in nodes(top["Plan"]):
        if "Relation Name" in node or "Index Name" in node:
            passed_by = node.get("Rows Removed by Filter", 0)
            passed_by += node.get("Rows Removed by Index Recheck", 0)
            cost.read += (node["Actual Rows"] + passed_by) * node["Actual Loops"]
        if "Index Name" in node:
            cost.indexes.add(node["Index Name"])
    cost.plans.append(f"{sql}\n{json.dumps(top['Plan'], indent=1)}")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explain_sqlite(statement: Statement, cost: Cost) -> None:
    sql, params, many = statement
    with connection.cursor() as cursor:
        if not many:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            details = [row[3] for row in cursor.fetchall()]
            cost.plans.append("\n    ".join([sql, *details]))
            for detail in details:
                cost.indexes.update(detail.partition(" INDEX ")[2].split()[:1])

        def count() -> int:
            cost.read += STEPS_AT_ONCE
            return 0

        connection.connection.set_progress_handler(count, STEPS_AT_ONCE)
        (cursor.executemany if many else cursor.execute)(sql, params)
        if cursor.description:
            cursor.fetchall()
        connection.connection.set_progress_handler(None, 0)


def check(cost: Cost, limit: dict[str, int], *indexes: str) -> None:
    told = "\n\n".join(cost.plans)
    assert cost.read <= limit[connection.vendor], told
    assert set(indexes) <= cost.indexes, told


# --- the bot and the queue -----------------------------------------------------------------


def test_a_scan_of_the_history_would_be_noticed(world: World) -> None:
    for limit in (FEW, A_PAGE):
        with pytest.raises(AssertionError):
            check(cost_of(Notice.objects.filter(title="no such title").exists), limit)


@pytest.mark.parametrize("shards", [Shards(), Shards((0, 1), 2)], ids=["one", "shards"])
def test_a_claim_reads_what_is_due(world: World, shards: Shards) -> None:
    cost = cost_of(lambda: claim(10, shards, tuple(Past.channels_of(IDLE[1]))))
    check(cost, FEW, "delivery_due_create", "delivery_due_change")


def test_an_outcome_and_the_status_read_their_own_notice(world: World) -> None:
    check(cost_of(lambda: record(world.held[:4])), FEW)


def test_the_next_and_the_oldest_due_delivery_are_found_by_index(world: World) -> None:
    indexes = "delivery_due_create", "delivery_due_change"
    check(cost_of(lambda: next_due(NOW, Shards())), FEW, *indexes)
    check(cost_of(lambda: oldest_due(NOW)), FEW, *indexes)


def test_the_sweep_finds_what_is_not_fanned_out(world: World) -> None:
    late = NOW + timedelta(days=1)
    check(cost_of(lambda: oldest_waiting(late)), FEW, "notice_to_fan_out")
    cost = cost_of(lambda: sweep(late, limit=10))
    check(cost, FEW, "notice_to_fan_out")


def test_a_fan_out_reads_its_own_notice(world: World) -> None:
    check(cost_of(lambda: fan_out(world.unfanned.pk)), FEW)


def test_a_takeover_finds_what_was_held(world: World) -> None:
    check(cost_of(lambda: take_over(NOW, Shards())), FEW, "delivery_sending")


def test_the_end_of_an_outage_reads_what_waits(world: World) -> None:
    check(cost_of(lambda: end_pauses(NOW, NOW - timedelta(minutes=1))), FEW)


def test_the_last_requests_are_found_by_their_time(world: World) -> None:
    since = NOW - timedelta(seconds=10)
    check(cost_of(lambda: recent_requests(since)), FEW, "attempt_by_time")


def test_an_echo_finds_its_delivery_by_the_nonce(world: World) -> None:
    nonce = world.held[0].nonce
    check(cost_of(lambda: record_echo(nonce, 5, 1, NOW)), FEW)


def test_a_removal_finds_its_delivery_by_the_message(world: World) -> None:
    codes = dict.fromkeys(range(1, 101), 10008)
    check(cost_of(lambda: record_removals(codes, NOW)), FEW)


def test_readyz_and_metrics_read_no_history(world: World) -> None:
    for path in ("/readyz", "/metrics"):
        check(cost_of(partial(Client().get, path)), FEW)


# --- pruning -------------------------------------------------------------------------------


def test_pruning_reads_what_is_old_enough(world: World, settings: Any) -> None:
    settings.KEEP_DELIVERIES_DAYS = settings.KEEP_ATTEMPTS_DAYS = 1
    nothing = cost_of(lambda: pruning.prune(BEGIN + timedelta(days=1), seconds=60))
    check(nothing, FEW, "delivery_settled", "attempt_by_time")
    moment = BEGIN + timedelta(days=1, seconds=20)
    some = cost_of(lambda: pruning.prune(moment, seconds=60))
    check(some, A_PAGE, "delivery_settled")
    settings.KEEP_DELIVERIES_DAYS = 0
    attempts = cost_of(lambda: pruning.prune(moment, seconds=60))
    check(attempts, A_PAGE, "attempt_by_time")


# --- the lists -----------------------------------------------------------------------------

QUERIES = ["", "p=3", "status=failed", "status=queued", "status=sent", "status=scheduled"]


@pytest.mark.parametrize("query", [*QUERIES, "study=101", "study=103&status=failed"])
def test_a_site_admins_list_reads_a_page(world: World, query: str) -> None:
    check(cost_of(lambda: desk_list(world.site_admin, query)), A_PAGE)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("studies", [IDLE, BUSY, IDLE[:1], BUSY[:1]], ids=str)
def test_a_leaders_list_reads_a_page(world: World, studies: tuple[int, ...], query: str) -> None:
    check(cost_of(lambda: desk_list(world.leader[studies], query)), A_PAGE)


@pytest.mark.parametrize("query", ["", "status=failed", "status=queued", "study_id=101"])
def test_the_apis_list_reads_a_page(world: World, query: str) -> None:
    check(cost_of(lambda: api_list(world.every_key, query)), A_PAGE)


@pytest.mark.parametrize("query", ["", "status=failed", "status=queued"])
@pytest.mark.parametrize("studies", [IDLE, BUSY, IDLE[:1], BUSY[:1]], ids=str)
def test_the_apis_list_of_some_studies_reads_a_page(
    world: World, studies: tuple[int, ...], query: str
) -> None:
    client = world.key[studies]
    check(cost_of(lambda: api_list(client, query)), A_PAGE)


@pytest.mark.parametrize("studies", [(), IDLE, BUSY], ids=str)
def test_a_later_page_of_the_api_costs_what_the_first_does(
    world: World, studies: tuple[int, ...]
) -> None:
    client = world.key[studies] if studies else world.every_key
    page = api_list(client, "")
    for _n in range(3):
        page = client.get(page["next"]).json()
    check(cost_of(lambda: client.get(page["next"])), A_PAGE)
    check(cost_of(lambda: client.get(page["previous"])), A_PAGE)


def test_the_front_page_reads_no_history(world: World) -> None:
    for client in (world.site_admin, *world.leader.values()):
        check(cost_of(partial(client.get, "/admin/")), A_PAGE)


def desk_list(client: Client, query: str) -> None:
    answer = client.get(f"/admin/notices/notice/?{query}")
    assert answer.status_code == 200


def api_list(client: APIClient, query: str) -> Any:
    answer = client.get(f"/api/v1/notices/?{query}")
    assert answer.status_code == 200
    return answer.json()
