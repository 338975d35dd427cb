"""Says on which machine, when and of which revision the figures were taken."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Json

ROOT = Path(__file__).resolve().parent.parent


def description() -> Json:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "revision": _revision(),
    }


def _revision() -> str:
    """Return git's revision; `-dirty` means that files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude", "*"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip() or "unknown"
