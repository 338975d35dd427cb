"""What changed in a text, word by word, as a person reads it."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rapidfuzz.distance import Indel

# What stayed the same is shown as far as it helps to find the place.
CONTEXT_LETTERS = 60
# A text in more pieces is read more easily as it was and as it is.
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
    """Every third is what stayed, between what went and what came; any may be empty."""
    removed = added = ""
    # Its time is bounded whatever the words: difflib's grows with the cube of one that repeats.
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
    """Of a long stretch that stayed the same only what touches a change."""
    if part.kind != "same" or len(part.text) <= 2 * CONTEXT_LETTERS:
        return part
    head = "" if is_first else part.text[:CONTEXT_LETTERS]
    tail = "" if is_last else part.text[-CONTEXT_LETTERS:]
    return Part("same", f"{head} … {tail}")
