"""Many rows, each with values of its own, in one statement: the ORM would need one for each."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model

Rows = Sequence[Sequence[Any]]


def insert_each(model: type[Model], fields: Sequence[str], rows: Rows) -> None:
    """Insert rows; each holds the values of `fields`."""
    if rows:
        columns = ", ".join(_column(model, name) for name in fields)
        source, values = _source(model, fields, rows)
        table = _table(model)
        _execute(f"INSERT INTO {table} ({columns}) SELECT v.* FROM {source}", values)  # noqa: S608


def update_each(
    model: type[Model],
    keys: Sequence[str],
    fields: Sequence[str],
    rows: Rows,
    *,
    where: str = "TRUE",
) -> None:
    """Set `fields` where `keys` match; a row holds the keys' values, then the fields'.

    `where` is SQL that each row must meet as well. The queryset's own update() is passed by.
    """
    if rows:
        names = [*keys, *fields]
        given = [(_column(model, name), f"v.column{n}") for n, name in enumerate(names, start=1)]
        same = [f"{_table(model)}.{column} = {value}" for column, value in given[: len(keys)]]
        changes = ", ".join(f"{column} = {value}" for column, value in given[len(keys) :])
        source, values = _source(model, names, rows)
        condition = " AND ".join([*same, where])
        table = _table(model)
        _execute(f"UPDATE {table} SET {changes} FROM {source} WHERE {condition}", values)  # noqa: S608


def _source(model: type[Model], names: Sequence[str], rows: Rows) -> tuple[str, list[Any]]:
    """The rows as a table `v` with the columns column1, column2 and so on."""
    given = [[_plain(value) for value in row] for row in rows]
    if connection.vendor != "postgresql":
        row = f"({', '.join(['%s'] * len(names))})"
        return f"(VALUES {', '.join([row] * len(rows))}) AS v", [v for row in given for v in row]
    # An array a column: so many single parameters cost many times as much to read.
    arrays = ", ".join(f"%s::{_kind(model, name)}[]" for name in names)
    columns = ", ".join(f"column{n}" for n in range(1, len(names) + 1))
    return f"unnest({arrays}) AS v({columns})", [list(c) for c in zip(*given, strict=True)]


def _execute(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.value if isinstance(value, Enum) else value


@cache
def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(model._meta.get_field(name).column))  # type: ignore[union-attr]


@cache
def _kind(model: type[Model], name: str) -> str:
    # Not varchar(n), which would cut a value short without a word.
    kind = str(model._meta.get_field(name).db_type(connection))
    return "text" if kind.startswith("varchar") else kind
