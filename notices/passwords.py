"""A password that has the user's name in it is the first that is guessed."""

import unicodedata
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Signs that stand for a letter; a 1 for one of two.
_LETTERS = [str.maketrans("013457@$!", f"o{one}eastasi") for one in "il"]
# Of names so short that many words have them, by their length: as many letters must be left
# beside them.
_LEFT_BESIDE = {1: 4, 2: 4, 3: 8}


class NameInPasswordValidator:
    """One of AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: Any = None) -> None:
        names = set(_names(user))
        if any(_is_in(name, spelling) for name in names for spelling in _spellings(password)):
            raise ValidationError(
                _(
                    "The password has the user's name in it, forwards or backwards: choose one "
                    "that has nothing to do with the name."
                ),
                code="password_has_name",
            )

    def get_help_text(self) -> str:
        return _("Your password may not have your name in it.")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _names(user: Any) -> Iterator[str]:
    """Each name whole, its parts, and all without the digits that people put behind."""
    first, last, username, email = (
        _plain(str(getattr(user, field, "") or ""))
        for field in ("first_name", "last_name", "username", "email")
    )
    for name in (first, last, username, email.partition("@")[0], first + last, last + first):
        letters = "".join(sign if sign.isalpha() else " " for sign in name)
        yield from letters.split()
        yield letters.replace(" ", "")


def _spellings(password: str) -> Iterator[str]:
    """Forwards and backwards, as it stands and with letters for the signs that look like them."""
    plain = _plain(password)
    for text in {plain, *map(plain.translate, _LETTERS)}:
        yield text
        yield text[::-1]


def _is_in(name: str, password: str) -> bool:
    if not name:
        return False
    letters = "".join(filter(str.isalpha, password))
    if name not in letters:
        return False
    words = "".join(sign if sign.isalpha() else " " for sign in password).split()
    is_short = len(name) in _LEFT_BESIDE and not (len(name) > 1 and _is_syllabic(name))
    if not is_short or (len(name) > 1 and name in words):
        return True
    return len(letters.replace(name, "")) < _LEFT_BESIDE[len(name)]


def _is_syllabic(name: str) -> bool:
    """Hangul, kana and Chinese characters: two of them are a whole name."""
    return all(
        unicodedata.name(sign, "").startswith(("HANGUL", "HIRA", "KATA", "CJK")) for sign in name
    )
