"""Many rows, each with values of its own, in one UPDATE: the ORM would need one for each."""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Model


def update_each(
    model: type[Model],
    keys: Sequence[str],
    fields: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    where: str = "",
) -> None:
    """Set `fields` where `keys` match; a row holds the keys' values, then the fields'.

    `where` is SQL that each row must meet as well. The queryset's own update() is passed by.
    """
    if not rows:
        return
    head, row, tail = _statement(model, tuple(keys), tuple(fields), connection.vendor)
    values = [_plain(value) for values in rows for value in values]
    condition = f" AND {where}" if where else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{head}{', '.join([row] * len(rows))}{tail}{condition}", values)


@cache
def _statement(
    model: type[Model], keys: tuple[str, ...], fields: tuple[str, ...], _vendor: str
) -> tuple[str, str, str]:
    table = connection.ops.quote_name(model._meta.db_table)
    names = [*keys, *fields]
    # Both databases call the columns of VALUES column1, column2 and so on.
    given = {name: _cast(model, name, f"v.column{n}") for n, name in enumerate(names, start=1)}
    column = {name: model._meta.get_field(name).column for name in names}  # type: ignore[union-attr]
    changes = ", ".join(f"{column[name]} = {given[name]}" for name in fields)
    same = " AND ".join(f"{table}.{column[name]} = {given[name]}" for name in keys)
    row = f"({', '.join(['%s'] * len(names))})"
    return f"UPDATE {table} SET {changes} FROM (VALUES ", row, f") AS v WHERE {same}"  # noqa: S608


def _cast(model: type[Model], name: str, value: str) -> str:
    """PostgreSQL takes a column that holds nothing but NULL for text."""
    kind = model._meta.get_field(name).db_type(connection)
    if connection.vendor != "postgresql" or kind is None or kind.startswith("varchar"):
        return value
    return f"CAST({value} AS {kind})"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value.value if isinstance(value, Enum) else value
