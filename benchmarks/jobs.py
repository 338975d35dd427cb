"""Runs work that must not share an interpreter with what measures it: JSON in, JSON out."""

import json
import subprocess
import sys
from typing import Any

from benchmarks.machine import ROOT


def run(module: str, job: Any, *, seconds: float = 300.0) -> Any:
    """Run `python -m module` with the job on its standard input, and return its answer."""
    ran = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT, input=json.dumps(job), stdout=subprocess.PIPE, text=True, timeout=seconds,
        check=True,
    )  # fmt: skip
    return json.loads(ran.stdout)


def job() -> Any:
    return json.load(sys.stdin)


def answer(answered: Any) -> None:
    json.dump(answered, sys.stdout)
