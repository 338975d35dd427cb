"""A site below a path prefix is refused with the remedy instead of half working."""

import logging

import pytest
from django.test import Client

from tests.project.test_starting import start


@pytest.mark.parametrize("command", [["manage.py", "check"], ["-m", "gunicorn", "studybot.wsgi"]])
def test_a_prefix_is_refused_at_the_start(command: list[str]) -> None:
    ended = start(*command, SCRIPT_NAME="/studybot")
    assert ended.returncode != 0
    assert "SCRIPT_NAME='/studybot' cannot be used: studybot works at the root" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "told", [{"SCRIPT_NAME": "/studybot"}, {"HTTP_X_FORWARDED_PREFIX": "/studybot/"}]
)
def test_a_prefix_of_a_proxy_is_named_in_the_page_and_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, told: dict[str, str]
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = client.get("/admin/login/", **told)  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert "below /studybot" in answer.content.decode()
    assert "give it one (notices.example.org)" in caplog.text


def test_the_root_is_no_prefix(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Forwarded-Prefix": "/"}).status_code == 200
