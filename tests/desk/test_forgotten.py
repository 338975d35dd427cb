"""Whoever has forgotten her password chooses another by a link: a site admin's, or one by mail."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory

from notices.desk import forgotten
from notices.models import Study
from tests.desk.conftest import logged_in
from tests.desk.test_login import HERS, guess, is_let_in, lines, log_in
from tests.desk.test_login import security as security

NEW = "correct-horse-battery"
SENT = {"new_password1": NEW, "new_password2": NEW}
LINK = re.compile(r"http://testserver(/password/\w+/[\w-]+/)")


def account(user: User) -> str:
    return f"/admin/auth/user/{user.pk}/"


def make_link(admin_desk: Client, user: User) -> str:
    page = admin_desk.post(f"{account(user)}reset-link/", follow=True).content.decode()
    found = LINK.search(page)
    assert found, page
    return found[1]


def choose(link: str, sent: dict[str, str] = SENT, **headers: str) -> Any:
    """Open the link and send its form, which stands at an address without the token."""
    browser = Client(headers=headers)
    page = browser.get(link, follow=True)
    if page.status_code != 200:
        return page
    return browser.post(page.redirect_chain[-1][0], sent)


# --- a site admin's link -----------------------------------------------------------------------


def test_a_site_admins_link_is_shown_once_and_changes_the_password(
    admin_desk: Client, study: Study, leader: User, security: pytest.LogCaptureFixture
) -> None:
    link = make_link(admin_desk, leader)
    for page in ("change/", "history/"):
        assert link not in admin_desk.get(f"{account(leader)}{page}").content.decode()
    assert choose(link)["Location"] == "/admin/login/"
    assert is_let_in(log_in("minji", NEW))
    assert not is_let_in(log_in("minji", HERS))
    said = " ".join(lines(security))
    for event in ("password link made: who='admin'", "password link used", "password changed"):
        assert event in said
    assert link not in said


def test_it_works_once(admin_desk: Client, leader: User) -> None:
    link = make_link(admin_desk, leader)
    choose(link)
    answer = choose(link, {"new_password1": HERS, "new_password2": HERS})
    assert answer.status_code == 410
    leader.refresh_from_db()
    assert leader.check_password(NEW)


def _logs_in(leader: User) -> None:
    assert is_let_in(log_in("minji", HERS))


def _has_another_password(leader: User) -> None:
    leader.set_password("another-password-of-hers")
    leader.save()


def _is_switched_off(leader: User) -> None:
    User.objects.filter(pk=leader.pk).update(is_active=False)


@pytest.mark.parametrize("happens", [_logs_in, _has_another_password, _is_switched_off])
def test_it_ends_by_what_shows_that_nobody_needs_it(
    admin_desk: Client, study: Study, leader: User, happens: Callable[[User], None]
) -> None:
    link = make_link(admin_desk, leader)
    happens(leader)
    assert choose(link).status_code == 410


def test_it_is_good_for_a_day(admin_desk: Client, leader: User, settings: Any) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 60 * 60
    link = make_link(admin_desk, leader)
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert choose(link).status_code == 410


def test_opening_it_changes_nothing_and_no_cache_keeps_it(admin_desk: Client, leader: User) -> None:
    link = make_link(admin_desk, leader)
    before = User.objects.values().get(pk=leader.pk)
    for _fetched in range(2):  # by a messenger, and by her
        answer = Client().get(link)
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"
    assert User.objects.values().get(pk=leader.pk) == before
    assert choose(link).status_code == 302


def test_it_lifts_the_lock_of_wrong_passwords(
    admin_desk: Client, study: Study, leader: User
) -> None:
    guess(5)
    assert not is_let_in(log_in("minji", HERS))
    choose(make_link(admin_desk, leader))
    assert not AccessAttempt.objects.exists()
    assert is_let_in(log_in("minji", NEW))


def test_a_weak_password_is_told_and_the_link_stays_good(admin_desk: Client, leader: User) -> None:
    link = make_link(admin_desk, leader)
    answer = choose(link, {"new_password1": "minji-1234", "new_password2": "minji-1234"})
    assert "new_password2" in answer.context["form"].errors
    assert choose(link).status_code == 302


def test_nobody_but_a_site_admin_makes_one(desk: Client, other_leader: User) -> None:
    answer = desk.post(f"{account(other_leader)}reset-link/")
    assert answer.status_code == 403
    assert Client().post(f"{account(other_leader)}reset-link/").status_code == 302


def test_none_is_made_for_an_account_that_is_switched_off_or_by_a_get(
    admin_desk: Client, leader: User, security: pytest.LogCaptureFixture
) -> None:
    admin_desk.get(f"{account(leader)}reset-link/")
    _is_switched_off(leader)
    assert admin_desk.post(f"{account(leader)}reset-link/").status_code == 404
    page = admin_desk.get(f"{account(leader)}change/").content.decode()
    assert "reset-link" not in page
    assert "password link made" not in " ".join(lines(security))


@pytest.mark.parametrize("link", ["/password/MQ/x-y/", "/password/xx/set-password/"])
@pytest.mark.django_db
def test_a_forged_link_says_whom_to_ask(client: Client, link: str) -> None:
    answer = client.get(link, headers={"Accept-Language": "en"})
    assert answer.status_code == 410
    assert "Ask a site admin" in answer.content.decode()


def test_the_login_says_whom_to_ask(client: Client, db: None) -> None:
    page = client.get("/admin/login/", headers={"Accept-Language": "en"}).content.decode()
    assert "the password forgotten? Ask a site admin" in page
    assert "/password/" not in page


# --- by mail -----------------------------------------------------------------------------------


@pytest.fixture
def mailed(settings: Any, leader: User) -> User:
    settings.SENDS_MAIL, settings.DEFAULT_FROM_EMAIL = True, "notices@example.org"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    cache.clear()
    User.objects.filter(pk=leader.pk).update(email="minji@example.org")
    return leader


def ask(address: str, came_from: str = "192.0.2.1", language: str = "ko") -> Any:
    headers = {"Accept-Language": language}
    return Client(headers=headers).post("/password/", {"email": address}, REMOTE_ADDR=came_from)


def mail_sent(count: int) -> list[EmailMessage]:
    """What was mailed, of which each is sent by a thread of its own."""
    deadline = time.monotonic() + 20
    while len(mail.outbox) < count:
        assert time.monotonic() < deadline, f"{len(mail.outbox)} mails of {count}"
        time.sleep(0.01)
    return mail.outbox


def test_a_link_comes_by_mail_and_changes_the_password(mailed: User, study: Study) -> None:
    assert 'href="/password/"' in Client().get("/admin/login/").content.decode()
    assert Client().get("/password/").status_code == 200
    ask("Minji@example.org")
    [message] = mail_sent(1)
    assert (message.to, message.from_email) == (["minji@example.org"], "notices@example.org")
    found = LINK.search(str(message.body))
    assert found
    assert "minji" in message.body
    assert choose(found[1]).status_code == 302
    assert is_let_in(log_in("minji", NEW))


@pytest.mark.parametrize(("language", "word"), [("ko", "비밀번호"), ("en", "password")])
def test_it_is_in_her_language_and_begins_with_the_public_address(
    mailed: User, settings: Any, language: str, word: str
) -> None:
    settings.PUBLIC_URL = "https://notices.example.org"
    ask("minji@example.org", language=language)
    [message] = mail_sent(1)
    assert word in message.subject
    assert word in message.body
    assert "\nhttps://notices.example.org/password/" in message.body


def test_the_answer_tells_nothing_of_who_has_an_account(mailed: User) -> None:
    User.objects.create_user("off", "off@example.org", HERS, is_active=False)
    known = ask("minji@example.org")
    for address in ("nobody@example.org", "off@example.org"):
        answer = ask(address)
        assert (answer.status_code, answer["Location"]) == (known.status_code, known["Location"])
        assert answer.content == known.content
    assert [message.to for message in mail_sent(1)] == [["minji@example.org"]]


def test_one_address_asks_a_few_times_and_one_account_is_mailed_a_few_times(
    mailed: User, security: pytest.LogCaptureFixture
) -> None:
    answers = [ask("nobody@example.org").status_code for _press in range(6)]
    assert answers == [302] * forgotten.MOST_ASKED + [429]
    for n in range(5):
        assert ask("minji@example.org", f"198.51.100.{n}").status_code == 302
    mail_sent(forgotten.MOST_MAILED)
    links = [line for line in lines(security) if line.startswith("password link mailed")]
    assert len(links) == forgotten.MOST_MAILED


def test_a_server_that_takes_no_mail_changes_no_answer_and_is_logged(
    mailed: User, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    known = ask("nobody@example.org")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = ask("minji@example.org")
    assert (answer.status_code, answer["Location"]) == (known.status_code, known["Location"])
    deadline = time.monotonic() + 20
    while "was not mailed" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.django_db
def test_without_a_mail_server_there_is_no_such_page(client: Client) -> None:
    for page in ("/password/", "/password/asked/"):
        assert client.get(page).status_code == 404
        assert client.post(page, {"email": "a@example.org"}).status_code == 404


def test_a_link_of_the_desk_needs_no_mail(
    leader: User, site_admin: User, rf: RequestFactory
) -> None:
    assert LINK.fullmatch(forgotten.link_for(leader, rf.get("/")))
    assert logged_in(site_admin).get(f"{account(leader)}change/").status_code == 200
