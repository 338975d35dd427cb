"""Compares two versions of a text, word by word."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

# So much unchanged text is shown beside a change, to find its place by.
CONTEXT_LETTERS = 60
# With more changes the whole old and new texts are easier to read.
MOST_PARTS = 200
_WORDS = re.compile(r"\s+|\w+|[^\w\s]")


Kind = Literal["same", "added", "removed"]


class Part(NamedTuple):
    kind: Kind
    text: str


def changed_parts(before: str, after: str) -> list[Part]:
    parts = [part for part in _parts(_WORDS.findall(before), _WORDS.findall(after)) if part.text]
    if len(parts) > MOST_PARTS:
        return [Part("removed", before), Part("added", after)]
    last = len(parts) - 1
    return [_shortened(part, is_first=n == 0, is_last=n == last) for n, part in enumerate(parts)]


def _parts(old: list[str], new: list[str]) -> Iterator[Part]:
    """Yield removed, added and same parts in turn; any of them may be empty."""
    removed = added = ""
    # difflib would take cubic time for a text that repeats one word.
    for step in Indel.opcodes(old, new):
        went = "".join(old[step.src_start : step.src_end])
        if step.tag == "equal":
            yield from (Part("removed", removed), Part("added", added), Part("same", went))
            removed = added = ""
        else:
            removed += went
            added += "".join(new[step.dest_start : step.dest_end])
    yield from (Part("removed", removed), Part("added", added))


def _shortened(part: Part, *, is_first: bool, is_last: bool) -> Part:
    """Shorten a long unchanged part to the letters next to a change."""
    if part.kind != "same" or len(part.text) <= 2 * CONTEXT_LETTERS:
        return part
    head = "" if is_first else part.text[:CONTEXT_LETTERS]
    tail = "" if is_last else part.text[-CONTEXT_LETTERS:]
    return Part("same", f"{head} … {tail}")
