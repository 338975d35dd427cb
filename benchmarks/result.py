"""What a benchmark hands back: a table to read, and the figures behind it."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# A row's columns in their order; what does not apply is an empty text.
Row = dict[str, str | int | float]


@dataclass(slots=True)
class Result:
    """`how` says in a few sentences what was measured, and between which two moments."""

    title: str
    how: str
    rows: list[Row]
    data: Json = field(default_factory=dict)
