"""Somebody who guesses passwords is stopped, told so and logged."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from notices.models import ApiKey, Study, StudyRole
from notices.security import hashing
from notices.upkeep import pruning

LOGIN = "/admin/login/"
HERS = "a-leaders-password"
TRIES = 5


@pytest.fixture
def security(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "studybot.security")
    return caplog


def lines(security: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in security.records if one.name == "studybot.security"]


def log_in(name: str, password: str, address: str = "192.0.2.1", **headers: Any) -> Any:
    sent = {"username": name, "password": password, "next": "/admin/"}
    browser = Client(headers={"Accept-Language": "en"})
    return browser.post(LOGIN, sent, REMOTE_ADDR=address, **headers)


def guess(count: int, name: str = "minji", **options: str) -> list[int]:
    return [log_in(name, f"wrong {n}", **options).status_code for n in range(count)]


def is_let_in(answer: Any) -> bool:
    return bool(answer.status_code == 302)


# --- locking out ---------------------------------------------------------------------------


def test_after_five_wrong_passwords_the_right_one_is_refused_with_words(study: Study) -> None:
    assert guess(TRIES) == [200] * (TRIES - 1) + [429]
    answer = log_in("minji", HERS)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "Try again in 15 minutes" in answer.content.decode()
    korean = Client().post(LOGIN, {"username": "minji", "password": HERS}, REMOTE_ADDR="192.0.2.1")
    assert "15분 뒤에" in korean.content.decode()


def test_nobody_else_is_locked_out(study: Study, other_study: Study) -> None:
    guess(TRIES)
    assert is_let_in(log_in("minji", HERS, address="192.0.2.2"))
    assert is_let_in(log_in("junho", "another-leaders-password"))


def test_a_new_browser_or_a_respelled_address_does_not_evade_the_lock(study: Study) -> None:
    for n in range(TRIES):
        address = f"2001:db8:0:7::{n + 1:x}"
        log_in("minji", f"wrong {n}", address=address, HTTP_USER_AGENT=f"browser {n}")
    assert not is_let_in(log_in("minji", HERS, address="2001:db8:0:7:ffff::1"))
    assert is_let_in(log_in("minji", HERS, address="2001:db8:0:8::1"))


@pytest.mark.parametrize("spelling", [" minji", "minji ", "ｍｉｎｊｉ"])
def test_a_name_spelled_otherwise_counts_as_itself(study: Study, spelling: str) -> None:
    guess(TRIES, spelling)
    assert not is_let_in(log_in("minji", HERS))


def test_the_right_password_forgets_the_wrong_ones(study: Study) -> None:
    for _n in range(3):
        guess(TRIES - 1)
        assert is_let_in(log_in("minji", HERS))


def test_a_lock_ends_by_itself_however_often_it_is_tried(study: Study) -> None:
    guess(3 * TRIES)
    before = timezone.now() - timedelta(minutes=16)
    AccessAttempt.objects.update(attempt_time=before)
    assert is_let_in(log_in("minji", HERS))


def test_a_new_password_by_a_site_admin_ends_a_lock(
    study: Study, admin_desk: Client, leader: User
) -> None:
    guess(TRIES)
    new = {"password1": "chalk-and-cheese", "password2": "chalk-and-cheese"}
    page = f"/admin/auth/user/{leader.pk}/password/"
    assert admin_desk.post(page, new | {"usable_password": "true"}).status_code == 302
    assert is_let_in(log_in("minji", "chalk-and-cheese"))


def test_guesses_of_the_old_password_on_her_own_page_are_limited(desk: Client) -> None:
    page = reverse("admin:password_change")
    new = {"new_password1": "chalk-and-cheese", "new_password2": "chalk-and-cheese"}
    codes = [
        desk.post(page, new | {"old_password": f"wrong {n}"}).status_code for n in range(TRIES)
    ]
    assert codes == [200] * (TRIES - 1) + [429]
    refused = desk.post(page, new | {"old_password": HERS})
    assert refused.status_code == 429
    assert "15분" in refused.content.decode()


def test_counted_guesses_are_pruned(study: Study) -> None:
    guess(2)
    assert pruning.prune(timezone.now(), 60)
    assert AccessAttempt.objects.count() == 1
    assert pruning.prune(timezone.now() + timedelta(minutes=16), 60)
    assert not AccessAttempt.objects.exists()


def test_no_password_is_kept_of_a_guess(study: Study) -> None:
    log_in("minji", "not-her-password")
    [kept] = AccessAttempt.objects.values()
    assert "not-her-password" not in str(kept)


# --- behind a proxy ------------------------------------------------------------------------


def test_a_forwarded_address_is_ignored_without_a_proxy(study: Study) -> None:
    for n in range(TRIES):
        log_in("minji", f"wrong {n}", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")
    assert not is_let_in(log_in("minji", HERS, HTTP_X_FORWARDED_FOR="203.0.113.9"))


@pytest.mark.parametrize("before", ["", "203.0.113.{n}, ", "203.0.113.{n},", "x, ,{n}, "])
def test_the_address_that_the_proxy_saw_counts(study: Study, settings: Any, before: str) -> None:
    settings.BEHIND_TLS_PROXY = True

    def tried(password: str, n: int, address: str) -> Any:
        forwarded = f"{before.format(n=n)}{address}"
        return log_in("minji", password, address="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)

    for n in range(TRIES):
        tried("wrong", n, "198.51.100.1")
    assert not is_let_in(tried(HERS, 9, "198.51.100.1"))
    assert is_let_in(tried(HERS, 9, "198.51.100.2"))


@pytest.mark.parametrize("sent", ["", "unknown", "198.51.100.1:99", "1.2.3.4.5", "\x85", "::ffff:"])
def test_a_malformed_forwarded_address_is_ignored(study: Study, settings: Any, sent: str) -> None:
    settings.BEHIND_TLS_PROXY = True
    for n in range(TRIES):
        log_in("minji", f"wrong {n}", HTTP_X_FORWARDED_FOR=sent)
    assert not is_let_in(log_in("minji", HERS))


# --- the security log ----------------------------------------------------------------------


def test_each_try_is_logged_in_a_line(study: Study, security: pytest.LogCaptureFixture) -> None:
    guess(TRIES + 1)
    log_in("junho", "wrong")
    log_in("minji", HERS, address="192.0.2.2")
    assert lines(security) == [
        *["login failed: who='minji' from='192.0.2.1'"] * (TRIES - 1),
        *["locked out: who='minji' from='192.0.2.1'"] * 2,
        "login failed: who='junho' from='192.0.2.1'",
        "login: who='minji' from='192.0.2.2'",
    ]


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\x1b[2K", "\x85", "\u2028", "\u202e", "\x0b"])
def test_no_name_forges_a_line(study: Study, security: pytest.LogCaptureFixture, sign: str) -> None:
    log_in(f"minji{sign}login: who='admin' from='192.0.2.1'", "wrong")
    [line] = lines(security)
    assert line.startswith("login failed: who=")
    assert line.isprintable()


def test_each_change_of_rights_is_logged_in_a_line(
    admin_desk: Client, study: Study, other_leader: User, security: pytest.LogCaptureFixture
) -> None:
    page = f"/admin/auth/user/{other_leader.pk}/"
    admin_desk.post(
        f"{page}change/", {"username": "junho", "is_active": "on", "is_superuser": "on"}
    )
    new = {"password1": "chalk-and-cheese", "password2": "chalk-and-cheese"}
    admin_desk.post(f"{page}password/", new | {"usable_password": "true"})
    study.accounts.add(other_leader)
    StudyRole.objects.get(user=other_leader).delete()
    other_leader.refresh_from_db()
    other_leader.email = "nothing@example.org"
    other_leader.save()
    told = lines(security)
    assert told[:2] == [
        "rights changed: who='admin' from='127.0.0.1' user='junho' is_superuser='False -> True'",
        "password changed: who='admin' from='127.0.0.1' user='junho'",
    ]
    assert [line.partition(" what=")[2] for line in told[2:]] == [
        "'roles in a study' of='알고리즘 스터디' added=['junho']",
        "'role in a study' of='알고리즘 스터디' user='junho' role='leader' "
        "sees_names=False deed='taken'",
    ]


def test_each_change_of_a_key_is_logged_in_its_own_line(
    admin_desk: Client, study: Study, other_study: Study, security: pytest.LogCaptureFixture
) -> None:
    sent = {"name": "frontend", "studies": [study.pk]}
    admin_desk.post("/admin/notices/apikey/add/", sent)
    key = ApiKey.objects.get()
    page = f"/admin/notices/apikey/{key.pk}/change/"
    admin_desk.post(page, sent | {"studies": [other_study.pk], "read_only": "on"})
    admin_desk.post("/admin/notices/apikey/", {"action": "rotate", "_selected_action": [key.pk]})
    admin_desk.post(page, {"name": "frontend", "studies": [other_study.pk], "revoked": "on"})
    told = lines(security)
    assert all(" who='admin' from='127.0.0.1' " in line for line in told)
    for words in (
        f"key made: who='admin' from='127.0.0.1' key='frontend ({key.prefix})'",
        f"of='frontend ({key.prefix})' added=['알고리즘 스터디']",
        f"of='frontend ({key.prefix})' removed=['알고리즘 스터디']",
        f"key='frontend ({key.prefix})' read_only='False -> True'",
        f"key rotated: who='admin' from='127.0.0.1' key='frontend ({key.prefix})'",
        f"key revoked: who='admin' from='127.0.0.1' key='frontend ({key.prefix})'",
    ):
        assert [line for line in told if words in line], words


def test_a_command_is_logged_without_an_address(
    study: Study, security: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("createapikey", "frontend")
    [line] = lines(security)
    assert "from='this machine' key='frontend" in line
    assert capsys.readouterr().out.strip() not in line


def test_no_password_or_key_is_in_the_log(
    admin_desk: Client, study: Study, security: pytest.LogCaptureFixture
) -> None:
    answer = admin_desk.post(
        "/admin/notices/apikey/add/", {"name": "f", "all_studies": "on"}, follow=True
    )
    told = " ".join(str(message) for message in answer.context["messages"])
    key = next(word for word in told.split() if word.startswith(ApiKey.objects.get().prefix))
    log_in("minji", "not-her-password")
    log_in("minji", HERS)
    said = " ".join(lines(security))
    assert not [secret for secret in (key, HERS, "not-her-password") if secret in said]
    assert ApiKey.objects.get().hashed_key not in said


# --- many at once --------------------------------------------------------------------------


class QuickHasher(hashing.BoundedHasher):
    iterations = 2000


@pytest.fixture
def real_hashing(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"]


@pytest.fixture
def hers_hashed(leader: User, real_hashing: None) -> None:
    leader.set_password(HERS)
    leader.save()


def take(places: Any, count: int) -> Iterator[None]:
    for _n in range(count):
        assert places.acquire(blocking=False)
    yield
    for _n in range(count):
        places.release()


@pytest.fixture
def taken_places(study: Study, real_hashing: None) -> Iterator[None]:
    yield from take(hashing._places, hashing.PLACES)


@pytest.fixture
def taken_by_strangers(study: Study, real_hashing: None) -> Iterator[None]:
    yield from take(hashing._places_of_strangers, hashing.PLACES_OF_STRANGERS)


@pytest.fixture
def taken_by_guessers(study: Study, real_hashing: None) -> Iterator[None]:
    yield from take(hashing._places_of_guessers, hashing.PLACES_OF_GUESSERS)


@pytest.fixture
def knows_nobody(study: Study) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("taken_by_strangers", "knows_nobody")
@pytest.mark.parametrize("name", ["minji", "nobody-of-this-name"])
def test_a_password_too_many_is_refused_at_once_and_not_counted(
    study: Study, security: pytest.LogCaptureFixture, name: str
) -> None:
    for _n in range(2 * TRIES):
        answer = log_in(name, HERS)
        assert (answer.status_code, answer["Retry-After"]) == (429, "2")
    assert "Wait a few seconds" in answer.content.decode()
    assert not AccessAttempt.objects.exists()
    assert f"refused, too many passwords at once: who='{name}'" in lines(security)[0]


@pytest.mark.usefixtures("hers_hashed", "taken_by_guessers", "knows_nobody")
def test_guessers_make_only_themselves_wait(study: Study) -> None:
    guess(hashing.GUESSES, "nobody")
    assert log_in("another", "wrong").status_code == 429
    assert log_in("minji", HERS).status_code == 429
    assert is_let_in(log_in("minji", HERS, address="192.0.2.2"))


@pytest.mark.usefixtures("hers_hashed", "study", "knows_nobody")
@pytest.mark.parametrize("name", ["minji", " ｍｉｎｊｉ "])
def test_a_browser_that_was_let_in_before_goes_first_from_a_guessers_address(
    request: pytest.FixtureRequest, name: str
) -> None:
    browser = Client()
    sent = {"username": "minji", "password": HERS, "next": "/admin/"}
    assert is_let_in(browser.post(LOGIN, sent, REMOTE_ADDR="192.0.2.1"))
    browser.post("/admin/logout/")
    guess(hashing.GUESSES, "nobody")
    for taken in ("taken_by_strangers", "taken_by_guessers"):
        request.getfixturevalue(taken)
    assert is_let_in(browser.post(LOGIN, sent | {"username": name}, REMOTE_ADDR="192.0.2.1"))


@pytest.mark.usefixtures("taken_by_strangers", "taken_by_guessers", "knows_nobody")
@pytest.mark.parametrize("known", ["minji", "minji:1tNa0l:0000", "junho"])
def test_a_forged_or_borrowed_cookie_makes_no_browser_known(study: Study, known: str) -> None:
    browser = Client()
    if known == "junho":
        told = HttpResponse()
        told.set_signed_cookie(hashing.KNOWN_COOKIE, known)
        known = told.cookies[hashing.KNOWN_COOKIE].value
    browser.cookies[hashing.KNOWN_COOKIE] = known
    sent = {"username": "minji", "password": HERS, "next": "/admin/"}
    assert browser.post(LOGIN, sent, REMOTE_ADDR="192.0.2.1").status_code == 429


@pytest.mark.usefixtures("hers_hashed", "taken_by_guessers", "knows_nobody")
def test_a_user_who_is_logged_in_does_not_count_as_a_guesser(desk: Client) -> None:
    guess(hashing.GUESSES, "nobody", address="127.0.0.1")
    new = dict.fromkeys(("new_password1", "new_password2"), "chalk-and-cheese")
    page = reverse("admin:password_change")
    assert is_let_in(desk.post(page, new | {"old_password": HERS}))


@pytest.mark.usefixtures("real_hashing")
def test_no_more_passwords_are_hashed_at_once_than_there_are_places() -> None:
    hasher = hashing.BoundedHasher()
    start = Barrier(8)
    ended: list[Any] = []

    def one() -> None:
        start.wait()
        try:
            ended.append(hasher.encode("a password", "salt", iterations=200_000))
        except hashing.TooManyPasswordsError as error:
            ended.append(error)

    threads = [Thread(target=one) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hashed = [one for one in ended if isinstance(one, str)]
    assert hashing.PLACES <= len(hashed) < 8
    assert len(ended) == 8


@pytest.mark.usefixtures("real_hashing")
def test_a_password_hashed_by_django_stays_valid_and_is_not_logged_as_new(
    study: Study, leader: User, security: pytest.LogCaptureFixture
) -> None:
    older = PBKDF2PasswordHasher().encode(HERS, "salt", iterations=1000)
    User.objects.filter(pk=leader.pk).update(password=older)
    assert is_let_in(log_in("minji", HERS))
    leader.refresh_from_db()
    assert leader.password != older
    assert lines(security) == ["login: who='minji' from='192.0.2.1'"]


@pytest.mark.usefixtures("real_hashing")
@pytest.mark.parametrize("name", ["minji", "nobody-of-this-name", "switched-off", "without-one"])
def test_a_guess_hashes_once_for_any_name(
    study: Study, leader: User, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    User.objects.create_user("switched-off", password=HERS, is_active=False)
    User.objects.create_user("without-one")
    leader.set_password(HERS)
    leader.save()
    hashed: list[str] = []
    encode = PBKDF2PasswordHasher.encode

    def counted(self: Any, password: str, *arguments: Any) -> str:
        hashed.append(password)
        return encode(self, password, *arguments)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    log_in(name, "wrong")
    assert len(hashed) == 1
