"""Whoever has an invitation's link comes in by it, and nobody by a link that is over."""

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.models import Invitation, Study, StudyRole
from notices.people import invitations
from tests.desk.conftest import logged_in
from tests.desk.discord_browser import HANEUL, Browser, start_discord
from tests.desk.test_login import lines
from tests.desk.test_login import security as security
from tests.desk.test_once import press_at_once

PASSWORD = "correct-horse-battery"
NEW = {"username": "seoyeon", "first_name": "이서연", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def secret(study: Study, leader: User) -> str:
    return invitations.make(study, "writer", leader)[1]


def address(secret: str, what: str = "") -> str:
    return f"/invitation/{secret}/{what}"


def words(answer: Any) -> str:
    text: str = answer.content.decode()
    return text


# --- the page ----------------------------------------------------------------------------------


def test_the_page_names_the_study_and_the_role_and_changes_nothing(
    client: Client, secret: str
) -> None:
    before = list(Invitation.objects.values())
    answer = client.get(address(secret), headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    assert "알고리즘 스터디" in words(answer)
    assert "writer" in words(answer)
    assert client.head(address(secret)).status_code == 200
    assert list(Invitation.objects.values()) == before
    assert User.objects.count() == 1


def test_no_cache_and_no_other_site_learns_of_the_address(client: Client, secret: str) -> None:
    for place in (secret, "wrong"):
        answer = client.get(address(place))
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_links_that_let_nobody_in_look_alike(
    client: Client, study: Study, leader: User, stranger: User, language: str
) -> None:
    revoked, of_revoked = invitations.make(study, "viewer", leader)
    invitations.revoke(revoked)
    _used, of_used = invitations.make(study, "viewer", leader)
    invitations.accept(of_used, stranger)
    headers = {"Accept-Language": language}
    pages = set()
    for secret in (of_revoked, of_used, "wrong", "가"):
        for method in ("get", "post"):
            answer = getattr(client, method)(address(secret), headers=headers)
            assert answer.status_code == 410
            pages.add(words(answer))
    assert len(pages) == 1
    told = {"ko": "이 링크로는 더 이상 들어올 수 없어요", "en": "lets nobody in any more"}
    assert told[language] in pages.pop()


# --- a new account -------------------------------------------------------------------------------


def test_a_new_account_gets_the_role_and_is_logged_in(
    client: Client, secret: str, study: Study, security: pytest.LogCaptureFixture
) -> None:
    answer = client.post(address(secret), NEW)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    made = User.objects.get(username="seoyeon")
    assert made.first_name == "이서연"
    assert made.check_password(PASSWORD)
    assert not made.is_superuser
    assert StudyRole.objects.get(user=made).role == "writer"
    assert client.get("/admin/").status_code == 200
    said = " ".join(lines(security))
    for event in ("user made", "invitation used", "rights changed", "login"):
        assert f"{event}: " in said
    assert client.cookies["known"]
    assert Client().get(address(secret)).status_code == 410


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"username": "minji"}, "username"),
        ({"username": "MINJI"}, "username"),
        ({"username": ""}, "username"),
        ({"first_name": ""}, "first_name"),
        ({"password2": "another"}, "password2"),
        ({"password1": "12345678", "password2": "12345678"}, "password2"),
        ({"password1": "이서연-is-me", "password2": "이서연-is-me"}, "password2"),
    ],
)
def test_a_form_that_cannot_be_taken_is_told_at_its_field_and_the_link_stays_good(
    client: Client, secret: str, changes: dict[str, str], field: str
) -> None:
    answer = client.post(address(secret), NEW | changes)
    assert field in answer.context["form"].errors
    assert User.objects.count() == 1
    client.post(address(secret), NEW)
    assert User.objects.count() == 2


def test_no_form_makes_a_site_admin(client: Client, secret: str) -> None:
    client.post(address(secret), NEW | {"is_superuser": "on", "is_staff": "on", "role": "leader"})
    made = User.objects.get(username="seoyeon")
    assert (made.is_superuser, made.is_staff) == (False, False)
    assert StudyRole.objects.get(user=made).role == "writer"


