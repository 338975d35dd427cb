"""Unicode text: composing it, and finding out whether any of it is visible."""

import re
import unicodedata

# PostgreSQL refuses a NUL, and UTF-8 a lone surrogate, though JSON can hold both.
NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
# Unicode's Default_Ignorable_Code_Point (DerivedCoreProperties.txt), which has the Hangul fillers,
# with controls, the marks of annotations, and the Braille pattern without a dot. It is the inside
# of a character class, so that the API's schema can use it too.
UNSEEN = (
    "\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5"
    "\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f"
    "\\ufeff\\uffa0\\ufff0-\\ufffb"
)
_UNSEEN = re.compile(
    f"[{UNSEEN}\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)
# Normalizing takes quadratic time in the number of marks on one letter. Unicode's Stream-Safe Text
# Format (UAX #15) allows 30, and no language has more. The last mark is U+1E94A.
_MARKS = "".join(letter for letter in map(chr, range(0x1E950)) if unicodedata.combining(letter))
_TOO_MANY_MARKS = re.compile(f"[{_MARKS}]{{31}}")


def composed(text: str) -> str:
    """Compose a text to NFC, as macOS decomposes the syllables of file names into letters."""
    if text.isascii() or _TOO_MANY_MARKS.search(text):
        return text
    return unicodedata.normalize("NFC", text)


def is_blank(text: str) -> bool:
    return _UNSEEN.fullmatch(text) is not None
