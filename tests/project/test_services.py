"""A test whose service is missing is left out with a word, and fails in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

BASE_DIR = Path(__file__).resolve().parents[2]
NOBODY_LISTENS = "redis://127.0.0.1:1/0"


def run_a_test_that_needs_redis(directory: Path, **environment: str) -> tuple[int, str]:
    (directory / "test_it.py").write_text(
        "import pytest\n@pytest.mark.redis\ndef test_it(): assert True\n"
    )
    without_ci = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            "pyproject.toml",
            str(directory / "test_it.py"),
        ],
        cwd=BASE_DIR,
        env={**without_ci, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_a_missing_service_is_left_out_in_one_line_with_the_remedy(tmp_path: Path) -> None:
    code, said = run_a_test_that_needs_redis(tmp_path, TEST_REDIS_URL=NOBODY_LISTENS)
    assert code == 0
    assert "left out 1 tests marked redis: start Redis, or set TEST_REDIS_URL" in said


def test_a_missing_service_fails_the_run_in_ci(tmp_path: Path) -> None:
    code, _said = run_a_test_that_needs_redis(tmp_path, TEST_REDIS_URL=NOBODY_LISTENS, CI="true")
    assert code == pytest.ExitCode.TESTS_FAILED
