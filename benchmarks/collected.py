"""Prepares what production's web needs, once for all that start side by side."""

import subprocess
import sys
from collections.abc import Mapping

from filelock import FileLock

from benchmarks.machine import ROOT

FIND_LACK = ("check", "--deploy", "--tag", "staticfiles", "--fail-level", "WARNING")


def collect(environment: Mapping[str, str]) -> None:
    """Collect the static files into `var/static`, unless those of this version are there."""
    with FileLock(ROOT / "var" / "static.lock"):
        if _manage(environment, *FIND_LACK).returncode:
            done = _manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
            assert done.returncode == 0, done.stderr


def _manage(environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
