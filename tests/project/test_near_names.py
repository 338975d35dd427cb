"""A name that is nearly one of ours is told of, with the name meant, and nothing of its value."""

import logging

import pytest

from studybot import environment, near_names, settings

assert settings  # The environment knows a name once the settings have asked for it.


def meant(**variables: str) -> dict[str, str]:
    return dict(near_names.misspelt(variables, environment.known))


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("BOT_TOKN", "BOT_TOKEN"), ("BOT_TOKNE", "BOT_TOKEN"), ("BOTTOKEN", "BOT_TOKEN"),
        ("bot_token", "BOT_TOKEN"), ("DISCORD_TOKEN", "BOT_TOKEN"),
        ("DISCORD_BOT_TOKEN", "BOT_TOKEN"), ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"), ("DATABASE_URI", "DATABASE_URL"),
        ("REDIS_ULR", "REDIS_URL"), ("DJANGO_SECRET_KEY", "SECRET_KEY"), ("LOGLEVEL", "LOG_LEVEL"),
        ("TIMEZONE", "TIME_ZONE"), ("BEHIND_TLS_PROXI", "BEHIND_TLS_PROXY"), ("DEBG", "DEBUG"),
        ("EXAMPLES_PORT", "EXAMPLE_PORT"), ("WEB_CONCURENCY", "WEB_CONCURRENCY"),
    ],
)  # fmt: skip
def test_a_name_that_is_nearly_ours_is_told_of(name: str, right: str) -> None:
    assert meant(**{name: "x"}) == {name: right}


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "LANG", "TZ", "HOME", "DEBUGINFOD_URLS", "TEST_DATABASE_URL", "TEST_REDIS_URL",
        "PGDATABASE", "GUNICORN_CMD_ARGS", "PYTHONUNBUFFERED", "DJANGO_SETTINGS_MODULE",
        "FAKEDISCORD_PORT", "BOT_TOKEN", "CHROMIUM", "HOSTNAME", "PORT", "LC_ALL",
    ],
)  # fmt: skip
def test_other_programs_names_are_left_alone(name: str) -> None:
    assert meant(**{name: "x"}) == {}


def test_a_near_name_is_left_alone_if_the_right_one_is_set() -> None:
    assert meant(DATABASE_URI="x", DATABASE_URL="y") == {}


def test_the_value_of_a_near_name_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        near_names.warn({"BOT_TOKN": "hunter2"}, environment.known)
    assert "BOT_TOKN" in caplog.text
    assert "is BOT_TOKEN meant?" in caplog.text
    assert "hunter2" not in caplog.text
