"""Passwords that have the user's name in them are refused, others are not."""

import unicodedata

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

MINJI = {
    "username": "minji95", "first_name": "민지", "last_name": "김", "email": "mj.kim@example.org",
}  # fmt: skip


def codes(password: str, **person: str) -> list[str]:
    try:
        validate_password(password, User(**person))
    except ValidationError as error:
        return [str(one.code) for one in error.error_list]
    return []


@pytest.mark.parametrize(
    "password",
    [
        "minji-likes-tea", "xx-MINJI-2026-study", "i-am-minji95-here", "tea-for-ijnim-2026",
        "59ijnim-backwards", "m1nj1-and-her-tea", "m-i-n-j-i-tea-2026", "min2ji4-tea-house",
        "ｍｉｎｊｉ-wide-letters", "민지의-스터디-2026", "스터디-민지-김", "지민-거꾸로-2026",
        unicodedata.normalize("NFD", "민지-as-macos-writes-it"),
        "김민지김민지2026", "2026민.지2026xyz", "kim-is-a-common-name",
        "alswl-typed-in-english", "rlaalswl2026", "ALSWL2026xyz", "2026lwsla",
        "ㅁㅣㄴㅈㅣ-tea-2026", "mínjí-with-accents", "mınjı-without-dots", "m|nj|-in-strokes",
    ],
)  # fmt: skip
def test_a_password_with_a_name_in_it_is_refused(password: str) -> None:
    assert "password_has_name" in codes(password, **MINJI)


@pytest.mark.parametrize(
    "password",
    [
        "correct-horse-battery",
        "화요일-저녁-여덟시-커피",
        "min-of-jam-1234",
        "95-red-balloons",
        "지하철-민속촌-x",
    ],
)  # fmt: skip
def test_a_password_without_a_name_is_taken(password: str) -> None:
    assert codes(password, **MINJI) == []


@pytest.mark.parametrize(
    ("name", "password", "is_refused"),
    [
        ("jo", "jo-19870311", True), ("jo", "jojo19870311x", True),
        ("jo", "joyful-morning-tea", False), ("lily", "1i1y-of-the-valley", True),
        ("kim", "kimchi-fried-rice", False), ("kim", "kim-fried-rice-x", True),
        ("kim", "kimkim2026x", True), ("ann", "planning-a-long-trip", False),
        ("a", "a1234567890x", True), ("a", "banana-boat-song", False),
        ("Müller", "muller-drinks-tea", True), ("muller", "müller-trinkt-tee", True),
        ("값", "rkqt-by-its-keys", True), ("이", "dl-tea-and-books-x", True),
        ("이", "handle-with-care", False),
        ("준", "준20260311xy", True), ("준", "기준-없는-저녁밥", False),
        ("보라", "보라색-커튼-2026", True),
        ("123456", "123456-horse-tea", False), ("", "correct-horse", False),
    ],
)  # fmt: skip
def test_a_short_name_is_refused_when_it_is_most_of_the_password(
    name: str, password: str, is_refused: bool
) -> None:
    assert ("password_has_name" in codes(password, username=name)) is is_refused


def test_a_site_admin_is_told_why_a_password_is_refused(admin_client: Client) -> None:
    person = {"username": "minji", "usable_password": "true"}
    both = {"password1": "minji-likes-tea", "password2": "minji-likes-tea"}
    answer = admin_client.post("/admin/auth/user/add/", person | both)
    assert "사용자 이름이 들어" in answer.content.decode()
    assert not User.objects.filter(username="minji").exists()


def test_a_long_password_is_checked_quickly() -> None:
    assert codes("x" * 500_000, username="x" * 150) is not None
