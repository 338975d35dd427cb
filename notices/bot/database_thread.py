"""Types `Engine.in_database`, which the other parts of the bot are given."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InDatabase(Protocol):
    """Runs work in the one thread that holds the database connection."""

    def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]: ...
