"""A leader links her own Discord account to her login, with her password, and unlinks it."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from notices.models import Person, Study
from tests.desk.discord_browser import HANEUL, JIWOO, Browser, start_discord
from tests.fakediscord_driver import FakeDiscordProcess

HERS = "a-leaders-password"
PAGE, UNLINK = "/admin/discord/", "/admin/discord/unlink/"


@pytest.fixture(scope="module")
def process() -> Iterator[FakeDiscordProcess]:
    with start_discord() as process:
        yield process


@pytest.fixture(autouse=True)
def discord(process: FakeDiscordProcess, settings: Any) -> FakeDiscordProcess:
    settings.DISCORD_OAUTH_URL = process.url
    return process


@pytest.fixture
def browser(leader: User, study: Study) -> Browser:
    browser = Browser()
    browser.client.force_login(leader)
    return browser


def link(browser: Browser, user_id: str, password: str = HERS) -> Any:
    begun = browser.client.post(PAGE, {"password": password})
    assert begun.status_code == 302, begun.content.decode()
    return browser.come_back(browser.choose(begun["Location"], user_id))


def test_she_links_it_with_her_password_and_logs_in_by_it(
    browser: Browser, leader: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studybot.security")
    assert "Link my Discord account" in browser.client.get(PAGE).content.decode()
    answer = link(browser, JIWOO)
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    page = browser.client.get(PAGE).content.decode()
    assert "Your Discord account is linked." in page
    assert "김지우 (jiwoo.kim)" in page
    assert Person.objects.get(user=leader).discord_id == int(JIWOO)
    told = [one.getMessage() for one in caplog.records if one.name == "studybot.security"]
    assert told == [
        f"Discord account linked: who='minji' from='127.0.0.1' user='minji' discord='{JIWOO}'"
    ]
    another = Browser()
    another.log_in(JIWOO)
    assert another.user_id == leader.pk


def test_to_link_it_twice_changes_nothing(browser: Browser, leader: User) -> None:
    link(browser, JIWOO)
    link(browser, JIWOO)
    assert [one.user for one in SocialAccount.objects.all()] == [leader]


def test_an_account_of_somebody_else_is_refused(
    browser: Browser, other_leader: User, other_study: Study
) -> None:
    theirs = SocialAccount.objects.create(user=other_leader, provider="discord", uid=JIWOO)
    answer = link(browser, JIWOO)
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "is linked to another account" in page
    assert 'href="/admin/discord/"' in page
    theirs.refresh_from_db()
    assert theirs.user == other_leader
    assert "junho" not in page


def test_a_second_account_is_refused(browser: Browser, leader: User) -> None:
    link(browser, JIWOO)
    answer = link(browser, HANEUL)
    assert answer.status_code == 409
    assert "Unlink that one first" in answer.content.decode()
    assert [one.uid for one in SocialAccount.objects.all()] == [JIWOO]


def test_without_her_password_nothing_is_linked(browser: Browser) -> None:
    for sent in ({}, {"password": ""}, {"password": "wrong"}):
        answer = browser.client.post(PAGE, sent)
        assert answer.status_code == 200
    assert "The password is not right." in answer.content.decode()


def test_guesses_of_it_are_limited(browser: Browser) -> None:
    codes = [browser.client.post(PAGE, {"password": f"wrong {n}"}).status_code for n in range(5)]
    assert codes == [200] * 4 + [429]
    refused = browser.client.post(PAGE, {"password": HERS})
    assert refused.status_code == 429
    assert "Try again in 15 minutes" in refused.content.decode()


def test_who_has_logged_out_meanwhile_links_nothing(browser: Browser, leader: User) -> None:
    begun = browser.client.post(PAGE, {"password": HERS})
    back = browser.choose(begun["Location"], JIWOO)
    browser.client.logout()
    assert browser.come_back(back).status_code == 400
    assert not SocialAccount.objects.exists()


def test_who_lost_her_study_meanwhile_links_nothing(
    browser: Browser, leader: User, study: Study
) -> None:
    begun = browser.client.post(PAGE, {"password": HERS})
    study.accounts.clear()
    assert browser.come_back(browser.choose(begun["Location"], JIWOO)).status_code == 400
    assert not SocialAccount.objects.exists()


def test_she_unlinks_it(browser: Browser, leader: User, caplog: pytest.LogCaptureFixture) -> None:
    link(browser, JIWOO)
    caplog.set_level(logging.INFO, "studybot.security")
    assert browser.client.post(UNLINK).status_code == 302
    assert not SocialAccount.objects.exists()
    assert Person.objects.get(discord_id=int(JIWOO)).user is None
    assert "Discord account unlinked: who='minji'" in caplog.text
    another = Browser()
    assert another.log_in(JIWOO).status_code == 403
    assert "Your Discord account is unlinked." in browser.client.get(PAGE).content.decode()


def test_who_has_no_password_keeps_it(browser: Browser, leader: User) -> None:
    link(browser, JIWOO)
    leader.set_unusable_password()
    leader.save()
    browser = Browser()
    browser.log_in(JIWOO)
    page = browser.client.get(PAGE).content.decode()
    assert "your only way in" in page
    assert UNLINK not in page
    browser.client.post(UNLINK)
    assert SocialAccount.objects.filter(uid=JIWOO, user=leader).exists()


def test_an_account_that_never_logged_in_is_shown_by_its_number(
    browser: Browser, leader: User
) -> None:
    SocialAccount.objects.create(user=leader, provider="discord", uid=JIWOO)
    assert JIWOO in browser.client.get(PAGE).content.decode()


def test_her_menu_leads_there(browser: Browser) -> None:
    assert f'href="{PAGE}"' in browser.client.get("/admin/").content.decode()


def test_the_page_is_for_leaders_alone(stranger: User) -> None:
    for browser in (Browser(), Browser()):
        assert browser.client.get(PAGE).status_code == 302
        assert browser.client.post(PAGE, {"password": "x"}).status_code == 302
        browser.client.force_login(stranger)


def test_a_site_admin_sees_and_unlinks_it(
    browser: Browser, leader: User, admin_desk: Client, caplog: pytest.LogCaptureFixture
) -> None:
    link(browser, JIWOO)
    page = admin_desk.get(f"/admin/auth/user/{leader.pk}/change/").content.decode()
    assert f"김지우 (jiwoo.kim, {JIWOO})" in page
    caplog.set_level(logging.INFO, "studybot.security")
    chosen = [leader.pk, User.objects.get(username="admin").pk]
    admin_desk.post("/admin/auth/user/", {"action": "unlink_discord", "_selected_action": chosen})
    assert not SocialAccount.objects.exists()
    assert caplog.text.count("Discord account unlinked: who='admin'") == 1
    assert Browser().log_in(JIWOO).status_code == 403
