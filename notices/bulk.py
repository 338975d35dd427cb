"""Many rows in one statement, and all of them in one parameter.

The ORM would need an UPDATE for each row that has values of its own, and a parameter for each
value, which for hundreds of rows cost more than everything else.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import orjson
from django.db import connection
from django.db.models import BooleanField, F, Func, Model

Rows = Sequence[Sequence[Any]]


class Among(Func):
    """`filter(Among("pk", ids))`: as `pk__in=ids`, but with one parameter for all of them."""

    output_field = BooleanField()

    def __init__(self, name: str, ids: Iterable[int]) -> None:
        super().__init__(F(name))
        self.ids = list(ids)

    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_named: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        condition, listed = among(column, self.ids)
        return condition, [*parameters, listed]


def among(column: str, ids: Sequence[int]) -> tuple[str, Any]:
    """The same in SQL: the condition, and its parameter."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", list(ids)
    return f"{column} IN (SELECT value FROM json_each(%s))", _json(list(ids))  # noqa: S608


def columns(model: type[Model], *names: str) -> str:
    """For a SELECT whose rows `model.objects.raw` is to read."""
    return ", ".join(_column(model, name) for name in names)


def fetch(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows, as the database gives them: on SQLite a moment is text."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def execute(statement: str, values: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@lru_cache(maxsize=256)  # most rows of a statement share theirs
def moment(value: datetime) -> str:
    """As each database writes it itself."""
    return str(connection.ops.adapt_datetimefield_value(value))


def insert_each(model: type[Model], fields: Sequence[str], rows: Rows) -> None:
    """Insert rows; each holds the values of `fields`."""
    if rows:
        names = ", ".join(_column(model, name) for name in fields)
        source = _source(model, tuple(fields), connection.vendor)
        statement = f"INSERT INTO {_table(model)} ({names}) SELECT * FROM {source}"  # noqa: S608
        execute(statement, [_json(rows)])


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
        names, table = (*keys, *fields), _table(model)
        given = [(_column(model, name), f"given.value{n}") for n, name in enumerate(names)]
        same = [f"{table}.{column} = {value}" for column, value in given[: len(keys)]]
        changes = ", ".join(f"{column} = {value}" for column, value in given[len(keys) :])
        source = _source(model, names, connection.vendor)
        condition = " AND ".join([*same, where])
        statement = f"UPDATE {table} SET {changes} FROM {source} WHERE {condition}"  # noqa: S608
        execute(statement, [_json(rows)])


def _json(values: Any) -> str:
    return orjson.dumps(values, default=moment, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


@cache
def _source(model: type[Model], names: tuple[str, ...], vendor: str) -> str:
    """The JSON text's rows as a table `given` with the columns value0, value1 and so on."""
    if vendor == "postgresql":
        values = [f"(row->>{n})::{_kind(model, name)}" for n, name in enumerate(names)]
        rows = "jsonb_array_elements(%s::jsonb) AS row"
    else:
        values = [f"json_extract(value, '$[{n}]')" for n in range(len(names))]
        rows = "json_each(%s)"
    columns = ", ".join(f"{value} AS value{n}" for n, value in enumerate(values))
    return f"(SELECT {columns} FROM {rows}) AS given"  # noqa: S608


@cache
def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(model._meta.get_field(name).column))  # type: ignore[union-attr]


def _kind(model: type[Model], name: str) -> str:
    kind = str(model._meta.get_field(name).db_type(connection))
    # Not varchar(n), which would cut a value short without a word.
    return "text" if kind.startswith("varchar") else kind
