"""The roster: whoever is added is on it once, also when two add her at once, and may come back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from notices.models import Membership, Person, Study
from notices.people import roster

NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
FIRST = 1100000000000000101
LISTED, ADDED = Membership.Way.LISTED, Membership.Way.ADDED


def ids(count: int) -> list[int]:
    return [FIRST + number for number in range(count)]


def test_whoever_is_added_is_on_the_roster_since_then(study: Study) -> None:
    added = roster.add(study, ids(2), LISTED, NOW)

    assert added == (ids(2), [], [])
    found = Membership.objects.filter(study=study).order_by("pk")
    assert [(one.person.discord_id, one.since, one.until) for one in found] == [
        (FIRST, NOW, None),
        (FIRST + 1, NOW, None),
    ]
    assert {(one.way, one.sight) for one in found} == {("listed", "unknown")}


def test_whoever_is_added_again_stays_as_she_came(study: Study) -> None:
    roster.add(study, ids(2), LISTED, NOW)

    added = roster.add(study, ids(3), ADDED, LATER)

    assert added == ([FIRST + 2], [], ids(2))
    assert list(Membership.objects.order_by("pk").values_list("way", "since")) == [
        ("listed", NOW),
        ("listed", NOW),
        ("added", LATER),
    ]


def test_whoever_has_left_comes_back_as_if_new(study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW)
    Membership.objects.update(sight="left", looked_at=NOW)
    roster.leave(study, Person.objects.get(), NOW + timedelta(days=1))

    added = roster.add(study, ids(2), ADDED, LATER)

    assert added == ([FIRST + 1], [FIRST], [])
    back = Membership.objects.get(person__discord_id=FIRST)
    assert (back.since, back.until, back.way) == (LATER, None, "added")
    assert (back.sight, back.looked_at) == ("unknown", None)


def test_an_id_that_is_named_twice_is_added_once(study: Study) -> None:
    assert roster.add(study, [FIRST, FIRST], LISTED, NOW) == ([FIRST], [], [])
    assert Membership.objects.count() == 1


def test_nobody_is_added_by_an_empty_list(study: Study) -> None:
    assert roster.add(study, [], LISTED, NOW) == ([], [], [])


def test_a_person_is_on_the_rosters_of_two_studies(study: Study, other_study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW)

    assert roster.add(other_study, ids(1), LISTED, NOW).new == ids(1)
    assert Person.objects.count() == 1
    assert Membership.objects.count() == 2


@pytest.mark.parametrize("known", [0, 2500, 5000])
def test_thousands_take_as_many_statements_as_one(
    study: Study, django_assert_max_num_queries: Any, known: int
) -> None:
    roster.add(study, ids(known), LISTED, NOW)
    Membership.objects.filter(pk__in=Membership.objects.values("pk")[:1000]).update(until=NOW)
    names = dict.fromkeys(ids(5000), "민지")

    with django_assert_max_num_queries(7):  # with the transaction's own two
        added = roster.add(study, ids(5000), LISTED, LATER, names)

    back = min(known, 1000)
    assert [len(part) for part in added] == [5000 - known, back, known - back]
    assert Membership.objects.filter(study=study, until=None).count() == 5000


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    barrier = Barrier(len(deeds))

    def run(deed: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=10)
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [one.result(timeout=60) for one in [pool.submit(run, deed) for deed in deeds]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_left", [False, True], ids=["new", "back"])
def test_two_who_add_the_same_people_at_once_add_them_once(study: Study, has_left: bool) -> None:
    everybody = ids(300)
    if has_left:
        roster.add(study, everybody, LISTED, NOW)
        Membership.objects.update(until=NOW)
    orders = (everybody, everybody[::-1], everybody[100:] + everybody[:100])

    told = at_once(*(lambda o=order: roster.add(study, o, ADDED, LATER) for order in orders))

    firsts = [one for added in told for one in (*added.new, *added.back)]
    assert sorted(firsts) == everybody
    assert sum(len(added.known) for added in told) == 2 * len(everybody)
    assert Membership.objects.filter(until=None).count() == len(everybody)


def test_leaving_keeps_the_row_and_is_done_once(study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW)
    person = Person.objects.get()

    assert roster.leave(study, person, LATER)
    assert not roster.leave(study, person, LATER + timedelta(days=1))

    assert Membership.objects.get().until == LATER


def test_leaving_by_a_slower_clock_ends_no_earlier_than_it_began(study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW)

    assert roster.leave(study, Person.objects.get(), NOW - timedelta(seconds=2))

    assert Membership.objects.get().until == NOW


def test_leaving_one_study_leaves_no_other(study: Study, other_study: Study) -> None:
    for one in (study, other_study):
        roster.add(one, ids(1), LISTED, NOW)

    roster.leave(study, Person.objects.get(), LATER)

    assert Membership.objects.get(until=None).study == other_study


# --- names -----------------------------------------------------------------------------------


def test_a_name_is_kept_as_last_seen(study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW)

    for name in ("민지", "민지 (3기)"):
        roster.name_as_seen({FIRST: name, FIRST + 7: "nobody's"})

    assert list(Person.objects.values_list("discord_id", "name")) == [(FIRST, "민지 (3기)")]


def test_a_name_of_a_list_stands_until_one_is_seen(study: Study) -> None:
    roster.add(study, ids(1), LISTED, NOW, {FIRST: " 김민지 "})
    assert Person.objects.get().name == "김민지"

    roster.name_as_seen({FIRST: "minji"})
    roster.add(study, ids(1), LISTED, NOW, {FIRST: "다른 이름"})
    assert Person.objects.get().name == "minji"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("\u1106\u1175\u11ab", "민"),
        ("민\0지\ud800", "민지"),
        ("가" * 300, "가" * 100),
        ("\u3164\u200b", ""),
        ("", ""),
    ],
)
def test_a_name_is_stored_as_text_that_can_be(study: Study, told: str, kept: str) -> None:
    roster.add(study, ids(1), LISTED, NOW, {FIRST: told})
    assert Person.objects.get().name == kept
