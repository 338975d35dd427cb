"""A database that an older version filled opens, migrates, and its notices go on their way.

`sqlite.sql` and `postgresql.sql` are what version 0.1.0 left behind in the middle of its work, with
a notice in every state; README.md tells how they were made.
"""

import json
import os
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

HERE = Path(__file__).resolve().parent
BASE_DIR = HERE.parents[1]
BECAME = {
    "sent": ["sent", ["sent", "sent"]],
    "sent with a file": ["sent", ["sent"]],
    "edited twice": ["sent", ["sent"]],
    "to be edited, and it was": ["sent", ["sent"]],
    "to be withdrawn": ["withdrawn", ["withdrawn", "withdrawn"]],
    "withdrawn": ["withdrawn", ["withdrawn"]],
    "partly sent": ["partly_sent", ["failed", "sent"]],
    "failed": ["failed", ["failed"]],
    "left": ["failed", ["failed"]],
    "unknown": ["sent", ["sent"]],
    "undecided": ["sending", ["unknown"]],
    "waiting": ["sent", ["sent", "sent"]],
    "sending": ["sent", ["sent"]],
    "queued": ["sent", ["sent"]],
    "expired": ["failed", ["failed"]],
    "scheduled": ["scheduled", ["waiting", "waiting"]],
    "draft, changed in bulk": ["draft", []],
    "archived": ["sent", []],
}


@pytest.fixture
def old_database(tmp_path: Path) -> Iterator[str]:
    """Its DATABASE_URL."""
    if connection.vendor == "sqlite":
        path = tmp_path / "old.sqlite3"
        database = sqlite3.connect(path)
        database.executescript((HERE / "sqlite.sql").read_text(encoding="utf-8"))
        database.close()
        yield f"sqlite:///{path}"
        return
    name = f"old_{uuid.uuid4().hex}"
    given: dict[str, Any] = connection.settings_dict
    server = {
        "host": given["HOST"], "port": given["PORT"] or 5432, "user": given["USER"],
        "password": given["PASSWORD"],
    }  # fmt: skip
    with psycopg.connect(**server, dbname="postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(**server, dbname=name) as filled:
                filled.execute((HERE / "postgresql.sql").read_text(encoding="utf-8").encode())
            yield "postgres://{user}:{password}@{host}:{port}/".format(**server) + name
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            admin.execute(drop)


def run(url: str, *arguments: str) -> str:
    environment = os.environ | {
        "DATABASE_URL": url, "DEBUG": "1", "DJANGO_SETTINGS_MODULE": "studybot.settings",
        "REDIS_URL": "",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, *arguments], cwd=BASE_DIR, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_database_of_the_version_before_goes_on(old_database: str) -> None:
    run(old_database, "manage.py", "migrate", "--verbosity", "0")
    run(old_database, "manage.py", "check", "--database", "default")
    found = json.loads(run(old_database, "-m", "tests.upgrade.goes_on").splitlines()[-1])
    assert found["notices"] == BECAME
    assert [role for _study, _user, role in found["roles"]] == ["leader"]
    in_all = sum(states.count("sent") for _status, states in BECAME.values())
    assert sum(found["shown"].values()) == in_all
