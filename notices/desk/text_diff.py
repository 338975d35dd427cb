"""What changed in a text, word by word, as a person reads it."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

# What stayed the same is shown as far as it helps to find the place.
CONTEXT_LETTERS = 60
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


Kind = Literal["same", "added", "removed"]


class Part(NamedTuple):
    kind: Kind
    text: str


def changed_parts(before: str, after: str) -> list[Part]:
    parts = [part for part in _parts(_WORDS.findall(before), _WORDS.findall(after)) if part.text]
    last = len(parts) - 1
    return [_shortened(part, is_first=n == 0, is_last=n == last) for n, part in enumerate(parts)]


def _parts(old: list[str], new: list[str]) -> Iterator[Part]:
    for tag, old_from, old_to, new_from, new_to in SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            yield Part("same", "".join(old[old_from:old_to]))
        else:
            yield Part("removed", "".join(old[old_from:old_to]))
            yield Part("added", "".join(new[new_from:new_to]))


def _shortened(part: Part, *, is_first: bool, is_last: bool) -> Part:
    """Of a long stretch that stayed the same only what touches a change."""
    if part.kind != "same" or len(part.text) <= 2 * CONTEXT_LETTERS:
        return part
    head = "" if is_first else part.text[:CONTEXT_LETTERS]
    tail = "" if is_last else part.text[-CONTEXT_LETTERS:]
    return Part("same", f"{head} … {tail}")
