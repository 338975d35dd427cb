"""A validator that refuses passwords with the user's name, which are guessed first."""

import unicodedata
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Digits and signs that stand for a letter; a 1 may be an i or an l.
_LETTERS = [str.maketrans("013457@$!|ı", f"o{one}eastasi{one}i") for one in "il"]
# The keys of Hangul's letters (in Unicode's order), since 민지 may be typed as alswl on a keyboard
# that is set to English.
_KEYS = {
    first + place: keys
    for first, typed in (
        (0x1100, "r r s e e f a q q t t d w w c z x v g"),
        (0x1161, "k o i o j p u p h hk ho hl y n nj np nl b m ml l"),
        (0x11A8, "r r rt s sw sg e f fr fa fq ft fx fv fg a q qt t t d w c z x v g"),
    )
    for place, keys in enumerate(typed.split())
}
# Many words contain a short name by chance. By the name's length: the number of other letters that
# make a password acceptable in spite of it.
_LEFT_BESIDE = {1: 4, 2: 4, 3: 8}


class NameInPasswordValidator:
    """One of AUTH_PASSWORD_VALIDATORS."""

    def validate(self, password: str, user: User | None = None) -> None:
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
    """Remove case and accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(sign for sign in decomposed if unicodedata.category(sign) != "Mn")
    return unicodedata.normalize("NFKC", letters).casefold()


def _typed(text: str) -> str:
    return unicodedata.normalize("NFKD", text).translate(_KEYS)


def _names(user: User | None) -> Iterator[str]:
    """Yield each name and its parts, without the digits that people append."""
    first, last, username, email = (
        _plain(str(getattr(user, field, "") or ""))
        for field in ("first_name", "last_name", "username", "email")
    )
    for name in (first, last, username, email.partition("@")[0], first + last, last + first):
        letters = "".join(sign if sign.isalpha() else " " for sign in name)
        for part in (*letters.split(), letters.replace(" ", "")):
            yield part
            yield _typed(part)


def _spellings(password: str) -> Iterator[str]:
    """Yield the password as it is, as typed keys, and with letters for signs; each reversed too."""
    plain = _plain(password)
    for text in {plain, _typed(plain), *map(plain.translate, _LETTERS)}:
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
    """Return whether it is Hangul, kana or Chinese, in which two characters are a whole name."""
    return all(
        unicodedata.name(sign, "").startswith(("HANGUL", "HIRA", "KATA", "CJK")) for sign in name
    )