def test_another_site_joins_nobody(secret: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    for what in ("", "take/", "discord/"):
        assert strict.post(address(secret, what), NEW).status_code == 403
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_comes_in_and_no_account_of_the_other_is_left(
    study: Study, leader: User
) -> None:
    for n in range(4):
        _made, secret = invitations.make(study, "writer", leader)
        names = {Client(): f"{name}{n}" for name in ("seoyeon", "jiwoo")}
        press = _pressing(secret, names)
        answers = press_at_once(list(names), press)
        assert sorted(answer.status_code for answer in answers) == [302, 410]
        assert User.objects.count() == n + 2
        assert StudyRole.objects.count() == n + 2


@pytest.mark.django_db(transaction=True)
def test_of_two_who_choose_one_name_at_once_one_is_told(study: Study, leader: User) -> None:
    secrets = [invitations.make(study, "writer", leader)[1] for _one in range(2)]
    browsers = {Client(): secret for secret in secrets}
    answers = press_at_once(list(browsers), lambda one: one.post(address(browsers[one]), NEW))
    assert sorted(answer.status_code for answer in answers) == [200, 302]
    assert User.objects.filter(username="seoyeon").count() == 1
    assert sum(invitations.find(secret) is not None for secret in secrets) == 1


def _pressing(secret: str, names: dict[Client, str]) -> Callable[[Client], Any]:
    together = Barrier(len(names))

    def press(browser: Client) -> Any:
        together.wait()
        return browser.post(address(secret), NEW | {"username": names[browser]})

    return press


# --- an account that is there --------------------------------------------------------------------


def test_who_is_logged_in_takes_the_role_by_one_button(
    stranger: User, secret: str, study: Study
) -> None:
    browser = logged_in(stranger)
    page = words(browser.get(address(secret), headers={"Accept-Language": "en"}))
    assert "Take this role as stranger" in page
    assert 'name="password1"' not in page
    assert browser.get(address(secret, "take/")).status_code == 405
    assert not StudyRole.objects.filter(user=stranger).exists()
    answer = browser.post(address(secret, "take/"), follow=True)
    assert StudyRole.objects.get(user=stranger).role == "writer"
    assert "알고리즘 스터디" in words(answer)
    assert browser.post(address(secret, "take/")).status_code == 410


def test_an_account_without_any_role_logs_in_to_take_one(
    client: Client, stranger: User, secret: str
) -> None:
    there = address(secret, "login/")
    assert there in words(client.get(address(secret)))
    assert client.get(there).status_code == 200
    sent = {"username": "stranger", "password": "a-strangers-password"}
    assert client.post(f"{there}?next=/admin/", sent)["Location"] == address(secret)
    assert "stranger" in words(client.get(address(secret)))
    assert not StudyRole.objects.filter(user=stranger).exists()
    client.post(address(secret, "take/"))
    assert client.get("/admin/").status_code == 200


def test_that_login_is_locked_as_the_desks_is(client: Client, stranger: User, secret: str) -> None:
    there, wrong = address(secret, "login/"), {"username": "stranger", "password": "wrong"}
    tries = [client.post(there, wrong).status_code for _try in range(5)]
    assert tries == [200] * 4 + [429]
    right = wrong | {"password": "a-strangers-password"}
    assert client.post(there, right).status_code == 429
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert Client(REMOTE_ADDR="192.0.2.7").post(there, right).status_code == 200
    assert client.get(address("wrong", "login/")).status_code == 410


def test_a_form_sent_after_a_login_makes_no_second_account(stranger: User, secret: str) -> None:
    answer = logged_in(stranger).post(address(secret), NEW)
    assert "stranger" in words(answer)
    assert not User.objects.filter(username="seoyeon").exists()
    assert not StudyRole.objects.filter(user=stranger).exists()


def test_nobody_takes_a_role_without_a_login(client: Client, secret: str) -> None:
    assert client.post(address(secret, "take/"))["Location"] == address(secret)


# --- by Discord ----------------------------------------------------------------------------------


def test_the_secret_waits_in_the_session_for_who_comes_by_discord(
    client: Client, secret: str, settings: Any
) -> None:
    shown = client.get(address(secret))
    assert address(secret, "discord/") in words(shown)
    allowed = f"form-action 'self' {settings.DISCORD_OAUTH_URL};"
    assert allowed in shown["Content-Security-Policy"] + ";"
    assert client.get(address(secret, "discord/")).status_code == 405
    answer = client.post(address(secret, "discord/"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{settings.DISCORD_OAUTH_URL}/oauth2/authorize?")
    assert secret not in answer["Location"]
    assert client.session["invitation"] == secret
    assert client.post(address("wrong", "discord/")).status_code == 410


def test_who_comes_by_discord_gets_an_account_with_the_role(secret: str, settings: Any) -> None:
    with start_discord() as discord:
        settings.DISCORD_OAUTH_URL = discord.url
        browser = Browser()
        asked = browser.client.post(address(secret, "discord/"))["Location"]
        answer = browser.come_back(browser.choose(asked, HANEUL))
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert StudyRole.objects.get(user=browser.user_id).role == "writer"
    assert invitations.find(secret) is None


def test_without_discord_there_is_no_button(client: Client, secret: str, settings: Any) -> None:
    settings.DISCORD_CLIENT_ID = ""
    assert "discord" not in words(client.get(address(secret)))
    assert client.post(address(secret, "discord/")).status_code == 404
