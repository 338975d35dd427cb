"""Puts the README's figures in one table: a line a benchmark, a column a contender."""

from collections.abc import Callable, Iterator

from benchmarks.contenders import ALL
from benchmarks.result import Result, Row

Cell = Callable[[Row], str]


def _paced(row: Row) -> str:
    if row["lost"]:
        return f"{row['lost']} lost, {row['answers 429']:,} answers 429"
    return f"{row['first to last (s)']} s ({row['of the limit']})"


LINES: tuple[tuple[str, str, Cell], ...] = (
    ("burst", "400 notices over 100 channels (of the limit)", _paced),
    ("fanout", "one notice to 400 channels (of the limit)", _paced),
    ("latency", "POST to shown, median", lambda row: f"{row['POST to shown, median (ms)']} ms"),
    (
        "latency",
        "shown to status readable, median",
        lambda row: f"{row['shown to readable, median (ms)']} ms",
    ),
    (
        "throughput",
        "deliveries a second over 1,000 channels, limits lifted (of bare discord.py's)",
        lambda row: f"{row['a second']:,} ({row['of bare discord.py']})",
    ),
    (
        "posting",
        "POSTs a second (of a bare view's)",
        lambda row: f"{row['a second']:,} ({row['of the bare view']})",
    ),
    (
        "reading",
        "GETs of one notice a second (of a bare view's)",
        lambda row: f"{row['a second']:,} ({row['of the bare view']})",
    ),
    (
        "storm",
        "10,000 posts at 16 connections",
        lambda row: f"{row['errors']} errors, {row['not fanned out']} not fanned out",
    ),
    ("idle", "an idle runbot, of a core", lambda row: f"{row['runbot (%)']} %"),
    ("memory", "memory after 100,000 deliveries", lambda row: f"{row['at the end (MiB)']} MiB"),
)


def rows(results: dict[str, Result]) -> list[Row]:
    """Return the rows that were ever measured. Without a rival its cell is empty."""
    return list(_rows(results))


def _rows(results: dict[str, Result]) -> Iterator[Row]:
    for name, said, cell in LINES:
        if result := results.get(name):
            cells = {str(row[""]): cell(row) for row in reversed(result.rows)}
            yield {"": said, **{one: cells.get(one, "") for one in ALL}}
