"""A program that cannot run says why in one sentence, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import forked

BASE_DIR = Path(__file__).resolve().parents[2]
WRONG = {"DATABASE_URL": "postgres://bot:hunter2#x@db:5432/studybot"}
UNWRITABLE = {"DATABASE_URL": "sqlite:////proc/studybot.sqlite3", "REDIS_URL": ""}


WITH_TOKEN = {"BOT_TOKEN": "a.token", "DISCORD_API_URL": "http://127.0.0.1:1/api/v10"}


def assert_one_sentence(ended: "subprocess.CompletedProcess[str]", why: str) -> None:
    assert ended.returncode == 1
    assert ended.stderr.startswith("studybot cannot run: ")
    assert why in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "hunter2" not in ended.stdout + ended.stderr


def start(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return forked.run(
        *command, folder=BASE_DIR, environment={**os.environ, "DEBUG": "1", **environment}
    )


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "migrate"], ["manage.py", "check"], ["manage.py", "runserver"],
        ["manage.py", "runbot"], ["manage.py", "qcluster"], ["manage.py", "createapikey", "x"],
        ["-m", "gunicorn", "studybot.wsgi"],
        ["-m", "gunicorn", "-c", "python:wsgiref", "studybot.wsgi"],
        ["-c", "import studybot.wsgi"], ["-m", "demo"],
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_in_one_sentence(command: list[str]) -> None:
    ended = start(*command, **WRONG)
    assert ended.returncode != 0
    assert "studybot cannot run: DATABASE_URL='postgres://…' cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    if "python:wsgiref" not in command:  # gunicorn adds lines of its own there
        assert ended.stderr.count("\n") == 1


def test_an_asgi_server_is_refused_with_the_right_command() -> None:
    """Under ASGI neither the bound of a body nor the streams of events would work."""
    ended = start("-c", "import studybot.asgi")
    assert ended.returncode == 3
    assert "studybot cannot run: " in ended.stderr
    assert "gunicorn studybot.wsgi" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["manage.py", "migrate"], ["-m", "gunicorn", "studybot.wsgi"]])
def test_a_disk_that_cannot_be_written_is_told_in_one_sentence(command: list[str]) -> None:
    ended = start(*command, **UNWRITABLE)
    assert ended.returncode != 0
    assert "studybot cannot run: /proc cannot be written to" in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "address", "why"),
    [
        ("migrate", "postgres://bot:hunter2@127.0.0.1:1/studybot", "Connection refused"),
        ("runbot", "postgres://bot:hunter2@127.0.0.1:1/studybot", "Connection refused"),
        ("migrate", "postgres://bot:hunter2@no.invalid/studybot", "resolve host 'no.invalid'"),
        ("migrate", "postgres:///a?host=127.0.0.1,::1&port=1,2&password=hunter2", "port 2 failed"),
        ("migrate", "postgres://bot:hunter2@%2Fno/studybot", "No such file or directory"),
        (
            "migrate",
            "postgres:///a?password=hunter2&service=no-such",
            'service "no-such" not found',
        ),
    ],
)
def test_a_database_that_does_not_answer_is_told_in_one_sentence(
    command: str, address: str, why: str
) -> None:
    ended = start("manage.py", command, DATABASE_URL=address, **WITH_TOKEN)
    assert_one_sentence(ended, why)
    assert "DATABASE_URL" in ended.stderr


def test_the_error_of_a_database_without_tables_names_the_command(tmp_path: Path) -> None:
    address = {"DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}
    assert_one_sentence(
        start("manage.py", "createapikey", "x", **address), "run `manage.py migrate`"
    )
    ended = start("manage.py", "qcluster", REDIS_URL="", **address)
    assert "migrations are not applied" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    (file := tmp_path / "some.sqlite3").write_text("Dear diary, " * 1000)
    address = {"DATABASE_URL": f"sqlite:///{file}"}
    assert_one_sentence(start("manage.py", "migrate", **address), "file is not a database")


def test_an_unusable_folder_for_static_files_is_told_in_one_sentence(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    folder = {"STATIC_ROOT": str(file / "static"), "DEBUG": "0"}
    ended = start("manage.py", "collectstatic", "--noinput", **folder)
    assert_one_sentence(ended, f"{file}/static cannot be used (Not a directory)")


@pytest.mark.parametrize("command", [["manage.py", "migrate"], ["-c", "import studybot.wsgi"]])
def test_another_sites_settings_are_refused_in_one_sentence(command: list[str]) -> None:
    other = "othersite.settings"
    said = start(*command, DJANGO_SETTINGS_MODULE=other).stderr
    assert (
        said
        == f"studybot cannot run: DJANGO_SETTINGS_MODULE={other!r} is another site's: unset it.\n"
    )


def test_the_error_of_a_missing_package_names_the_command(tmp_path: Path) -> None:
    (tmp_path / "csp.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'csp'\", name='csp')"
    )
    ended = subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=BASE_DIR, capture_output=True, text=True,
        env={**os.environ, "DEBUG": "1", "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert_one_sentence(ended, "No module named 'csp'. Install what studybot needs: pip install")


def test_a_traceback_that_is_asked_for_is_shown() -> None:
    ended = start("manage.py", "migrate", "--traceback", DATABASE_URL="postgres://127.0.0.1:1/a")
    assert "Traceback" in ended.stderr


def test_a_redis_that_does_not_answer_is_told_in_one_sentence() -> None:
    ended = start("manage.py", "qcluster", REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert ended.returncode == 1
    assert "Redis does not answer (Error 111 connecting to 127.0.0.1:1." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2  # django-q logs a line about its broker too
