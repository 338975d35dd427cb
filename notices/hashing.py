"""Passwords are hashed a few at a time: a guess costs half a second of a core, a flood all of them.

The web has few threads. Whoever finds the places taken is refused at once, which costs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from notices import security_log

# In each process: one is hashed, one more waits for it. Both hold a thread of the web meanwhile.
PLACES = 2
RETRY_AFTER_SECONDS = 2

_places = BoundedSemaphore(PLACES)
_turn = BoundedSemaphore(1)


class TooManyPasswordsError(Exception):
    """Too many passwords are being checked at this moment."""


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise TooManyPasswordsError
    try:
        with _turn:
            yield
    finally:
        _places.release()


class BoundedHasher(PBKDF2PasswordHasher):
    """Django's own, so that what it hashed before stays good."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _place():
            return super().encode(password, salt, iterations)


class TooManyPasswordsMiddleware:
    """Says so, wherever a password was to be checked or set."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TooManyPasswordsError):
            return None
        security_log.note("refused, too many passwords at once", request.POST.get("username"))
        answer = render(request, "429.html", status=429)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
