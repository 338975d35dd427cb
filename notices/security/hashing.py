"""A limit on how many passwords are hashed at once, as each takes half a second of a core.

A request that finds no free place is refused at once, so that it holds none of the web's few
threads. Known users, strangers and guessers have separate places, so that guessing keeps no known
user out.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from notices.security import security_log
from notices.security.client_address import counted_address

# The places in each process. One password is hashed at a time; the others wait, each in a thread.
PLACES, PLACES_OF_STRANGERS, PLACES_OF_GUESSERS = 2, 2, 1
RETRY_AFTER_SECONDS = 2
# An address that sends so many wrong passwords within so many seconds counts as a guesser's.
GUESSES, GUESSES_COUNT_SECONDS = 2, 15 * 60
# A login sets this cookie. A browser that has it for a name is that user's, even if somebody at the
# same address guesses passwords.
KNOWN_COOKIE, KNOWN_SECONDS = "known", 365 * 24 * 3600

_places = BoundedSemaphore(PLACES)
_places_of_strangers = BoundedSemaphore(PLACES_OF_STRANGERS)
_places_of_guessers = BoundedSemaphore(PLACES_OF_GUESSERS)
_turn = BoundedSemaphore(1)


class TooManyPasswordsError(Exception):
    """Too many passwords are being checked at this moment."""


@contextmanager
def _place() -> Iterator[None]:
    places = _places_for(security_log.current_request())
    if not places.acquire(blocking=False):
        raise TooManyPasswordsError
    try:
        with _turn:
            yield
    finally:
        places.release()


class BoundedHasher(PBKDF2PasswordHasher):
    """Django's default hasher, with the limit; the hashes that it made before stay valid."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with _place():
            return super().encode(password, salt, iterations)


# --- who asks ------------------------------------------------------------------------------


def _places_for(request: HttpRequest | None) -> BoundedSemaphore:
    if request is None or request.user.is_authenticated or _is_known(request):
        return _places
    has_guessed = cache.get(_count_of(request), 0) >= GUESSES
    return _places_of_guessers if has_guessed else _places_of_strangers


def _count_of(request: HttpRequest) -> str:
    return f"wrong-passwords:{counted_address(request)}"


@receiver(user_login_failed)
def _count_guess(request: HttpRequest | None = None, **_told: object) -> None:
    if request is not None:
        guesses = cache.get(_count_of(request), 0)
        cache.set(_count_of(request), guesses + 1, GUESSES_COUNT_SECONDS)


def _is_known(request: HttpRequest) -> bool:
    name = User.normalize_username(request.POST.get("username", "").strip())
    known = request.get_signed_cookie(KNOWN_COOKIE, None, max_age=KNOWN_SECONDS)
    return known is not None and known == name


@receiver(user_logged_in)
def _know(request: HttpRequest, user: User, **_told: object) -> None:
    request.logged_in_as = user.get_username()  # type: ignore[attr-defined]


class TooManyPasswordsMiddleware:
    """Answers 429 wherever a password was to be checked or set, and sets the cookie at a login."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if name := getattr(request, "logged_in_as", ""):
            answer.set_signed_cookie(
                KNOWN_COOKIE, name, max_age=KNOWN_SECONDS, httponly=True, samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )  # fmt: skip
        return answer

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TooManyPasswordsError):
            return None
        security_log.note("refused, too many passwords at once", request.POST.get("username"))
        answer = render(request, "429.html", status=429)
        answer["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return answer
