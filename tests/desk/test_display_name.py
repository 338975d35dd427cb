"""A person has one name on the desk, and it is the right way round."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.desk.display_name import display_name
from tests.desk.test_writing import ADD, ENGLISH, initial


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("서연", "이", "이서연"),
        (" 서연 ", "이", "이서연"),
        ("지우", "남궁", "남궁지우"),
        ("이서연", "", "이서연"),
        ("", "이서연", "이서연"),
        ("太郎", "山田", "山田太郎"),
        ("Seoyeon", "Lee", "Seoyeon Lee"),
        ("서연", "Lee", "서연 Lee"),
        ("", "", "minji"),
    ],
)
def test_the_two_names_of_an_older_account_are_joined_in_their_order(
    desk: Client, leader: User, first: str, last: str, name: str
) -> None:
    User.objects.filter(pk=leader.pk).update(first_name=first, last_name=last)
    leader.refresh_from_db()
    assert display_name(leader) == name
    page = desk.get(ADD)
    assert initial(page)["author"] == name
    assert f">{name}</span>" in page.content.decode()


def person(leader: User) -> str:
    return f"/admin/auth/user/{leader.pk}/change/"


def test_a_site_admin_enters_one_name(admin_desk: Client, leader: User) -> None:
    page = admin_desk.get(person(leader), headers=ENGLISH)
    assert "Displayed name" in page.content.decode().replace("displayed", "Displayed")
    assert b'name="last_name"' not in page.content
    sent: dict[str, Any] = {"username": "minji", "first_name": "김민지", "is_active": "on"}
    assert admin_desk.post(person(leader), sent).status_code == 302
    leader.refresh_from_db()
    assert display_name(leader) == "김민지"


@pytest.mark.parametrize("typed", ["이서연", "서연"])
def test_a_save_replaces_the_two_names_of_an_older_account_by_one(
    admin_desk: Client, leader: User, typed: str
) -> None:
    User.objects.filter(pk=leader.pk).update(first_name="서연", last_name="이")
    page = admin_desk.get(person(leader))
    assert initial(page)["first_name"] == "이서연"
    admin_desk.post(person(leader), {"username": "minji", "first_name": typed, "is_active": "on"})
    leader.refresh_from_db()
    assert (leader.first_name, leader.last_name) == (typed, "")


def test_the_list_of_people_has_the_same_name(admin_desk: Client, leader: User) -> None:
    User.objects.filter(pk=leader.pk).update(first_name="서연", last_name="이")
    assert "이서연" in admin_desk.get("/admin/auth/user/").content.decode()
