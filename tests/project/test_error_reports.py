"""An error report tells much of the error and no secret."""

import sys
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import RequestFactory

from studybot.error_reports import Reporter

REDIS = "redis://:hunter2-redis@redis.example.org:6379/0"


# These are apart from the line that fails, since a report shows the lines around that.
POSTED = {"username": "minji", "password": "hunter2-posted", "api_key": "hunter2-field"}
HEADERS = {"X-API-Key": "hunter2-header", "Authorization": "Bearer hunter2-bearer"}
COOKIES = {"sessionid": "hunter2-session", "another": "hunter2-cookie"}
# runserver puts the environment there too.
META = {"HTTP_COOKIE": "sessionid=hunter2-session", "REDIS_URL": REDIS}
HELD = {"parts": ["hunter2-redis", "hunter2@pg"]}


@pytest.fixture
def secrets(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> LazySettings:
    settings.DEBUG = True
    settings.REDIS_URL = REDIS
    settings.COUNTER_URL = f"{REDIS}?socket_timeout=1"
    settings.Q_CLUSTER = {**settings.Q_CLUSTER, "redis": REDIS}
    settings.CACHES = {**settings.CACHES, "other": {"BACKEND": "x", "LOCATION": [REDIS]}}
    settings.CELERY_BROKER = "amqp://bot:hunter2-amqp@mq.example.org"
    settings.SOMEWHERE = {"deep": [("x", "https://bot:hunter2-deep@example.org/x")]}
    settings.BOT_TOKEN = "hunter2.bot.token"
    settings.SECRET_KEY = "hunter2-secret-key-of-enough-letters<&"
    monkeypatch.setenv("REDIS_URL", REDIS)
    monkeypatch.setenv("DATABASE_URL", "postgres://bot:hunter2%40pg@db.example.org/studybot")
    return settings


def fail(**variables: Any) -> None:
    """Fail with secrets in the variables, as a library may."""
    said = f"the pool of {REDIS}"
    raise RuntimeError(f"{said} is lost, {variables}")


def reports(rf: RequestFactory, **variables: Any) -> list[str]:
    request = rf.post("/admin/login/?next=/", POSTED, headers=HEADERS)
    request.COOKIES = COOKIES
    request.META |= META
    posted, environ = request.POST, request.META
    try:
        fail(**variables)
    except RuntimeError:
        reporter = Reporter(request, *sys.exc_info())
    assert posted
    assert environ
    return [reporter.get_traceback_html(), reporter.get_traceback_text()]


@pytest.mark.usefixtures("secrets")
def test_no_secret_stands_in_an_errors_page(rf: RequestFactory, secrets: LazySettings) -> None:
    for report in reports(rf, token=secrets.BOT_TOKEN, key=secrets.SECRET_KEY, **HELD):
        assert "hunter2" not in report


@pytest.mark.usefixtures("secrets")
def test_a_report_keeps_the_facts_that_help_to_mend_the_error(rf: RequestFactory) -> None:
    for report in reports(rf):
        assert "RuntimeError" in report
        assert "redis.example.org:6379/0 is lost" in report
        assert "127.0.0.1" in report
        assert "minji" in report
        assert "DISCORD_API_URL" in report
