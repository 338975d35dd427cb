"""Values that only a mistake or an attack sends: one list for the desk and the API."""

from collections.abc import Iterable
from typing import Any, TypeVar

import pytest

# As a browser, a phone, a frontend or a scanner sends them in an address or a form.
TEXTS: dict[str, str] = {
    "empty": "",
    "blank": " \t\n",
    "NUL": "가\0나",
    "a NUL alone": "\0",
    "5,000 digits": "9" * 5000,
    "larger than any id": str(2**63),
    "negative": "-1",
    "fraction": "1.5",
    "exponent": "1e400",
    "digits of another script": "１２",
    "a digit that int() refuses": "²",
    "no number": "NaN",
    "underscores": "1_000",
    "a word": "가나다",
    "decomposed": "\u1100\u1161",
    "nothing visible": "\u3164\u200b",
    "not a character": "\ufffe\U0010ffff",
    "right to left": "\u202e가",
    "a list": "1,x,,2",
    "a path": "../../etc/passwd",
    "a pattern": "%_\\'\"`;--",
    "a format": "%s {0} %(x)d {{ x }}",
    "a day before all days": "0000-00-00",
    "the last moment, further west": "9999-12-31T23:59:59-12:00",
    "the first moment, further east": "0001-01-01T00:00:00+14:00",
    "a date with other digits": "２０２６-01-01T00:00",
    "long": "가" * 3000,
    "many words": "a " * 1200,
    "many columns": ".".join(["1"] * 1900),
    "admin's escapes": "_5F_00_22",
}
# Values that only JSON can have.
VALUES: dict[str, Any] = {
    **TEXTS,
    "null": None,
    "true": True,
    "zero": 0,
    "below zero": -(2**70),
    "above all": 2**70,
    "half": 0.5,
    "one, as a fraction": 1.0,
    "half a character": "\ud800",
    "no list": [],
    "lists in lists": [[[1]]],
    "a list of all kinds": [None, True, "x", {}, [], 1.5],
    "the same a thousand times": [1] * 1000,
    "no object": {},
    "an object": {"\ud800": {"a": [None]}},
}

One = TypeVar("One")

_IN_TEST_ALL = [pytest.param(third, marks=pytest.mark.exhaustive) for third in (1, 2)]
# Every value on every page takes minutes. `make test` gives each page a third of them, and the next
# page another; `make test-all` gives it the rest.
BY_THIRDS = pytest.mark.parametrize("third", [0, *_IN_TEST_ALL])


def third_of(values: Iterable[One], page: int, third: int) -> list[One]:
    """The three thirds together are all values."""
    return list(values)[(page + third) % 3 :: 3]
