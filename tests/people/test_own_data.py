"""A reader who deletes her data is found in no table afterwards, and nobody else is changed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth.models import User

from notices.models import Membership, Person, Study
from notices.people.own_data import erase, kept_of

HER_ID, HER_NAME = 409997578424295425, "지워질사람"
SINCE = datetime(2026, 3, 2, 13, 5, 7, tzinfo=UTC)


@pytest.fixture
def her(study: Study, leader: User) -> Person:
    person = Person.objects.create(discord_id=HER_ID, name=HER_NAME, language="ko", user=leader)
    Membership.objects.create(study=study, person=person, way="joined", since=SINCE)
    SocialAccount.objects.create(
        user=leader, provider="discord", uid=str(HER_ID), extra_data={"global_name": HER_NAME}
    )
    return person


def everything() -> Iterator[tuple[str, Any]]:
    """Every value of every column of every table."""
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            yield from ((f"{model._meta.label}.{name}", value) for name, value in row.items())


def found(needle: str) -> list[str]:
    return [place for place, value in everything() if needle in str(value)]


@pytest.mark.usefixtures("her")
def test_her_id_is_found_in_no_table_afterwards(study: Study) -> None:
    other = Person.objects.create(discord_id=5, name="남는사람")
    Membership.objects.create(study=study, person=other, way="listed")
    assert found(str(HER_ID))
    assert found(HER_NAME)

    assert erase(HER_ID)

    assert found(str(HER_ID)) == []
    assert found(HER_NAME) == []
    assert [one.person for one in study.memberships.all()] == [other]
    assert User.objects.filter(username="minji").exists()


def test_there_is_nothing_to_erase_of_a_stranger(db: None) -> None:
    assert not erase(HER_ID)
    assert kept_of(HER_ID) is None


@pytest.mark.usefixtures("her")
def test_she_is_told_all_that_is_kept_by_the_day() -> None:
    assert kept_of(HER_ID) == {
        "discord_id": str(HER_ID),
        "name": HER_NAME,
        "language": "ko",
        "account": "minji",
        "memberships": [
            {
                "study": "알고리즘 스터디",
                "since": "2026-03-02",
                "until": None,
                "way": "joined",
                "sight": "unknown",
            }
        ],
    }
