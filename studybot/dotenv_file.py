"""Reads `.env` beside manage.py as editors save it, and never repeats a wrong line."""

import codecs
import io
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# The name that a wrong line begins with. Any other first word may be a token.
_BEGINNING = re.compile(r"\s*(?:(?:export|set)\s+|\$env:)?([A-Z][A-Z0-9_]{2,40})(?=\s*[:\s])")
# The longer marks come first, because UTF-32's begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_HANGUL = re.compile("[가-힣]")


def read(path: Path) -> dict[str, str]:
    """Return the file's names and values; an empty dict if there is no file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        is_absent = isinstance(error, FileNotFoundError) and not path.is_symlink()
        # Some people name their virtual environment `.env`.
        if is_absent or (path / "pyvenv.cfg").is_file():
            return {}
        raise ImproperlyConfigured(
            f"{path} cannot be read ({error.strerror}): it is to be a file that this user may read."
        ) from error
    text = _decoded(path, data)
    for binding in parse_stream(io.StringIO(text)):
        if not _is_assignment(binding):
            raise _refusal(path, binding)
    return {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def _decoded(path: Path, data: bytes) -> str:
    encoding = _encoding(data)
    if encoding != "UTF-8":
        raise ImproperlyConfigured(
            f"{path} is written in {encoding}: save it as UTF-8 (most editors ask when saving; in "
            "PowerShell, Set-Content -Encoding utf8)."
        )
    return data.decode("utf-8-sig")


def _encoding(data: bytes) -> str:
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if b"\0" in data:
        return "UTF-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _old_encoding(data)
    return "UTF-8"


def _old_encoding(data: bytes) -> str:
    try:
        is_korean = _HANGUL.search(data.decode("cp949"))
    except UnicodeDecodeError:
        is_korean = None
    return "CP949 (EUC-KR)" if is_korean else "an encoding that is not UTF-8"


def _is_assignment(binding: Binding) -> bool:
    if binding.error or (binding.key is not None and binding.value is None):
        return False
    if binding.key is None:
        return True  # a comment, or nothing
    # A value over several lines means that somebody forgot to close a quote.
    return bool(_NAME.fullmatch(binding.key)) and "\n" not in (binding.value or "")


def _refusal(path: Path, binding: Binding) -> ImproperlyConfigured:
    line = binding.original.string
    blank = line[: len(line) - len(line.lstrip())]
    number = binding.original.line + blank.count("\n")
    found = _BEGINNING.match(line)
    what = f"what is written there for {found[1]}" if found else "it"
    return ImproperlyConfigured(
        f"{path.name}, line {number}: {what} is not of the form NAME=value; correct it or put a # "
        "before it. (It is not repeated here, as it may be a secret.)"
    )
