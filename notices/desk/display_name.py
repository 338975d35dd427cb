"""A person's name as people say it: 이서연, Seoyeon Lee. The form has one field for it."""

import re
from typing import Any

# Where both parts are written in these, the family's name stands first and nothing between them.
_FAMILY_FIRST = re.compile(r"[가-힣\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff々]+")


def display_name(user: Any) -> str:
    """The login name where there is no other.

    Django keeps two parts. What is entered here is kept whole in the first; older accounts have
    both.
    """
    first, last = user.first_name.strip(), user.last_name.strip()
    if _FAMILY_FIRST.fullmatch(first) and _FAMILY_FIRST.fullmatch(last):
        return f"{last}{first}"
    return f"{first} {last}".strip() or str(user.get_username())
