"""Runs `python -m benchmarks [burst fanout latency throughput posting reading storm …]`."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    growth,
    idle,
    latency,
    machine,
    memory,
    paced,
    phone,
    plot,
    report,
    setups,
    storm,
    unlimited,
    web,
    wrk,
)
from benchmarks.contenders import ALL, BARE, OURS, POSTGRES, SHORT, SQLITE
from benchmarks.machine import ROOT
from benchmarks.result import Result

# Measures these contenders, with a folder of its own.
Run = Callable[[list[str], Path], Result]

# The benchmarks, each with its function and its possible contenders.
BENCHMARKS: dict[str, tuple[Run, tuple[str, ...]]] = {
    "burst": (paced.run_burst, ALL),
    "fanout": (paced.run_fanout, ALL),
    "latency": (latency.run, OURS),
    "throughput": (unlimited.run, (*OURS, BARE)),
    "posting": (web.run_posting, OURS),
    "reading": (web.run_reading, (POSTGRES,)),
    "storm": (storm.run, (SQLITE,)),
    "idle": (idle.run, OURS),
    "memory": (memory.run, OURS),
    "growth": (growth.run, OURS),
    "lighthouse": (phone.run, (SQLITE,)),
}
DEFAULT = ("burst", "fanout", "latency", "throughput", "posting", "reading", "storm", "idle")
# Tools that a benchmark needs besides Python.
NEEDS = {"posting": wrk.missing, "reading": wrk.missing, "lighthouse": phone.missing}


def main() -> None:
    options = _options()
    # A stop from outside must also end what was started, and drop the databases.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    chosen = [SHORT[one] for one in options.only or SHORT]
    left_out = setups.missing()
    for reason in left_out:
        print(f"left out {POSTGRES}: {reason}", file=sys.stderr)
    if left_out and POSTGRES in chosen:
        chosen.remove(POSTGRES)
    for name in options.names or DEFAULT:
        run, against = BENCHMARKS[name]
        if name in NEEDS and (lacking := NEEDS[name]()):
            print(f"left out {name}: {lacking}", file=sys.stderr)
            continue
        if contenders := [one for one in against if one in chosen]:
            _run(name, run, contenders, write=not options.only)
    if not options.only:
        report.write_markdown(BENCHMARKS)


def _run(name: str, run: Run, contenders: list[str], *, write: bool) -> None:
    began = time.monotonic()
    # The database is on a disk and not in memory, as with `make run`.
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=var) as folder:
        result = run(contenders, Path(folder))
    print(f"\n{result.title} ({name}, {time.monotonic() - began:.0f} s)\n{result.how}\n")
    print(report.table(result.rows), flush=True)
    if write:
        report.write(name, result, machine.description())
        if name == "burst":
            plot.draw(result, report.PLOT)


def _options() -> argparse.Namespace:
    known = ", ".join(BENCHMARKS)
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure studybot.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {known}; unless named, most")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=SHORT,
        metavar="WHO",
        help=f"of {', '.join(SHORT)}; the results are then shown, but not written",
    )
    options = parser.parse_args()
    for name in options.names:
        if name not in BENCHMARKS:
            parser.error(f"{name} is not known; there are {known}")
    return options


if __name__ == "__main__":
    main()
