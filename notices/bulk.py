"""Many rows in one statement, and all of them in one parameter.

The ORM would need an UPDATE for each row that has values of its own, and a parameter for each
value, which for hundreds of rows cost more than everything else. And its model instances cost more
to make than their rows to read: `read` makes plain ones.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson
from django.db import connection
from django.db.models import BooleanField, F, Func, Model

Rows = Sequence[Sequence[Any]]
Row = TypeVar("Row")
Reader = Callable[[Any], Any]


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


def among(column: str, ids: Iterable[int]) -> tuple[str, str]:
    """The same in SQL: the condition, and its parameter."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s::bigint[])", id_list(ids)
    return f"{column} IN (SELECT value FROM json_each(%s))", id_list(ids)  # noqa: S608


def id_list(ids: Iterable[int]) -> str:
    """As one parameter: `bigint[]` for PostgreSQL, for SQLite what `json_each` reads.

    (PostgreSQL's array as text: psycopg takes several times as long for a list.)
    """
    text = ",".join(map(str, ids))
    return f"{{{text}}}" if connection.vendor == "postgresql" else f"[{text}]"


def read(
    kind: type[Row], model: type[Model], rest: str = "", values: Sequence[Any] = ()
) -> list[Row]:
    """The rows of the model's table as `kind`, a dataclass whose fields are named as its columns.

    One that is none has its SQL in its metadata. `rest` is SQL: what follows the table's name.
    """
    names, readers = _shape(kind)  # type: ignore[arg-type]  # classes are hashable
    rows = fetch(f"SELECT {names} FROM {_table(model)} {rest}", values)  # noqa: S608
    return [kind(*_read_text(row, readers)) for row in rows]


def fetch(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows. A moment of SQLite's may be text."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def read_moment(value: str | datetime | None) -> datetime | None:
    """A moment that `fetch` has read; each database's are in UTC, and not all of them say so."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found and found.replace(tzinfo=UTC)


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
        execute(_update(model, keys, fields, where), [_json(rows)])


def update_and_tell(
    model: type[Model], keys: Sequence[str], fields: Sequence[str], rows: Rows, *, where: str
) -> list[tuple[Any, ...]]:
    """The same; returns the keys of what was changed."""
    if not rows:
        return []
    told = ", ".join(f"{_table(model)}.{_column(model, name)}" for name in keys)
    return fetch(f"{_update(model, keys, fields, where)} RETURNING {told}", [_json(rows)])


def _update(model: type[Model], keys: Sequence[str], fields: Sequence[str], where: str) -> str:
    names, table = (*keys, *fields), _table(model)
    given = [(_column(model, name), f"given.value{n}") for n, name in enumerate(names)]
    same = [f"{table}.{column} = {value}" for column, value in given[: len(keys)]]
    changes = ", ".join(f"{column} = {value}" for column, value in given[len(keys) :])
    source = _source(model, names, connection.vendor)
    condition = " AND ".join([*same, where])
    return f"UPDATE {table} SET {changes} FROM {source} WHERE {condition}"  # noqa: S608


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
def _shape(kind: type[Any]) -> tuple[str, tuple[tuple[int, Reader], ...]]:
    """The columns that its fields name, and how to read those that come as text, by their places.

    A moment is asked for as text: what Django hangs into each driver takes 20 µs to read one.
    """
    names: list[str] = []
    readers: list[tuple[int, Reader]] = []
    hints = get_type_hints(kind)
    for place, one in enumerate(one for one in fields(kind) if one.init):
        name = one.metadata.get("sql") or connection.ops.quote_name(one.name)
        hint = hints[one.name]
        if datetime in (hint, *get_args(hint)):
            name = f"CAST({name} AS text)"
            readers.append((place, read_moment))
        elif get_origin(hint) is list:
            readers.append((place, orjson.loads))
        names.append(name)
    return ", ".join(names), tuple(readers)


def _read_text(row: Sequence[Any], readers: Iterable[tuple[int, Reader]]) -> list[Any]:
    values = list(row)
    for place, reader in readers:
        values[place] = reader(values[place])
    return values


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
