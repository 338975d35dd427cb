"""Errors that come of one row's own data: what they stop is that row, and nothing beside it.

A database that is away, or whose tables are not those of this version, is nobody's data.
"""

from django.db import DataError, IntegrityError

DATA_ERRORS = (
    DataError, IntegrityError, ArithmeticError, AttributeError, LookupError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip


def detail_of(error: Exception) -> str:
    """For a row that keeps why it failed; in letters that every database takes."""
    return repr(error).encode(errors="replace").decode().replace("\0", "")
