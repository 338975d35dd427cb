"""Ids as they come from outside, as text or as a number."""

import re
from typing import Any

# As text: without a leading zero, so that there is one way to write it.
ID_PATTERN = "[1-9][0-9]{0,18}"
_ID = re.compile(ID_PATTERN)
# A database refuses to look for a larger one.
LARGEST_ID = 2**63 - 1


def read_id(value: Any) -> int | None:
    """An id, sent as a whole number or as its ASCII digits; null where it cannot be one."""
    if isinstance(value, str) and _ID.fullmatch(value):
        value = int(value)
    # type(), for True is an int.
    return value if type(value) is int and 1 <= value <= LARGEST_ID else None
