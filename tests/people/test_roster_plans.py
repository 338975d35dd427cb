"""A roster of 5,000 among many is read by its own rows alone, and by the page."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Membership, Person, Study
from notices.people import roster
from tests.test_query_plans import (
    ANALYZED,
    FEW,
    check,
    cost_of,
    key_for,
    logged_in,
)

MEMBERS = 5_000
AT_ONCE = 100
STUDIES = 12
FIRST = 1200000000000000001
NOW = timezone.now()
# A roster's rows, and their entries in an index; all rosters together have twelve times as many.
A_ROSTER = {"postgresql": 12_000, "sqlite": 70_000}
# The desk counts them beside, and of who has left there is no index.
A_ROSTER_TWICE = {"postgresql": 24_000, "sqlite": 140_000}
# With each member's person, twice. PostgreSQL reads all persons where it is as cheap.
A_SEARCH = {"postgresql": 100_000, "sqlite": 600_000}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", params=ANALYZED)
def ours(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[Study]:
    """Each study shares half of its people with the next one, and the first hundred have left."""
    with django_db_blocker.unblock(), transaction.atomic():
        studies = [Study.objects.create(name=f"{number}") for number in range(STUDIES)]
        # In turns, so that a study's rows are not side by side.
        for turn in range(0, MEMBERS, AT_ONCE):
            for number, study in enumerate(studies):
                begin = FIRST + number * MEMBERS // 2 + turn
                roster.add(study, range(begin, begin + AT_ONCE), "listed", NOW)
        for study in studies:
            left = study.memberships.order_by("pk").values_list("pk", flat=True)[:100]
            study.memberships.filter(pk__in=list(left)).update(until=NOW)
        if request.param:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        yield studies[STUDIES // 2]
        transaction.set_rollback(True)


@pytest.fixture
def frontend(ours: Study) -> APIClient:
    return key_for((ours.pk,))


@pytest.fixture
def desk(ours: Study) -> Client:
    return logged_in(User.objects.create_superuser("plans-admin"))


def test_reading_all_rosters_would_be_noticed(ours: Study) -> None:
    everybody = Membership.objects.filter(way="joined")
    with pytest.raises(AssertionError):
        check(cost_of(everybody.exists), A_ROSTER)


def test_the_api_reads_a_page_of_it(ours: Study, frontend: APIClient) -> None:
    address = f"/api/v1/studies/{ours.pk}/members/"

    check(cost_of(partial(frontend.get, address)), FEW, "membership_of_today")
    page = frontend.get(address).json()
    for _n in range(3):
        page = frontend.get(page["next"]).json()
    assert page["previous"]
    # With so few studies PostgreSQL may go by the key here, past the rows of the others.
    check(cost_of(partial(frontend.get, page["next"])), A_ROSTER)


def test_who_has_left_is_read_among_its_own_rows(ours: Study, frontend: APIClient) -> None:
    left = partial(frontend.get, f"/api/v1/studies/{ours.pk}/members/?left=true")
    assert len(left().json()["results"]) == 50
    check(cost_of(left), A_ROSTER)


@pytest.mark.parametrize("query", ["", "&p=3", "&left=1", "&q=1200000000000020000", "&q=민지"])
def test_the_desk_reads_its_own_rows(ours: Study, desk: Client, query: str) -> None:
    page = partial(desk.get, f"/admin/notices/membership/?study={ours.pk}{query}")
    assert page().status_code == 200
    check(cost_of(page), A_SEARCH if "q=" in query else A_ROSTER_TWICE)


def test_it_is_counted_by_its_own_rows(ours: Study) -> None:
    check(cost_of(ours.memberships.filter(until=None).count), A_ROSTER)


def test_whoever_is_added_or_leaves_is_found_by_index(ours: Study) -> None:
    there = ours.memberships.filter(until=None).order_by("pk")[0].person
    gone = ours.memberships.exclude(until=None).order_by("pk")[0].person
    whom = [there.discord_id, gone.discord_id, FIRST, FIRST - 1]

    check(cost_of(lambda: roster.add(ours, whom, "added", NOW)), FEW)
    check(cost_of(lambda: roster.leave(ours, there, NOW)), FEW)
    check(cost_of(lambda: roster.name_as_seen(dict.fromkeys(whom, "민지"))), FEW)
    assert not Person.objects.exclude(name="").exists()  # each cost was undone
