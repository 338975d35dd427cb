"""A login ends after a time, sooner if it is not used; each has a session id of its own."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from notices.models import Notice, Study
from notices.security.login_life import BEGUN, NOTED_EVERY_SECONDS, USED
from notices.upkeep.pruning import prune

DESK = "/admin/"


@pytest.fixture
def browser(leader: User, study: Study) -> Client:
    client = Client()
    client.force_login(leader)
    return client


def set_back(client: Client, **hours: float) -> None:
    session = client.session
    for name, back in hours.items():
        session[name] -= int(back * 3600)
    session.save()


def is_in(client: Client, **headers: str) -> bool:
    return client.get(DESK, headers=headers).status_code == 200


def test_a_login_that_is_used_ends_after_a_week(browser: Client) -> None:
    set_back(browser, **{BEGUN: 167.9})
    assert is_in(browser)
    set_back(browser, **{BEGUN: 0.2})
    assert not is_in(browser)
    assert not Session.objects.filter(pk=browser.session.session_key).exists()


def test_a_login_that_is_not_used_ends_after_a_day(browser: Client) -> None:
    set_back(browser, **{USED: 23.9})
    assert is_in(browser)
    set_back(browser, **{USED: 24.1})
    assert not is_in(browser)


def test_a_page_that_looks_again_by_itself_does_not_use_it(browser: Client, notice: Notice) -> None:
    set_back(browser, **{USED: 1})
    before = browser.session[USED]
    browser.get(f"/admin/notices/notice/{notice.pk}/outcome/", headers={"HX-Request": "true"})
    assert browser.session[USED] == before
    assert is_in(browser)
    assert browser.session[USED] >= before + NOTED_EVERY_SECONDS


def test_the_api_asks_for_the_same_life(browser: Client) -> None:
    assert browser.get("/api/v1/studies/").status_code == 200
    set_back(browser, **{USED: 24.1})
    assert browser.get("/api/v1/studies/").status_code == 401


def test_a_login_of_an_older_version_begins_now(browser: Client) -> None:
    session = browser.session
    del session[BEGUN], session[USED]
    session.save()
    assert is_in(browser)
    assert {BEGUN, USED} <= set(browser.session.keys())


def test_each_login_has_a_name_of_its_own(browser: Client, leader: User) -> None:
    """The old session ends, even if the same person logs in once more."""
    before = browser.session.session_key
    leader.set_password("a-leaders-password")
    browser.post(
        "/admin/login/?next=/admin/", {"username": "minji", "password": "a-leaders-password"}
    )
    assert browser.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_logins_that_are_over_are_pruned(browser: Client) -> None:
    old = Session.objects.create(
        session_key="a" * 32, expire_date=timezone.now() - timedelta(minutes=1)
    )
    assert prune(timezone.now(), 60)
    assert not Session.objects.filter(pk=old.pk).exists()
    assert is_in(browser)


def test_cookies_are_for_this_site_and_scripts_read_no_login(leader: User, study: Study) -> None:
    client = Client()
    client.post("/admin/login/", {"username": "minji", "password": "a-leaders-password"})
    client.post("/i18n/setlang/", {"language": "en"})
    for name in ("sessionid", "csrftoken", "django_language"):
        assert client.cookies[name]["samesite"] == "Lax"
        assert bool(client.cookies[name]["httponly"]) == (name != "csrftoken")
