"""The page of a refused form says whether the set-up, the browser or the page's age is at fault."""

import logging

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from notices.desk import csrf

pytestmark = pytest.mark.django_db

HOST = "notices.example.org"


@pytest.fixture(autouse=True)
def production(settings: LazySettings) -> LazySettings:
    settings.ALLOWED_HOSTS = [HOST, "192.168.0.10", "127.0.0.1"]
    settings.CSRF_TRUSTED_ORIGINS = [f"https://{HOST}"]
    settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return settings


def log_in(
    origin: str | None, *, host: str = HOST, secure: bool = True, keeps_cookies: bool = True,
    language: str = "en", referer: str | None = None,
) -> HttpResponse:  # fmt: skip
    """Log in as a browser at `origin` does, behind a proxy that passes `host` on."""
    client = Client(enforce_csrf_checks=True)
    headers = {"host": host, "X-Forwarded-Proto": "https" if secure else "http",
               "Accept-Language": language}  # fmt: skip
    page = client.get("/admin/login/", headers=headers)
    token = page.cookies["csrftoken"].value
    if not keeps_cookies:
        client.cookies.clear()
    headers |= {"Origin": origin} if origin else {}
    headers |= {"Referer": referer} if referer else {}
    filled = {"username": "a", "password": "b", "csrfmiddlewaretoken": token}
    return client.post("/admin/login/", filled, headers=headers)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"origin": f"https://{HOST}:8443"}, "https://notices.example.org:8443, and studybot was "
         "told notices.example.org: the port is lost"),
        ({"origin": "https://192.168.0.10", "host": "192.168.0.10:8443"}, "the port is lost"),
        ({"origin": None, "referer": f"https://{HOST}:8443/admin/"}, "the port is lost"),
        ({"origin": f"https://{HOST}:8443", "host": f"{HOST}:8443", "secure": False},
         "BEHIND_TLS_PROXY=1"),
        ({"origin": f"http://{HOST}"}, "X-Forwarded-Proto $scheme"),
        ({"origin": f"https://{HOST}:8443", "host": "127.0.0.1:8000"}, "Host $http_host"),
        ({"origin": "https://elsewhere.example.org"}, "another site, https://elsewhere.example.org"),
        ({"origin": "null"}, "hides which page the form came from"),
        ({"origin": None}, "hides which page the form came from"),
        ({"origin": "https://[half"}, "hides which page the form came from"),
        ({"origin": "http://192.168.0.10", "host": "192.168.0.10", "secure": False,
          "keeps_cookies": False}, "plain HTTP, where a browser keeps no cookie"),
        ({"origin": f"https://{HOST}", "keeps_cookies": False}, "Allow cookies for notices"),
    ],
)  # fmt: skip
def test_the_page_and_the_log_say_what_is_wrong(
    sent: dict[str, object], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, csrf.__name__):
        answer = log_in(**sent)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert words in answer.content.decode()
    said = [record.getMessage() for record in caplog.records if record.name == csrf.__name__]
    assert len(said) == 1
    assert words in said[0]


def test_the_page_speaks_korean_and_the_log_english(caplog: pytest.LogCaptureFixture) -> None:
    answer = log_in(f"https://{HOST}:8443", language="ko")
    assert "포트" in answer.content.decode()
    assert "the port is lost between" in caplog.text


def test_a_stranger_is_told_to_ask_the_operator() -> None:
    for_operators = log_in(f"https://{HOST}:8443").content.decode()
    assert "Tell whoever runs this site" in for_operators
    assert "Tell whoever runs this site" not in log_in("null").content.decode()


def test_a_form_from_before_the_last_login_has_expired(leader: User) -> None:
    client = Client(enforce_csrf_checks=True)
    headers = {"host": HOST, "X-Forwarded-Proto": "https", "Accept-Language": "en",
               "Origin": f"https://{HOST}"}  # fmt: skip
    client.get("/admin/login/", headers=headers)
    old = "x" * 64
    answer = client.post("/admin/login/", {"csrfmiddlewaretoken": old}, headers=headers)
    page = answer.content.decode()
    assert "This page has expired" in page
    assert "opened before you last logged in" in page
    assert "Tell whoever" not in page


def test_nothing_that_was_sent_stands_in_the_page_as_markup() -> None:
    page = log_in("https://elsewhere.example.org<script>").content.decode()
    assert "<script>" not in page


def test_a_form_that_is_well_is_taken() -> None:
    assert log_in(f"https://{HOST}").status_code == 200
    assert log_in(f"https://{HOST}:8443", host=f"{HOST}:8443").status_code == 200
