"""How long a login is good: so long at most, and so long without being used.

Who leaves a page open that looks again by itself does not use it.
"""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

BEGUN, USED = "login_begun_at", "login_used_at"
# A write at each request would cost more than it tells.
NOTED_EVERY_SECONDS = 60


@receiver(user_logged_in)
def begin(request: HttpRequest, **_told: Any) -> None:
    """A login has a name that no request before it has known, whoever was logged in until then."""
    request.session.cycle_key()
    request.session[BEGUN] = request.session[USED] = int(time.time())


class LoginLife:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            _check(request, int(time.time()))
        return self.get_response(request)


def _check(request: HttpRequest, now: int) -> None:
    session = request.session
    # An older version wrote neither down.
    begun, used = session.setdefault(BEGUN, now), session.setdefault(USED, now)
    is_over = now - begun >= settings.SESSION_HOURS * 3600
    if is_over or now - used >= settings.SESSION_IDLE_HOURS * 3600:
        logout(request)
    elif now - used >= NOTED_EVERY_SECONDS and "HX-Request" not in request.headers:
        session[USED] = now
