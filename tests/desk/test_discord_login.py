"""A Discord account lets in whoever is linked or invited, and nobody else."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib.auth.models import User
from django.urls import get_resolver
from django.utils import timezone

from notices.desk import discord_login
from notices.models import Person, Study, StudyRole
from notices.people import invitations
from notices.security.login_life import BEGUN, USED
from tests.desk.discord_browser import BACK, BEGIN, HANEUL, JIWOO, Browser, start_discord
from tests.desk.test_once import press_at_once
from tests.fakediscord_driver import FakeDiscordProcess


@pytest.fixture(scope="module")
def process() -> Iterator[FakeDiscordProcess]:
    with start_discord() as process:
        yield process


@pytest.fixture(autouse=True)
def discord(process: FakeDiscordProcess, settings: Any) -> Iterator[FakeDiscordProcess]:
    settings.DISCORD_OAUTH_URL = process.url
    yield process
    process.clear_faults()


@pytest.fixture
def browser(db: None) -> Browser:
    return Browser()


@pytest.fixture
def linked(leader: User, study: Study) -> SocialAccount:
    """The leader's own Discord account."""
    return SocialAccount.objects.create(user=leader, provider="discord", uid=JIWOO)


def invite(study: Study, **options: Any) -> str:
    return invitations.make(study, StudyRole.Role.WRITER, None, **options)[1]


def people() -> tuple[int, int, int]:
    return User.objects.count(), SocialAccount.objects.count(), StudyRole.objects.count()


def page_of(answer: Any) -> str:
    page: str = answer.content.decode()
    assert "/admin/login/" in page
    return page


# --- who is linked -------------------------------------------------------------------------


def test_a_linked_account_lets_its_leader_in(
    browser: Browser, linked: SocialAccount, leader: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studybot.security")
    answer = browser.log_in(JIWOO)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert browser.user_id == leader.pk
    assert browser.client.get("/admin/").status_code == 200
    told = [one.getMessage() for one in caplog.records if one.name == "studybot.security"]
    assert told == ["login: who='minji' from='127.0.0.1'"]


def test_its_session_lives_as_long_as_one_by_a_password(
    browser: Browser, linked: SocialAccount
) -> None:
    before = browser.begin()
    key = browser.client.session.session_key
    browser.come_back(browser.choose(before, JIWOO))
    assert {BEGUN, USED} <= set(browser.client.session.keys())
    assert browser.client.session.session_key != key
    session = browser.client.session
    session[USED] -= 24.1 * 3600
    session.save()
    assert browser.client.get("/admin/").status_code == 302


def test_the_person_of_the_account_becomes_hers(
    browser: Browser, linked: SocialAccount, leader: User, other_leader: User
) -> None:
    hers = Person.objects.create(
        discord_id=int(JIWOO), name="old", language="ko", user=other_leader
    )
    before = Person.objects.create(discord_id=7, user=leader)
    browser.log_in(JIWOO)
    hers.refresh_from_db()
    before.refresh_from_db()
    assert (hers.user, hers.name, hers.language) == (leader, "김지우", "ko")
    assert before.user is None


def test_nothing_is_kept_but_names_and_the_number(browser: Browser, linked: SocialAccount) -> None:
    browser.log_in(JIWOO)
    linked.refresh_from_db()
    assert linked.extra_data == {"username": "jiwoo.kim", "name": "김지우"}
    assert not SocialToken.objects.exists()
    [person] = Person.objects.values("discord_id", "name", "language")
    assert person == {"discord_id": int(JIWOO), "name": "김지우", "language": "en"}


def test_a_deactivated_account_stays_out(
    browser: Browser, linked: SocialAccount, leader: User, study: Study
) -> None:
    leader.is_active = False
    leader.save()
    secret = invite(study)
    browser.bring_invitation(secret)
    answer = browser.log_in(JIWOO)
    assert answer.status_code == 403
    assert "switched off" in page_of(answer)
    assert browser.user_id is None
    assert invitations.find(secret)


def test_an_account_without_a_study_reads_what_the_password_login_says(
    browser: Browser, stranger: User
) -> None:
    SocialAccount.objects.create(user=stranger, provider="discord", uid=JIWOO)
    answer = browser.log_in(JIWOO)
    assert answer.status_code == 403
    words = "The account stranger leads no study. Ask a site admin to make it a leader."
    assert words in page_of(answer)
    assert browser.user_id is None
    sent = {"username": "stranger", "password": "a-strangers-password"}
    assert words in browser.client.post("/admin/login/", sent).content.decode()


def test_a_browser_where_another_is_logged_in_changes_to_her(
    browser: Browser, linked: SocialAccount, leader: User, other_leader: User, other_study: Study
) -> None:
    browser.client.force_login(other_leader)
    browser.log_in(JIWOO)
    assert browser.user_id == leader.pk


# --- who is not, and who is invited --------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Ask your study&#x27;s leader or a site admin for an invitation link"),
        ("ko", "초대 링크를 받아"),
    ],
)
def test_who_was_not_invited_is_told_why_and_nothing_is_made(
    study: Study, linked: SocialAccount, language: str, words: str
) -> None:
    before = people()
    browser = Browser(language)
    answer = browser.log_in(HANEUL)
    assert answer.status_code == 403
    assert words in page_of(answer)
    assert people() == before
    assert not Person.objects.exists()
    assert browser.user_id is None


