"""Keeps what is wanted of each notice, as far as a client of the API can know it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Wish:
    """The content that a leader wants shown, as the API tells it."""

    title: str
    content: str
    channels: frozenset[str]
    is_withdrawn: bool = False


@dataclass(slots=True)
class Book:
    """The possible wishes for one notice; there are several if a kill lost an answer.

    A null among them says that the notice may not be there at all.
    """

    number: int
    possible: set[Wish | None]
    id: int | None = None
    may_expire: bool = False
    times_taken_out: int = 0
    """Count of the times that channels may have been taken from it, and perhaps given back."""
    moderated: set[str] = field(default_factory=set)
    """The channels in which a moderator deleted its message."""

    def answered(self, change: Callable[[Wish], Wish]) -> None:
        self.possible = {change(wish) for wish in self.possible if wish is not None}

    def lost(self, change: Callable[[Wish], Wish]) -> None:
        self.possible |= {change(wish) for wish in self.possible if wish is not None}

    def refused_as_withdrawn(self) -> None:
        self.possible = {wish for wish in self.possible if wish and wish.is_withdrawn}


def withdrawn(wish: Wish) -> Wish:
    return replace(wish, is_withdrawn=True)


def title(number: int, edition: int) -> str:
    return f"{number}번 공지, {edition}판"


def number_of(title: str) -> int | None:
    """The storm's own number of a notice, which its title begins with."""
    digits = title.split("번", 1)[0]
    return int(digits) if digits.isdecimal() else None
