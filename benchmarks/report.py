"""Writes the results as files and as tables."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks import summary
from benchmarks.result import Json, Result, Row

RESULTS = Path(__file__).with_name("results")
PLOT = RESULTS / "burst.png"


def write(name: str, result: Result, machine: Json) -> None:
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**asdict(result), "machine": machine}, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def read(names: Iterable[str]) -> dict[str, tuple[Result, Json]]:
    """Return each result that was ever measured, with its machine."""
    found = {}
    for name in names:
        path = RESULTS / f"{name}.json"
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            machine = kept.pop("machine")
            found[name] = (Result(**kept), machine)
    return found


def write_markdown(names: Iterable[str]) -> None:
    found = read(names)
    results = {name: result for name, (result, _machine) in found.items()}
    parts = ["# How fast\n\nMade by `make bench`; do not edit.\n", table(summary.rows(results))]
    for name, (result, machine) in found.items():
        parts.append(f"## {result.title}\n\n{result.how}\n\n{table(result.rows)}")
        if name == "burst" and PLOT.exists():
            parts.append(f"![Messages shown over time]({PLOT.name})\n")
        parts.append(
            f"Measured by `python -m benchmarks {name}` on {machine['date']} at revision "
            f"{machine['revision']}, {machine['cores']} cores, Python {machine['python']}.\n"
        )
    (RESULTS / "RESULTS.md").write_text("\n".join(parts), encoding="utf-8")


def table(rows: list[Row]) -> str:
    """Return a Markdown table, aligned for a terminal and without empty columns."""
    heads = [head for head in rows[0] if any(row[head] != "" for row in rows)]
    lines = [heads, *([_said(row[head]) for head in heads] for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    aligned = [str.ljust, *[str.rjust] * (len(heads) - 1)]

    def padded(line: list[str]) -> str:
        cells = zip(aligned, line, widths, strict=True)
        return f"| {' | '.join(align(text, width) for align, text, width in cells)} |\n"

    return "".join(map(padded, [lines[0], rule, *lines[1:]]))


def _said(value: str | int | float) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
