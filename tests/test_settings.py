"""A wrong value in the environment is refused by its name, itself and the remedy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from studybot import environment

BASE_DIR = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("DEBUG", "maybe", "write 1 or 0"),
        ("BOT_API_PORT", "eighty", "write a number from 1 to 65535"),
        ("BOT_API_PORT", "65536", "write a number from 1 to 65535"),
        ("BOT_API_PORT", "80.5", "write a whole number from 1 to 65535"),
        ("BOT_API_HOST", "http://0.0.0.0", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("BOT_API_HOST", "0.0.0.0:8000", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("BOT_API_HOST", "my host", "write an address such as 127.0.0.1, 0.0.0.0 or ::1"),
        ("MAX_SEND_RETRIES", "-1", "write a number from 0 to 100"),
        ("NONCE_WINDOW", "nan", "write a number from 1 to 120"),
        ("NONCE_WINDOW", "600", "write a number from 1 to 120"),
        ("LARGE_PING", "many", "write a number from 1 to 100000"),
        ("KEEP_ATTEMPTS_DAYS", "-1", "write a number from 0 to 36500"),
        ("KEEP_DELIVERIES_DAYS", "0.5", "write a whole number from 0 to 36500"),
        ("LOG_LEVEL", "LOUD", "write one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("TIME_ZONE", "Seoul", "write a name of the tz database such as Asia/Seoul"),
        ("DISCORD_API_URL", "discord.com", "write an address that begins with https or http://"),
        ("DISCORD_API_URL", "http://localhost:abc", "write an address that begins with https"),
        ("DATABASE_URL", "postgres://db:70000/x", "write an address that begins with sqlite"),
        ("DATABASE_URL", "mysql://x/y", "write an address that begins with sqlite or postgres"),
        ("REDIS_URL", "localhost:6379", "write an address that begins with redis"),
        ("SECRET_KEY", "short", "write at least 32 random characters"),
    ],
)
def test_a_wrong_value_is_refused(name: str, value: str, remedy: str) -> None:
    said = said_by_settings(**{name: value})
    assert f"{name}=" in said
    assert remedy in said
    if name != "SECRET_KEY":
        assert repr(value) in said


def test_every_host_is_refused_without_debug() -> None:
    assert "ALLOWED_HOSTS='*' cannot be used without DEBUG" in said_by_settings(
        DEBUG="0", ALLOWED_HOSTS="*"
    )


def test_a_password_in_an_address_is_not_repeated() -> None:
    assert "hunter2" not in said_by_settings(DATABASE_URL="mysql://bot:hunter2@db/studybot")


def test_an_empty_variable_counts_as_not_set() -> None:
    assert said_by_settings(DEBUG="", BOT_API_PORT="", DATABASE_URL="") == ""


def said_by_settings(**variables: str) -> str:
    """What an import of the settings says in its last line; nothing where all is well."""
    done = subprocess.run(
        [sys.executable, "-c", "import studybot.settings"],
        cwd=BASE_DIR,
        env={**os.environ, "DEBUG": "1", **variables},
        capture_output=True,
        text=True,
    )
    return done.stderr.strip().rpartition("\n")[2]


def test_a_line_of_dotenv_that_is_no_assignment_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# fine\nLOG_LEVEL=INFO\nBOT_TOKEN abc\n")
    with pytest.raises(ImproperlyConfigured, match=r"\.env, line 3: 'BOT_TOKEN abc'"):
        environment.load_dotenv(path)


def test_the_secret_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = environment.secret_key("NO_SUCH_VARIABLE", tmp_path)
    assert environment.secret_key("NO_SUCH_VARIABLE", tmp_path) == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
