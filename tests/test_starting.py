"""Whoever starts what cannot run is told why in one sentence, without a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent
WRONG = {"DATABASE_URL": "postgres://bot:hunter2#x@db:5432/studybot"}
UNWRITABLE = {"DATABASE_URL": "sqlite:////proc/studybot.sqlite3", "REDIS_URL": ""}


def start(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *command], cwd=BASE_DIR, capture_output=True, text=True, timeout=60,
        env={**os.environ, "DEBUG": "1", **environment}, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "migrate"], ["manage.py", "check"], ["manage.py", "runserver"],
        ["manage.py", "runbot"], ["manage.py", "qcluster"], ["manage.py", "createapikey", "x"],
        ["-m", "gunicorn", "studybot.wsgi"],
        ["-m", "gunicorn", "-c", "python:wsgiref", "studybot.wsgi"],
        ["-c", "import studybot.wsgi"], ["-c", "import studybot.asgi"], ["-m", "demo"],
    ],
)  # fmt: skip
def test_a_wrong_setting_is_told_in_one_sentence(command: list[str]) -> None:
    ended = start(*command, **WRONG)
    assert ended.returncode != 0
    assert "studybot cannot run: DATABASE_URL='postgres://…' cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stdout + ended.stderr
    if "python:wsgiref" not in command:  # there gunicorn has words of its own
        assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["manage.py", "migrate"], ["-m", "gunicorn", "studybot.wsgi"]])
def test_a_disk_that_cannot_be_written_is_told_in_one_sentence(command: list[str]) -> None:
    ended = start(*command, **UNWRITABLE)
    assert ended.returncode != 0
    assert "studybot cannot run: /proc cannot be written to" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_redis_that_does_not_answer_is_told_in_one_sentence() -> None:
    ended = start("manage.py", "qcluster", REDIS_URL="redis://:hunter2@127.0.0.1:1/0")
    assert ended.returncode == 1
    assert "Redis does not answer (Error 111 connecting to 127.0.0.1:1." in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr
    assert len(ended.stderr.splitlines()) <= 2  # django-q logs that its broker is not there