def test_a_refused_account_is_logged(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "studybot.security")
    browser.log_in(HANEUL)
    [told] = [one.getMessage() for one in caplog.records if one.name == "studybot.security"]
    assert told == (
        "Discord login refused: who='nobody' from='127.0.0.1' "
        f"discord={HANEUL} called='haneul_' why='not invited'"
    )


def test_who_is_invited_gets_an_account_with_the_role(browser: Browser, study: Study) -> None:
    browser.bring_invitation(invite(study))
    answer = browser.log_in(HANEUL)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    made = User.objects.get(username="haneul_")
    assert browser.user_id == made.pk
    assert (made.first_name, made.last_name, made.email) == ("하늘", "", "")
    assert not made.has_usable_password()
    assert not made.is_staff
    assert not made.is_superuser
    assert StudyRole.objects.get(user=made).role == StudyRole.Role.WRITER
    assert Person.objects.get(user=made).discord_id == int(HANEUL)
    assert "invitation" not in browser.client.session
    assert browser.client.get("/admin/").status_code == 200
    again = Browser()
    again.log_in(HANEUL)
    assert again.user_id == made.pk


def test_her_login_name_is_like_nobody_elses(browser: Browser, study: Study) -> None:
    for taken in ("HANEUL_", "haneul_-2"):
        User.objects.create_user(taken)
    browser.bring_invitation(invite(study))
    browser.log_in(HANEUL)
    assert User.objects.filter(username="haneul_-3", first_name="하늘").exists()


def test_who_is_linked_gets_the_role_in_her_own_account(
    browser: Browser, linked: SocialAccount, leader: User, study: Study, other_study: Study
) -> None:
    browser.bring_invitation(invite(other_study))
    browser.log_in(JIWOO)
    assert browser.user_id == leader.pk
    assert set(leader.studies.all()) == {study, other_study}
    assert "invitation" not in browser.client.session


def test_an_invitation_gives_an_account_without_a_study_one(
    browser: Browser, stranger: User, study: Study
) -> None:
    SocialAccount.objects.create(user=stranger, provider="discord", uid=JIWOO)
    browser.bring_invitation(invite(study))
    browser.log_in(JIWOO)
    assert browser.user_id == stranger.pk


@pytest.mark.parametrize("how", ["used", "revoked", "expired", "unknown"])
def test_an_invitation_that_is_over_leaves_no_account_behind(
    browser: Browser, study: Study, leader: User, stranger: User, how: str
) -> None:
    made, secret = invitations.make(study, StudyRole.Role.WRITER, None)
    if how == "used":
        invitations.accept(secret, stranger)
    elif how == "revoked":
        invitations.revoke(made)
    elif how == "expired":
        made.created_at = timezone.now() - timedelta(days=2)
        made.expires_at = timezone.now() - timedelta(days=1)
        made.save()
    before = people()
    browser.bring_invitation("nonsense" if how == "unknown" else secret)
    answer = browser.log_in(HANEUL)
    assert answer.status_code == 403
    assert "Ask whoever sent you the link for another" in page_of(answer)
    assert people() == before
    assert browser.user_id is None
    assert "invitation" not in browser.client.session


