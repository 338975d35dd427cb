"""Production serves collected static files; those that are missing are told at the start."""

import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.collected import FIND_LACK
from tests import forked
from tests.e2e.databases import ROOT
from tests.e2e.stack import free_port, wait_for
from tests.forked import Forked

PRODUCTION = {"DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "k" * 60}


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, "STATIC_ROOT": str(root)}
    return forked.run(*command, folder=ROOT, environment=environment)


@contextmanager
def web(root: Path, log: Path) -> Iterator[str]:
    """The address of a web process in production."""
    port = free_port()
    environment = {**os.environ, **PRODUCTION, "STATIC_ROOT": str(root)}
    command = ["-m", "gunicorn", "studybot.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = Forked(*command, folder=ROOT, environment=environment, log=log)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{url}/healthz"), "the web answers")
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def answers(url: str) -> bool:
    try:
        return bool(get(url))
    except OSError:
        return False


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - our own
        return str(answer.read().decode(errors="replace"))


def assert_login_page_is_whole(url: str) -> None:
    files = re.findall(r'(?:href|src)="(/static/[^"]+)"', get(f"{url}/admin/login/"))
    assert len(files) > 5
    for file in files:
        assert get(f"{url}{file}"), file


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return run(root, "manage.py", *FIND_LACK)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("collected")
    done = run(root, "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    yield root
    shutil.rmtree(root)


def test_the_desk_works_where_nothing_was_collected(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with web(tmp_path / "empty", log) as url:
        assert_login_page_is_whole(url)
    told = log.read_text()
    assert "are not collected" in told
    assert "collectstatic --noinput" in told
    assert "studybot.W001" in check(tmp_path / "empty").stderr


def test_commands_that_need_no_static_files_work_without_them(tmp_path: Path) -> None:
    assert run(tmp_path, "manage.py", "check").returncode == 0
    assert run(tmp_path, "manage.py", "showmigrations").returncode == 0


def test_the_check_passes_once_all_files_are_collected(collected: Path) -> None:
    assert check(collected).returncode == 0


def old_manifest(root: Path) -> str:
    """The manifest of a version that had none of today's files."""
    manifest = json.loads((root / "staticfiles.json").read_text(encoding="utf-8"))
    return json.dumps({**manifest, "paths": dict.fromkeys(manifest["paths"], "gone.css")})


def test_files_of_another_version_are_told_and_not_used(collected: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(collected, old)
    (old / "sources.sha256").write_text("0" * 64)
    (old / "staticfiles.json").write_text(old_manifest(old))
    assert "another version" in check(old).stderr
    log = tmp_path / "web.log"
    with web(old, log) as url:
        assert_login_page_is_whole(url)
    assert "another version" in log.read_text()


def test_a_relative_folder_is_refused() -> None:
    done = run(Path("static"), "manage.py", "check")
    assert "STATIC_ROOT='static' cannot be used" in done.stderr


def test_each_collected_file_is_compressed_and_named_by_its_contents(collected: Path) -> None:
    paths = json.loads((collected / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    style = collected / paths["unfold/css/styles.css"]
    assert style.name != "styles.css"
    assert style.with_name(f"{style.name}.br").stat().st_size < style.stat().st_size / 5
    assert style.with_name(f"{style.name}.gz").exists()


def test_files_that_no_page_shows_are_not_collected(collected: Path) -> None:
    files = [path for path in collected.rglob("*") if path.is_file()]
    assert not [path for path in files if "redoc" in path.parts or path.suffix == ".map"]
    assert sum(path.stat().st_size for path in files) < 12 * 1024 * 1024
