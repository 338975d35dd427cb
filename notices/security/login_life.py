"""The end of a login, after SESSION_HOURS or after SESSION_IDLE_HOURS without use.

A page that polls by itself does not count as use.
"""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from notices.outside import clock

BEGUN, USED = "login_begun_at", "login_used_at"
# A write at each request would cost too much.
NOTED_EVERY_SECONDS = 60


@receiver(user_logged_in)
def begin(request: HttpRequest, **_told: object) -> None:
    """Give the login a new session key, so that nobody who knew the old one shares it."""
    request.session.cycle_key()
    request.session[BEGUN] = request.session[USED] = int(clock.now().timestamp())


class LoginLife:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            _check(request, int(clock.now().timestamp()))
        return self.get_response(request)


def _check(request: HttpRequest, now: int) -> None:
    session = request.session
    # Sessions of an older version have neither.
    begun, used = session.setdefault(BEGUN, now), session.setdefault(USED, now)
    is_over = now - begun >= settings.SESSION_HOURS * 3600
    if is_over or now - used >= settings.SESSION_IDLE_HOURS * 3600:
        logout(request)
    elif now - used >= NOTED_EVERY_SECONDS and "HX-Request" not in request.headers:
        session[USED] = now
