"""Makes load by wrk, as Debian has it, which takes next to no CPU."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".lua")


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a load. An answer of 400 or above is an error, too."""

    requests: int
    seconds: float
    errors: int

    @property
    def rate(self) -> float:
        return (self.requests - self.errors) / self.seconds


def missing() -> str:
    """Return what is to be installed, if anything."""
    return "" if shutil.which("wrk") else "wrk is not installed (Debian, Ubuntu: apt install wrk)"


def load(
    url: str,
    *,
    connections: int,
    seconds: float,
    headers: Mapping[str, str],
    body: str = "",
) -> Load:
    """Repeat the same request, by POST if it has a body."""
    written = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    ran = subprocess.run(
        [
            "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "30s", *written,
            "-s", str(SCRIPT), url, "--", "POST" if body else "GET", body,
        ],
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Load(**json.loads(ran.stdout.splitlines()[-1]))