def come_at_once(*comers: tuple[str, str]) -> set[int]:
    """Each by a Discord account and with an invitation's secret; how they were answered."""
    backs = {}
    for user_id, secret in comers:
        browser = Browser()
        browser.bring_invitation(secret)
        backs[browser.client] = browser.choose(browser.begin(), user_id)
    answers = press_at_once(list(backs), lambda client: client.get(backs[client]))
    return {answer.status_code for answer in answers}


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_by_one_link_one_comes_in(study: Study) -> None:
    for _n in range(3):
        User.objects.all().delete()
        secret = invite(study)
        assert come_at_once((JIWOO, secret), (HANEUL, secret)) == {302, 403}
        assert people() == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_one_account_that_comes_twice_at_once_is_made_once(study: Study) -> None:
    for _n in range(3):
        User.objects.all().delete()
        answers = come_at_once((HANEUL, invite(study)), (HANEUL, invite(study)))
        assert answers in ({302}, {302, 400})
        assert people() == (1, 1, 1)


# --- the way there and back ----------------------------------------------------------------


def test_discord_is_asked_for_the_name_alone(browser: Browser, settings: Any) -> None:
    asked = urlsplit(browser.begin(scope="identify email guilds", process="redirect"))
    told = parse_qs(asked.query)
    assert f"{asked.scheme}://{asked.netloc}" == settings.DISCORD_OAUTH_URL
    assert asked.path == "/oauth2/authorize"
    assert told["scope"] == ["identify"]
    assert told["client_id"] == [settings.DISCORD_CLIENT_ID]
    assert told["redirect_uri"] == [f"http://localhost:8000{BACK}"]
    by_address = browser.client.post(f"{BEGIN}?scope=email&auth_params=prompt%3Dnone&process=x")
    assert "scope=identify&" in by_address["Location"] + "&"
    assert "prompt" not in by_address["Location"]


def test_a_link_of_another_site_begins_no_login(browser: Browser, linked: SocialAccount) -> None:
    answer = browser.client.get(f"{BEGIN}?next=/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/")
    strict = Browser(enforce_csrf_checks=True)
    assert strict.client.post(BEGIN).status_code == 403


def test_another_browser_cannot_be_made_to_log_in_with_a_code(linked: SocialAccount) -> None:
    """Somebody who sends her his own way back would have her write notices in his name."""
    his, hers = Browser(), Browser()
    back = his.choose(his.begin(), JIWOO)
    hers.begin()
    answer = hers.come_back(back)
    assert answer.status_code == 400
    assert "has expired" in page_of(answer)
    assert hers.user_id is None
    assert his.come_back(back).status_code == 302


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=x&state="])
def test_a_way_back_that_was_not_begun_here_is_refused(
    browser: Browser, linked: SocialAccount, query: str
) -> None:
    assert browser.client.get(f"{BACK}{query}").status_code == 400
    browser.begin()
    assert browser.client.get(f"{BACK}{query}").status_code == 400
    assert browser.client.post(f"{BACK}{query}").status_code == 405


def test_a_way_back_is_good_once(browser: Browser, linked: SocialAccount) -> None:
    back = browser.choose(browser.begin(), JIWOO)
    assert browser.come_back(back).status_code == 302
    browser.client.logout()
    assert browser.come_back(back).status_code == 400
    assert browser.user_id is None


def test_who_declines_is_led_back_to_the_login(browser: Browser, linked: SocialAccount) -> None:
    answer = browser.log_in("")
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "was cancelled" in page_of(answer)
    assert browser.user_id is None


@pytest.mark.parametrize(
    ("asked", "led_to"),
    [
        ("/admin/notices/notice/add/?study=1", "/admin/notices/notice/add/?study=1"),
        ("http://localhost:8000/admin/search/", "http://localhost:8000/admin/search/"),
        ("", "/admin/"), ("//evil.example", "/admin/"), ("https://evil.example/", "/admin/"),
        ("\\\\evil.example", "/admin/"), ("/\\evil.example", "/admin/"),
        ("https:evil.example", "/admin/"), ("https:///evil.example", "/admin/"),
        ("javascript:alert(1)", "/admin/"), ("http://localhost:8000@evil.example/", "/admin/"),
        (" //evil.example", "/admin/"), ("/\t/evil.example", "/admin/"),
        ("http://studybot.localhost/", "/admin/"),
    ],
)  # fmt: skip
def test_after_the_login_she_stays_on_this_host(
    browser: Browser, linked: SocialAccount, asked: str, led_to: str
) -> None:
    assert browser.log_in(JIWOO, next=asked)["Location"] == led_to


