"""SQL that is written by hand: one text for both databases, and many values as one parameter.

docs/decisions/0025 says which statements are written by hand, and why.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from textwrap import dedent
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import orjson
from django.db import connection
from django.db.models import BooleanField, Expression, F, Func, Model, QuerySet

Row = TypeVar("Row")
AnyModel = TypeVar("AnyModel", bound=Model)
Reader = Callable[[Any], Any]

# PostgreSQL and SQLite say these differently. Statements are written in PostgreSQL's words, and
# these are the only ones that `_as_sqlite` replaces.
_LIST = re.compile(r"= ANY\(%(\(\w+\))?s::bigint\[\]\)")
_SQLITE_LIST = r"IN (SELECT value FROM json_each(%\1s))"
_ROWS = re.compile(r"jsonb_to_recordset\(%\((\w+)\)s::jsonb\) AS (\w+)\(([^)]*)\)")
_SQLITE_ROWS = "(SELECT {columns} FROM json_each(%({rows})s)) AS {name}"
# On SQLite a transaction is alone anyway: settings.py makes every one IMMEDIATE.
_LOCK = re.compile(r"\s+FOR UPDATE( SKIP LOCKED)?")


class Statement:
    """A statement in PostgreSQL's SQL, which SQLite gets in its own words.

    `%(name)s` takes a value at each call: `= ANY(%(name)s::bigint[])` takes many ids, and
    `jsonb_to_recordset(%(name)s::jsonb) AS given(…)` takes rows, each a mapping.

    What stands in braces is filled in once. An enum's members come into the text in this way, so
    that no state is written twice, and each database sees which partial index fits. The text is
    then the same at every call, for which PostgreSQL keeps it prepared.
    """

    def __init__(self, text: str, **constants: object) -> None:
        self._text = dedent(text.format(**constants)).strip()
        lists = [name[1:-1] for name in _LIST.findall(self._text)]
        rows = [name for name, *_more in _ROWS.findall(self._text)]
        self._writers: dict[str, Callable[[Any], Any]] = dict.fromkeys(
            lists, id_list
        ) | dict.fromkeys(rows, _json)

    def execute(self, **values: object) -> None:
        execute(self._sql, self._written(values))

    def fetch(self, **values: object) -> list[tuple[Any, ...]]:
        return fetch(self._sql, self._written(values))

    @cached_property
    def _sql(self) -> str:
        return in_words_of(connection.vendor, self._text)

    def _written(self, values: dict[str, object]) -> dict[str, object]:
        return {name: self._writers.get(name, _plain)(value) for name, value in values.items()}


class Select(Statement, Generic[Row]):
    """One whose rows are read as a dataclass. `{columns}` are its fields, by their names.

    Such rows are plain, as Django's model instances cost several times as much to make.
    """

    def __init__(self, kind: type[Row], text: str, **constants: object) -> None:
        columns, self._readers = _shape(kind)
        super().__init__(text, columns=columns, **constants)
        self._kind = kind

    def rows(self, **values: object) -> list[Row]:
        return [self._kind(*_read_text(row, self._readers)) for row in self.fetch(**values)]


class Parameter(Expression):
    """A value that a `CompiledQuery` is given at each call: `filter(pk=Parameter("study_id"))`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, *_compiler: Any, **_named: Any) -> tuple[str, tuple[Any, ...]]:
        return f"%({self.name})s", ()


class CompiledQuery(Generic[AnyModel]):
    """A query of the ORM that is put together once, for what every request asks.

    Django puts a query together at each call, which takes longer than to run it. Every value in it
    has to be a `Parameter`.
    """

    def __init__(self, query: Callable[[], QuerySet[AnyModel, Any]]) -> None:
        self._query = query

    def fetch(self, **values: object) -> list[tuple[Any, ...]]:
        return fetch(self._sql, values)

    def first(self, **values: object) -> AnyModel | None:
        rows = list(self._model._default_manager.raw(self._sql, values))
        return rows[0] if rows else None

    @cached_property
    def _model(self) -> type[AnyModel]:
        return self._query().model

    @cached_property
    def _sql(self) -> str:
        text, left_over = self._query().query.sql_with_params()
        if left_over:
            raise TypeError(f"{left_over} in {text} is no Parameter")
        return text


class Among(Func):
    """`filter(Among("pk", ids))`: as `pk__in=ids`, but with one parameter for all of them."""

    output_field = BooleanField()

    def __init__(self, name: str, ids: Iterable[int]) -> None:
        super().__init__(F(name))
        self.ids = list(ids)

    def as_sql(self, compiler: Any, connection: Any, *_more: Any, **_named: Any) -> Any:
        column, parameters = compiler.compile(self.source_expressions[0])
        condition = in_words_of(connection.vendor, f"{column} = ANY(%s::bigint[])")
        return condition, [*parameters, id_list(self.ids)]


class Minus(Func):
    """The negative of a number."""

    template = "(-%(expressions)s)"


def fetch(statement: str, values: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
    """All rows. A moment of SQLite's may be text."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def execute(statement: str, values: Sequence[Any] | dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def in_words_of(vendor: str, text: str) -> str:
    return text if vendor == "postgresql" else _as_sqlite(text)


def id_list(ids: Iterable[int]) -> str:
    """Many ids as one value: an array for PostgreSQL, JSON for SQLite.

    The array is text, since psycopg takes several times as long to write a list.
    """
    text = ",".join(map(str, ids))
    return f"{{{text}}}" if connection.vendor == "postgresql" else f"[{text}]"


@lru_cache(maxsize=256)  # most rows of a statement share theirs
def moment(value: datetime) -> str:
    """As each database writes it itself."""
    return str(connection.ops.adapt_datetimefield_value(value))


def read_moment(value: str | datetime | None) -> datetime | None:
    """A moment that `fetch` has read. All are in UTC, though not every database says so."""
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found and found.replace(tzinfo=UTC)


def _as_sqlite(text: str) -> str:
    return _LOCK.sub("", _ROWS.sub(_sqlite_rows, _LIST.sub(_SQLITE_LIST, text)))


def _sqlite_rows(found: re.Match[str]) -> str:
    rows, name, typed = found.groups()
    columns = [column.split()[0] for column in typed.split(",")]
    read = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
    return _SQLITE_ROWS.format(columns=read, rows=rows, name=name)


def _json(rows: Collection[Any]) -> str:
    return orjson.dumps(rows, default=moment, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _plain(value: Any) -> Any:
    return moment(value) if isinstance(value, datetime) else value


def _shape(kind: type[Any]) -> tuple[str, tuple[tuple[int, Reader], ...]]:
    """The columns that its fields name, and how to read those that come as text, by their places.

    A moment is asked for as text, since the drivers' own ways to read one take 20 µs.
    """
    names: list[str] = []
    readers: list[tuple[int, Reader]] = []
    hints = get_type_hints(kind)
    for place, name in enumerate(one.name for one in fields(kind) if one.init):
        hint = hints[name]
        if datetime in (hint, *get_args(hint)):
            readers.append((place, read_moment))
            name = f"CAST({name} AS text)"
        elif get_origin(hint) is list:
            readers.append((place, orjson.loads))
        names.append(name)
    return ", ".join(names), tuple(readers)


def _read_text(row: Sequence[Any], readers: Iterable[tuple[int, Reader]]) -> list[Any]:
    values = list(row)
    for place, reader in readers:
        values[place] = reader(values[place])
    return values
