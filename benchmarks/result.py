"""Holds a benchmark's result: a table to read, and the figures behind it."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# A row's columns in their order. What does not apply is an empty text.
Row = dict[str, str | int | float]


@dataclass(slots=True)
class Result:
    """A result; `how` says what was measured, and between which two moments."""

    title: str
    how: str
    rows: list[Row]
    data: Json = field(default_factory=dict)