def test_the_way_back_chooses_no_other_place(browser: Browser, linked: SocialAccount) -> None:
    back = browser.choose(browser.begin(), JIWOO)
    assert browser.come_back(f"{back}&next=https://evil.example/")["Location"] == "/admin/"


# --- a Discord that fails ------------------------------------------------------------------

TOKEN, ME = "^/oauth2/token$", "^/users/@me$"
USER = '"username": "jiwoo.kim", "global_name": null}'
FAULTS: dict[str, dict[str, Any]] = {
    **{str(status): {"kind": "status", "status": status} for status in (400, 401, 403, 429, 503)},
    "an empty answer": {"kind": "status", "status": 204, "body": ""},
    "no JSON": {"kind": "status", "status": 200, "body": "<h1>Hello</h1>"},
    "half of it": {"kind": "truncate"},
    "a list": {"kind": "status", "status": 200, "body": []},
    "a number": {"kind": "status", "status": 200, "body": 5},
    "no object's parts": {"kind": "status", "status": 200, "body": {}},
    "other kinds": {"kind": "status", "status": 200, "body": {"access_token": 5, "id": 5}},
    "null": {"kind": "status", "status": 200, "body": {"access_token": None, "id": None}},
    "a header in the token": {
        "kind": "status", "status": 200, "body": {"access_token": "a\r\nX: y", "id": "0"},
    },
    "too many brackets": {"kind": "status", "status": 200, "body": "[" * 20_000},
    "a huge number": {"kind": "status", "status": 200, "body": '{"id": ' + "9" * 9000 + "}"},
    "a huge answer": {"kind": "status", "status": 200, "body": " " * 70_000 + "{}"},
    "another place": {
        "kind": "status", "status": 302, "headers": {"Location": "http://127.0.0.1:9/"},
    },
    "no connection": {"kind": "reset"},
    "no answer": {"kind": "lost_reply"},
    "silence": {"kind": "hang", "seconds": 3},
}  # fmt: skip


@pytest.mark.parametrize("path", [TOKEN, ME])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_discord_that_fails_is_told_so_on_a_page(
    browser: Browser, linked: SocialAccount, discord: FakeDiscordProcess, settings: Any,
    fault: dict[str, Any], path: str,
) -> None:  # fmt: skip
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 0.5
    discord.fault(path=path, **fault)
    answer = browser.log_in(JIWOO)
    assert answer.status_code == 502
    assert "Discord did not answer as it should" in page_of(answer)
    assert browser.user_id is None
    assert discord.faults()[0]["hits"] == 1


