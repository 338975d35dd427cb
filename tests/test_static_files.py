"""Production serves static files that were collected; what was not is told before anybody asks."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import ROOT, free_port

PRODUCTION = {"DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "k" * 60}


def run(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **PRODUCTION, "STATIC_ROOT": str(root)}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip


def start_web(root: Path) -> subprocess.CompletedProcess[str]:
    """It comes back, as it cannot start."""
    return run(root, "-m", "gunicorn", "studybot.wsgi", "--bind", f"127.0.0.1:{free_port()}")


def check(root: Path) -> subprocess.CompletedProcess[str]:
    return run(root, "manage.py", "check", "--deploy", "--tag", "staticfiles")


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("collected")
    done = run(root, "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
    assert done.returncode == 0, done.stderr
    yield root
    shutil.rmtree(root)


def test_the_web_refuses_to_start_without_its_static_files(tmp_path: Path) -> None:
    done = start_web(tmp_path)
    assert done.returncode != 0
    told = [line for line in done.stderr.splitlines() if line.startswith("studybot cannot run: ")]
    assert len(told) == 1
    assert str(tmp_path) in told[0]
    assert "collectstatic" in told[0]
    assert "Traceback" not in done.stderr
    assert "studybot.E001" in check(tmp_path).stderr


def test_what_needs_no_static_files_works_without_them(tmp_path: Path) -> None:
    assert run(tmp_path, "manage.py", "check").returncode == 0
    assert run(tmp_path, "manage.py", "showmigrations").returncode == 0


def test_once_collected_nothing_is_missed(collected: Path) -> None:
    assert check(collected).returncode == 0


def test_files_of_another_version_are_told(collected: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(collected, old)
    (old / "sources.sha256").write_text("0" * 64)
    assert "another version" in check(old).stderr
    assert "another version" in start_web(old).stderr


def test_a_relative_folder_is_refused() -> None:
    done = run(Path("static"), "manage.py", "check")
    assert "STATIC_ROOT='static' cannot be used" in done.stderr


def test_each_collected_file_is_compressed_and_named_by_its_contents(collected: Path) -> None:
    paths = json.loads((collected / "staticfiles.json").read_text(encoding="utf-8"))["paths"]
    style = collected / paths["unfold/css/styles.css"]
    assert style.name != "styles.css"
    assert style.with_name(f"{style.name}.br").stat().st_size < style.stat().st_size / 5
    assert style.with_name(f"{style.name}.gz").exists()


def test_what_no_page_shows_is_not_collected(collected: Path) -> None:
    files = [path for path in collected.rglob("*") if path.is_file()]
    assert not [path for path in files if "redoc" in path.parts or path.suffix == ".map"]
    assert sum(path.stat().st_size for path in files) < 12 * 1024 * 1024
