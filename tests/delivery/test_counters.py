"""Tallies are written in one statement, and stay exact when several bots count at once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notices.delivery import counters
from notices.delivery.outcomes import Outcome
from notices.delivery.request import Request
from notices.models import Attempt, Tally, new_nonce

CREATE, EDIT = Attempt.Action.CREATE, Attempt.Action.EDIT
SHOWN, TRANSIENT = Attempt.Outcome.SHOWN, Attempt.Outcome.TRANSIENT


def outcome(action: str, kind: str, code: int | None = None) -> Outcome:
    request = Request(
        delivery_id=1, notice_id=1, claim=1, action=action, channel_id=1, nonce=new_nonce()
    )
    return Outcome(request, kind, timezone.now(), code=code)


def test_outcomes_are_counted_by_action_and_kind() -> None:
    results = [outcome(CREATE, SHOWN), outcome(CREATE, SHOWN), outcome(EDIT, TRANSIENT, code=500)]
    assert counters.of_outcomes(results, []) == {
        ("attempts", "create:shown"): 2,
        ("attempts", "edit:transient"): 1,
    }


def test_an_answer_of_429_is_counted_beside_its_attempt() -> None:
    counts = counters.of_outcomes([outcome(CREATE, TRANSIENT, code=429)], [])
    assert counts == {("attempts", "create:transient"): 1, ("rate_limited", ""): 1}


@pytest.mark.parametrize(
    ("delay", "bucket"),
    [(0.0, "0.025"), (0.025, "0.025"), (0.026, "0.05"), (3600.0, "3600.0"), (9e9, "+Inf")],
)
def test_a_delay_is_counted_in_the_first_bucket_that_holds_it(delay: float, bucket: str) -> None:
    assert counters.of_outcomes([], [delay])["publish_to_shown_seconds", bucket] == 1


def test_a_clock_that_is_behind_makes_no_delay_below_zero() -> None:
    counts = counters.of_outcomes([], [-0.5, 2.0])
    assert counts["publish_to_shown_seconds", "0.025"] == 1
    assert counts["publish_to_shown_milliseconds", ""] == 2000


def test_buckets_add_up_to_the_number_of_delays() -> None:
    buckets = counters.buckets(counters.of_outcomes([], [0.01, 0.03, 0.03, 9e9]))
    assert (buckets[0], buckets[1], buckets[-2], buckets[-1]) == (
        ("0.025", 1), ("0.05", 3), ("3600.0", 3), ("+Inf", 4),
    )  # fmt: skip


@pytest.mark.django_db
def test_counts_add_up() -> None:
    counters.add({("attempts", "create:shown"): 2, ("pauses", ""): 1})
    counters.add({("attempts", "create:shown"): 3, ("attempts", "edit:shown"): 1})
    assert counters.read() == {
        ("attempts", "create:shown"): 5,
        ("attempts", "edit:shown"): 1,
        ("pauses", ""): 1,
    }


@pytest.mark.django_db
def test_it_takes_one_statement_or_none_for_no_counts(django_assert_num_queries: Any) -> None:
    everything = {
        ("attempts", f"{action}:{kind}"): 1
        for action in Attempt.Action.values
        for kind in Attempt.Outcome.values
    }
    with django_assert_num_queries(1):
        counters.add(everything)
    with django_assert_num_queries(0):
        counters.add({})


@pytest.mark.django_db
def test_rows_are_locked_in_one_order() -> None:
    counters.add({("pauses", ""): 1, ("attempts", "edit:shown"): 1, ("attempts", "create:gone"): 1})
    taken = Tally.objects.order_by("pk").values_list("name", "label")
    assert list(taken) == sorted(taken)


@pytest.mark.django_db
def test_a_count_may_exceed_32_bits() -> None:
    milliseconds = round(timedelta(days=10_000) / timedelta(milliseconds=1))
    counters.add({("paused_milliseconds", ""): milliseconds})
    assert counters.read()["paused_milliseconds", ""] == milliseconds


@pytest.mark.django_db
def test_a_count_that_is_rolled_back_is_not_kept() -> None:
    with transaction.atomic():
        counters.add({("pauses", ""): 1})
        transaction.set_rollback(True)
    assert counters.read() == {}


@pytest.mark.django_db(transaction=True)
def test_bots_that_count_the_same_at_once_lose_nothing() -> None:
    kinds = Attempt.Outcome.values
    errors: list[Exception] = []

    def count(labels: list[str]) -> None:
        for _n in range(40):
            counters.add({("attempts", label): 1 for label in labels})

    side_by_side([lambda: count(kinds), lambda: count(kinds[::-1])], errors)
    assert errors == []
    assert counters.read() == {("attempts", kind): 80 for kind in kinds}


def side_by_side(works: list[Callable[[], None]], errors: list[Exception]) -> None:
    together = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        together.wait()
        try:
            work()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