def test_a_discord_that_is_away_is_told_so_too(
    browser: Browser, linked: SocialAccount, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    back = browser.choose(browser.begin(), JIWOO)
    settings.DISCORD_OAUTH_URL = "http://127.0.0.1:9"
    assert browser.come_back(back).status_code == 502
    [told] = [one.getMessage() for one in caplog.records if "Discord failed" in one.getMessage()]
    code = parse_qs(urlsplit(back).query)["code"][0]
    for secret in (code, settings.DISCORD_CLIENT_SECRET):
        assert secret not in told


@pytest.mark.parametrize(
    "user",
    [
        '{"id": "0", ', '{"id": "-1", ', '{"id": "1.5", ', '{"id": "１", ',
        '{"id": "' + "9" * 19 + '", ', '{"id": 265751101440004096, ',
    ],
)  # fmt: skip
def test_a_number_that_no_account_has_is_no_account(
    browser: Browser, study: Study, discord: FakeDiscordProcess, user: str
) -> None:
    browser.bring_invitation(invite(study))
    discord.fault(kind="status", status=200, body=user + USER, path=ME)
    before = people()
    assert browser.log_in(JIWOO).status_code == 502
    assert people() == before


@pytest.mark.parametrize(
    ("username", "global_name", "login_name", "name"),
    [
        ("a b<script>", "null", "abscript", "a b<script>"),
        ("가나다", '"\\u1100\\u1161\\u0000\\ud800나"', "discord", "가나"),
        ("x" * 500, '"' + "y" * 500 + '"', "x" * 100, "y" * 100),
        ("haneul", '"\\u200b "', "haneul", "haneul"),
        ("haneul", "[]", "haneul", "haneul"),
    ],
)
def test_odd_names_become_names_that_can_be(
    browser: Browser, study: Study, discord: FakeDiscordProcess,
    username: str, global_name: str, login_name: str, name: str,
) -> None:  # fmt: skip
    browser.bring_invitation(invite(study))
    told = f'{{"id": "7", "username": "{username}", "global_name": {global_name}}}'
    discord.fault(kind="status", status=200, body=told, path=ME)
    assert browser.log_in(JIWOO).status_code == 302
    made = Person.objects.get(discord_id=7).user
    assert made is not None
    assert browser.user_id == made.pk
    assert (made.username, made.first_name) == (login_name, name)
    assert made.person.name == name


def test_a_few_logins_at_once_leave_the_site_its_threads(
    browser: Browser, linked: SocialAccount
) -> None:
    back = browser.choose(browser.begin(), JIWOO)
    for _n in range(discord_login.MOST_AT_ONCE):
        assert discord_login._places.acquire(blocking=False)
    try:
        answer = browser.come_back(back)
    finally:
        discord_login._places.release(discord_login.MOST_AT_ONCE)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert browser.come_back(back).status_code == 302


# --- no other way in -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/accounts/email/",
        "/accounts/3rdparty/", "/accounts/social/signup/", "/accounts/discord/login/",
        "/admin/account/emailaddress/", "/admin/socialaccount/socialaccount/add/",
        "/admin/socialaccount/socialapp/",
    ],
)  # fmt: skip
def test_allauths_own_pages_are_not_there(admin_desk: Any, path: str) -> None:
    assert admin_desk.get(path).status_code == 404
    assert admin_desk.post(path).status_code == 404


def test_allauth_has_one_address_alone() -> None:
    def views(patterns: list[Any]) -> Iterator[Any]:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from views(pattern.url_patterns)
            else:
                yield pattern.callback

    found = views(get_resolver("studybot.urls").url_patterns)
    assert [one for one in found if one.__module__.startswith("allauth")] == []


def test_a_row_of_a_table_adds_no_way_in(browser: Browser, linked: SocialAccount) -> None:
    SocialApp.objects.create(provider="discord", name="x", client_id="666", secret="s")
    assert "client_id=666" not in browser.begin()
    assert browser.log_in(JIWOO).status_code == 302


def test_without_an_application_nothing_of_it_is_there(
    browser: Browser, settings: Any, leader: User, study: Study
) -> None:
    settings.DISCORD_CLIENT_ID = settings.DISCORD_CLIENT_SECRET = ""
    login = browser.client.get("/admin/login/")
    assert "discord" not in login.content.decode().lower()
    assert "form-action 'self';" in login["Content-Security-Policy"] + ";"
    browser.client.force_login(leader)
    assert "discord/" not in browser.client.get("/admin/").content.decode()
    for path in (BEGIN, BACK, "/admin/discord/", "/admin/discord/unlink/"):
        assert browser.client.get(path).status_code in (404, 405)
        assert browser.client.post(path).status_code in (404, 405)


def test_the_login_page_may_lead_to_discord_and_no_other_page(
    browser: Browser, settings: Any, leader: User, study: Study
) -> None:
    login = browser.client.get("/admin/login/?next=/admin/search/")
    page = login.content.decode()
    assert "Log in with Discord" in page
    assert '<input type="hidden" name="next" value="/admin/search/">' in page
    allowed = f"form-action 'self' {settings.DISCORD_OAUTH_URL};"
    assert allowed in login["Content-Security-Policy"] + ";"
    browser.client.force_login(leader)
    assert allowed in browser.client.get("/admin/discord/")["Content-Security-Policy"] + ";"
    front = browser.client.get("/admin/")
    assert "form-action 'self';" in front["Content-Security-Policy"] + ";"
