"""`make help` lists every target, and `make` alone starts studybot."""

import re
import subprocess
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    done = subprocess.run(command, cwd=BASE_DIR, capture_output=True, text=True, check=True)
    return done.stdout


def targets() -> list[str]:
    """Return the targets that people call; all others are files."""
    makefile = (BASE_DIR / "Makefile").read_text(encoding="utf-8")
    return " ".join(re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)).split()


@pytest.fixture(scope="module")
def told() -> dict[str, str]:
    """The lines of `make help`, by target."""
    found = {}
    for line in make("help").splitlines():
        name, text = line.split(maxsplit=1)
        found[name] = text
    return found


@pytest.mark.parametrize("target", targets())
def test_every_target_has_a_line_in_make_help(told: dict[str, str], target: str) -> None:
    assert told[target].endswith(".")


def test_make_help_names_only_targets_that_exist(told: dict[str, str]) -> None:
    assert set(told) == set(targets())


def test_make_alone_starts_studybot() -> None:
    assert make("--dry-run") == make("--dry-run", "run")
    assert "-m demo" in make("--dry-run")


def test_pre_commit_runs_what_make_lint_runs() -> None:
    hooks = (BASE_DIR / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE) == ["make lint"]
    assert re.findall(r"^ +- repo: (.+)$", hooks, re.MULTILINE) == ["local"]
