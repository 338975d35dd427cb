"""Frontends and leaders invite people to a study by the API, and take the links back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import ApiKey, Invitation, KeptAnswer, Study, StudyRole
from notices.people import invitations
from tests.api.conftest import client_with, fields_refused, key_for
from tests.api.test_members import logged_in
from tests.ugly import VALUES


@pytest.fixture
def address(study: Study) -> str:
    return f"/api/v1/studies/{study.pk}/invitations/"


@pytest.fixture
def people(study: Study) -> APIClient:
    """A frontend whose key may see people."""
    return client_with(key_for(study, may_see_people=True))


def post(client: APIClient, address: str, **sent: object) -> Any:
    return client.post(address, {"role": "writer"} | sent, format="json")


def secret_of(answer: Any) -> str:
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["link"].rstrip("/").rpartition("/")[2])


def test_an_invitation_is_made_and_its_link_shown_once(
    people: APIClient, address: str, study: Study, stranger: User
) -> None:
    answer = post(people, address)
    secret = secret_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert answer.json()["link"] == f"http://testserver/invitation/{secret}/"
    assert {
        "role": "writer",
        "one_person": True,
        "until": None,
        "state": "open",
        "uses": 0,
    }.items() <= (answer.json().items())
    (listed,) = people.get(address).json()["results"]
    assert "link" not in listed
    assert listed["id"] == answer.json()["id"]

    invitations.accept(secret, stranger)

    assert study.roles.get(user=stranger).role == StudyRole.Role.WRITER
    (listed,) = people.get(address).json()["results"]
    assert (listed["state"], listed["uses"]) == ("used", 1)


def test_a_repeated_request_answers_another_link_to_the_same_invitation(
    people: APIClient, address: str
) -> None:
    first, again = (
        people.post(address, {"role": "writer"}, format="json", headers={"Idempotency-Key": "once"})
        for _time in range(2)
    )
    assert first.json()["id"] == again.json()["id"]
    assert Invitation.objects.count() == 1
    assert invitations.find(secret_of(first)) is None
    assert invitations.find(secret_of(again))
    assert "invitation/" not in KeptAnswer.objects.get().body


def test_one_for_many_lasts_to_the_end_of_its_day(
    people: APIClient, address: str, study: Study
) -> None:
    day = invitations.today_in(study) + timedelta(days=3)
    answer = post(people, address, one_person=False, until=day.isoformat())
    assert answer.status_code == 201
    assert Invitation.objects.get().expires_at == invitations.last_moment(day, study)


def test_an_invitation_is_revoked(people: APIClient, address: str) -> None:
    answer = post(people, address)
    one = f"{address}{answer.json()['id']}/"
    assert [people.delete(one).status_code for _time in range(2)] == [204, 204]
    assert invitations.find(secret_of(answer)) is None
    assert people.get(address).json()["results"][0]["state"] == "revoked"


def test_another_studys_invitation_is_not_there(
    people: APIClient, address: str, other_study: Study
) -> None:
    theirs, secret = invitations.make(other_study, "leader", None)
    assert people.delete(f"{address}{theirs.pk}/").status_code == 404
    assert people.get(address).json()["results"] == []
    assert invitations.find(secret)


@pytest.mark.parametrize(
    "end",
    [
        lambda key: key.update(revoked=True),
        lambda key: key.update(may_see_people=False),
        lambda key: key.update(read_only=True),
        lambda key: key.update(expiry_date=timezone.now()),
        lambda key: key.get().studies.clear(),
        lambda key: key.get().delete(),
    ],
)
def test_a_keys_invitations_end_with_its_right(
    people: APIClient, address: str, end: Callable[[Any], object], stranger: User
) -> None:
    secret = secret_of(post(people, address))
    assert invitations.find(secret)
    end(ApiKey.objects.all())
    assert invitations.find(secret) is None
    with pytest.raises(invitations.InvitationOverError):
        invitations.accept(secret, stranger)


def test_a_leaders_invitation_ends_with_her_role(leader: User, address: str, study: Study) -> None:
    secret = secret_of(post(logged_in(leader), address, role="leader"))
    assert Invitation.objects.get().created_by == leader
    study.roles.filter(user=leader).update(role="writer")
    assert invitations.find(secret) is None


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"one_person": False}, "until"),
        ({"one_person": "yes"}, "one_person"),
        ({"until": "2020-01-01"}, "until"),
        ({"until": "2099-01-01"}, "until"),
        ({"until": "20991231"}, "until"),
        ({"until": 5}, "until"),
        ({"who": "x"}, "who"),
    ],
)
def test_a_bad_value_is_refused_by_its_field(
    people: APIClient, address: str, sent: dict[str, Any], field: str
) -> None:
    answer = post(people, address, **sent)
    assert answer.status_code == 400
    assert list(fields_refused(answer)) == [field]
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("field", ["role", "one_person", "until"])
def test_no_ugly_value_breaks_it(
    people: APIClient, address: str, field: str, value: object
) -> None:
    assert post(people, address, **{field: value}).status_code in (201, 400)
