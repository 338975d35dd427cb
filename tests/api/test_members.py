"""The API's roster: who is on it, put there by their ids, all of them or none."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from notices.models import ApiKey, Membership, Person, Study, StudyRole
from notices.people import roster
from tests.api.conftest import client_with, fields_refused, key_for
from tests.ugly import VALUES

FIRST = 1100000000000000101
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
def address(study: Study) -> str:
    return f"/api/v1/studies/{study.pk}/members/"


@pytest.fixture
def people(study: Study) -> APIClient:
    """A frontend whose key may see people."""
    return client_with(key_for(study, may_see_people=True))


def post(client: APIClient, address: str, *ids: object, **headers: str) -> Any:
    return client.post(address, {"discord_ids": ids}, format="json", headers=headers)


def logged_in(user: User) -> APIClient:
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


# --- reading and writing -----------------------------------------------------------------------


def test_people_are_put_on_the_roster_and_counted(people: APIClient, address: str) -> None:
    answer = post(people, address, str(FIRST), str(FIRST + 1), str(FIRST))

    assert (answer.status_code, answer.json()) == (201, {"new": 2, "back": 0, "known": 0})
    found = Membership.objects.order_by("pk").values_list("person__discord_id", "way")
    assert list(found) == [(FIRST, "added"), (FIRST + 1, "added")]


def test_a_repeated_request_changes_nothing(people: APIClient, address: str) -> None:
    post(people, address, str(FIRST))

    again = post(people, address, str(FIRST))
    assert (again.status_code, again.json()) == (200, {"new": 0, "back": 0, "known": 1})


def test_whoever_left_comes_back(people: APIClient, address: str) -> None:
    post(people, address, str(FIRST))
    assert people.delete(f"{address}{FIRST}/").status_code == 204

    back = post(people, address, str(FIRST), str(FIRST + 1))
    assert (back.status_code, back.json()) == (201, {"new": 1, "back": 1, "known": 0})


def test_a_repetition_by_its_key_is_answered_as_the_first_time(
    people: APIClient, address: str
) -> None:
    first = post(people, address, str(FIRST), **{"Idempotency-Key": "k"})
    again = post(people, address, str(FIRST), **{"Idempotency-Key": "k"})

    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"

    ApiKey.objects.update(may_see_people=False)
    assert post(people, address, str(FIRST), **{"Idempotency-Key": "k"}).status_code == 403


def test_a_member_is_shown_with_days_and_an_id_as_text(
    people: APIClient, address: str, study: Study
) -> None:
    roster.add(study, [FIRST], "listed", NOW, {FIRST: "김민지"})

    (shown,) = people.get(address).json()["results"]
    assert shown == {
        "discord_id": str(FIRST),
        "name": "김민지",
        "way": "listed",
        "since": "2026-03-03",  # in Seoul it is the next day
        "until": None,
        "sight": "unknown",
    }


def test_who_has_left_is_listed_apart(people: APIClient, address: str, study: Study) -> None:
    roster.add(study, [FIRST, FIRST + 1], "listed", NOW)
    roster.leave(study, Person.objects.get(discord_id=FIRST), NOW)

    there, left = (
        people.get(f"{address}{query}").json()["results"] for query in ("", "?left=true")
    )
    assert [(one["discord_id"], one["until"]) for one in there] == [(str(FIRST + 1), None)]
    assert [(one["discord_id"], one["until"]) for one in left] == [(str(FIRST), "2026-03-03")]


def test_the_list_is_read_page_by_page(
    people: APIClient, address: str, study: Study, django_assert_max_num_queries: Any
) -> None:
    everybody = [FIRST + number for number in range(120)]
    roster.add(study, everybody, "listed", NOW)

    read, there = [], f"{address}?page_size=50"
    while there:
        with django_assert_max_num_queries(5):
            page = people.get(there).json()
        read += [int(one["discord_id"]) for one in page["results"]]
        there = page["next"]
    assert read == everybody


@pytest.mark.parametrize("query", ["left=yes", "page_size=0", "cursor=x", "study=1"])
def test_a_slip_in_the_address_widens_no_list(people: APIClient, address: str, query: str) -> None:
    answer = people.get(f"{address}?{query}")
    assert answer.status_code == 400
    assert fields_refused(answer) == [query.partition("=")[0]]


def test_whoever_is_taken_off_stays_among_those_who_left(people: APIClient, address: str) -> None:
    post(people, address, str(FIRST))

    for _n in range(2):
        assert people.delete(f"{address}{FIRST}/").status_code == 204
    assert Membership.objects.get().until is not None


@pytest.mark.parametrize("there", [str(FIRST + 1), "1", "minji", "9" * 5000, "%00", "-1"])
def test_nobody_else_is_taken_off(people: APIClient, address: str, there: str) -> None:
    post(people, address, str(FIRST))

    answer = people.delete(f"{address}{there}/")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert Membership.objects.get().until is None


# --- refusals ----------------------------------------------------------------------------------


def test_wrong_ids_refuse_the_whole_request_each_by_its_index(
    people: APIClient, address: str
) -> None:
    answer = post(people, address, str(FIRST), "1.1E+18", FIRST + 1, str(FIRST + 2), "", None)

    assert answer.status_code == 400
    assert fields_refused(answer) == [f"discord_ids[{index}]" for index in (1, 2, 4, 5)]
    told = [error["detail"] for error in answer.json()["errors"]]
    assert "spreadsheet" in told[0]
    assert "send each id as one" in told[1]
    assert not Membership.objects.exists()
    assert not Person.objects.exists()


@pytest.mark.parametrize("value", [*VALUES.values(), [str(FIRST)] * 1001], ids=lambda _one: "")
def test_what_is_no_list_of_ids_is_refused(people: APIClient, address: str, value: object) -> None:
    body = json.dumps({"discord_ids": value})
    answer = people.generic("POST", address, body, "application/json")
    assert answer.status_code == 400
    assert not Membership.objects.exists()


def test_a_thousand_are_taken_at_once(people: APIClient, address: str) -> None:
    answer = post(people, address, *(str(FIRST + 3 * number) for number in range(600)))
    assert answer.json() == {"new": 600, "back": 0, "known": 0}


# --- who may -----------------------------------------------------------------------------------


def test_a_new_key_may_not_see_people_unless_it_is_told_so() -> None:
    assert not ApiKey().may_see_people
    assert "may_see_people" in ApiKey.INHERITED_FIELDS


def asked(client: APIClient, address: str) -> list[int]:
    Membership.objects.all().delete()
    return [
        client.get(address).status_code,
        post(client, address, str(FIRST)).status_code,
        client.delete(f"{address}{FIRST}/").status_code,
    ]


def test_a_key_without_the_right_is_told_the_remedy(frontend: APIClient, address: str) -> None:
    assert asked(frontend, address) == [403, 403, 403]
    assert "createapikey --people" in frontend.get(address).json()["detail"]


def test_a_key_that_only_reads_changes_nothing(study: Study, address: str) -> None:
    reading = client_with(key_for(study, may_see_people=True, read_only=True))
    assert asked(reading, address) == [200, 403, 403]


def test_a_study_that_is_not_the_keys_is_not_there(other_study: Study, address: str) -> None:
    for rights in ({}, {"may_see_people": True}):
        assert asked(client_with(key_for(other_study, **rights)), address) == [404, 404, 404]


@pytest.mark.parametrize(
    ("role", "sees_names", "expected"),
    [
        ("leader", False, [200, 201, 204]),
        ("writer", False, [403, 403, 403]),
        ("writer", True, [200, 403, 403]),
        ("drafter", True, [200, 403, 403]),
        ("viewer", False, [403, 403, 403]),
        ("viewer", True, [200, 403, 403]),
    ],
)
def test_a_login_may_what_its_role_in_this_study_says(
    study: Study,
    other_study: Study,
    stranger: User,
    address: str,
    role: str,
    sees_names: bool,
    expected: list[int],
) -> None:
    StudyRole.objects.create(study=study, user=stranger, role=role, sees_names=sees_names)
    StudyRole.objects.create(study=other_study, user=stranger, role="leader")

    assert asked(logged_in(stranger), address) == expected


def test_another_studys_leader_learns_nothing_of_it(other_study: Study, address: str) -> None:
    leads_another = other_study.accounts.get()
    assert asked(logged_in(leads_another), address) == [404, 404, 404]


def test_a_site_admin_may_in_every_study(site_admin: User, address: str) -> None:
    assert asked(logged_in(site_admin), address) == [200, 201, 204]


def test_a_login_without_a_right_is_told_whom_to_ask(
    study: Study, stranger: User, address: str
) -> None:
    StudyRole.objects.create(study=study, user=stranger, role="viewer", sees_names=True)
    client = logged_in(stranger)
    assert "leads this study" in post(client, address, str(FIRST)).json()["detail"]
    StudyRole.objects.update(sees_names=False)
    assert "ask its leader" in client.get(address).json()["detail"]


# --- the log -----------------------------------------------------------------------------------


def test_no_reader_stands_in_the_log_or_in_the_metrics(
    people: APIClient, frontend: APIClient, address: str, study: Study, caplog: Any,
    client: Any,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    post(people, address, str(FIRST), str(FIRST + 1))
    post(people, address, str(FIRST), "김민지")
    roster.name_as_seen({FIRST: "김민지"})
    people.get(address)
    requests: list[Callable[[], Any]] = [
        lambda: people.delete(f"{address}{FIRST}/"),
        lambda: people.delete(f"{address}{FIRST + 7}/"),
        lambda: people.delete(f"{address}김민지/"),
        lambda: people.put(f"{address}{FIRST}/"),
        lambda: frontend.delete(f"{address}{FIRST}/"),
        lambda: client.delete(f"{address}{FIRST}"),
    ]
    for request in requests:
        request()

    # What a fault of ours would log.
    told = (f"DELETE {address}{FIRST}/", f"{address}김민지")
    logging.getLogger("notices.api.errors").error("%s and %s failed", *told)

    written = caplog.text
    metrics = client.get("/metrics").content.decode()
    assert "/members/" in written  # Django tells of what was refused
    for text in (written, metrics):
        assert "11000000000000001" not in text
        assert "김민지" not in text
