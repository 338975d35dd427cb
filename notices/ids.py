"""Reading ids that come from outside, as text or as a number."""

import re

# A leading zero is refused, so that an id has one spelling.
ID_PATTERN = "[1-9][0-9]{0,18}"
_ID = re.compile(ID_PATTERN)
# A query for a larger number fails.
LARGEST_ID = 2**63 - 1


def read_id(value: object) -> int | None:
    """Read an id from a whole number or from ASCII digits; return None if it cannot be one."""
    if isinstance(value, str) and _ID.fullmatch(value):
        value = int(value)
    # isinstance() would accept True.
    return value if type(value) is int and 1 <= value <= LARGEST_ID else None


def read_ids(values: object) -> list[int]:
    """Read the ids in a stored JSON list, leaving out anything else that it holds."""
    listed = values if isinstance(values, list) else []
    return [pk for pk in map(read_id, listed) if pk is not None]
