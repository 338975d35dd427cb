"""A person's name in the order that her language has: 이서연, Seoyeon Lee."""

import re

from django.contrib.auth.models import User

# In these scripts the family name comes first, without a space.
_FAMILY_FIRST = re.compile(r"[가-힣\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff々]+")


def display_name(user: User) -> str:
    """Return the full name, or the login name if there is none.

    The desk's form stores the whole name as the first name; older accounts have both parts.
    """
    first, last = user.first_name.strip(), user.last_name.strip()
    if _FAMILY_FIRST.fullmatch(first) and _FAMILY_FIRST.fullmatch(last):
        return f"{last}{first}"
    return f"{first} {last}".strip() or str(user.get_username())
