"""Errors that come of one row's own data: what they stop is that row, and nothing beside it.

A database that is away, or whose tables are not those of this version, is nobody's data.
"""

from datetime import datetime
from typing import Any

from django.db import DataError, IntegrityError

from notices.models import Delivery, ErrorCode
from notices.tables.limits import DETAIL_LIMIT

DATA_ERRORS = (
    DataError, IntegrityError, ArithmeticError, AttributeError, LookupError, RecursionError,
    TypeError, ValueError,
)  # fmt: skip


def detail_of(error: Exception) -> str:
    """For a row that keeps why it failed; in letters that every database takes."""
    return repr(error).encode(errors="replace").decode().replace("\0", "")


def failed_by(error: Exception, now: datetime) -> dict[str, Any]:
    """Return the changes of the delivery whose data caused the error."""
    return {
        "state": Delivery.State.FAILED, "due_at": None, "claim": None,
        "error_code": ErrorCode.UNSENDABLE, "error_detail": detail_of(error)[:DETAIL_LIMIT],
        "changed_at": now,
    }  # fmt: skip
