"""Measures whether daily work costs more with a longer history: `python -m benchmarks.growth`."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks import machine, report, setups
from benchmarks.collected import collect
from benchmarks.contenders import POSTGRES, SQLITE
from benchmarks.machine import ROOT
from benchmarks.result import Json, Result, Row
from benchmarks.setups import Setup

# 10,000,000 take some 9 GB and minutes to fill, so they run only if asked for.
SIZES = (10_000, 1_000_000)
ROUNDS = 20
# These rounds warm up and are not counted.
WARM_UP_ROUNDS = 2

NAMES = {POSTGRES: "PostgreSQL", SQLITE: "SQLite"}

Samples = dict[str, list[float]]


class Grown:
    """A database with a history of so many deliveries, and the process that works on it."""

    def __init__(self, setup: Setup, rows: int) -> None:
        self.rows = rows
        # Nothing would take from Redis' queue.
        environment = {
            "DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "LOG_LEVEL": "ERROR", "REDIS_URL": "",
        }  # fmt: skip
        together = {**os.environ, **setup.environment, **environment}
        collect(together)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.growing", str(rows)],
            cwd=ROOT, env=together,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.filled: Json = self._read()
        self.samples: Samples = {}

    def measure(self, *, keep: bool) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("measure\n")
        self._process.stdin.flush()
        for what, times in self._read().items():
            if keep:
                self.samples.setdefault(what, []).extend(times)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process with {self.rows:,} rows ended: see what it wrote")
        return json.loads(line)


def run(contenders: list[str], folder: Path, sizes: Sequence[int] = SIZES) -> Result:
    rows: list[Row] = []
    data: Json = {}
    for contender in contenders:
        with _grown(contender, folder, sizes) as grown:
            for turn in range(WARM_UP_ROUNDS + ROUNDS):
                # The order alternates, so that other load on the machine meets all sizes alike.
                for one in grown if turn % 2 else reversed(grown):
                    one.measure(keep=turn >= WARM_UP_ROUNDS)
            rows += _rows(contender, grown)
            data[contender] = {one.rows: {"filled": one.filled, "ms": one.samples} for one in grown}
    how = (
        "Milliseconds: the median, and in brackets the quartiles. So many settled deliveries lie "
        "in the database, each with its attempt, four to a notice, 12 of 100 failed; what is due "
        "is the same at each size. Pages are asked for in the process, without a socket."
    )
    return Result("The daily work over a long history", how, rows, data)


@contextmanager
def _grown(contender: str, folder: Path, sizes: Sequence[int]) -> Iterator[list[Grown]]:
    with ExitStack() as stack:
        grown = []
        for size in sizes:
            one = Grown(stack.enter_context(setups.setup(contender, folder)), size)
            stack.callback(one.stop)
            print(f"{contender}, {size:,} rows: {one.filled}", file=sys.stderr, flush=True)
            grown.append(one)
        yield grown


def _rows(contender: str, grown: list[Grown]) -> Iterator[Row]:
    for what in grown[0].samples:
        row: Row = {"": f"{NAMES[contender]}: {what}"}
        medians = []
        for one in grown:
            first, middle, third = quantiles(one.samples[what], n=4)
            row[f"{one.rows:,}"] = f"{middle:.1f} ({first:.1f} to {third:.1f})"
            medians.append(middle)
        row["largest / smallest"] = round(medians[-1] / medians[0], 2)
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.growth", description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, default=SIZES, metavar="DELIVERIES")
    parser.add_argument(
        "--database", nargs="+", choices=("postgres", "sqlite"), default=("postgres", "sqlite")
    )
    options = parser.parse_args()
    # A stop from outside must also drop the databases.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    contenders = [{"postgres": POSTGRES, "sqlite": SQLITE}[one] for one in options.database]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as folder:
        result = run(contenders, Path(folder), options.rows)
    print(f"\n{result.title}\n{result.how}\n\n{report.table(result.rows)}")
    report.write("growth", result, machine.description())


if __name__ == "__main__":
    main()
