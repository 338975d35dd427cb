"""The page for a form that failed the CSRF check: it names the cause, mostly a wrong set-up."""

import logging
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import validate_host
from django.middleware import csrf
from django.shortcuts import render
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

log = logging.getLogger(__name__)

# Several of Django's reasons begin so: the token is missing, too short or not the cookie's.
_OF_THE_TOKEN = "CSRF token"  # noqa: S105
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Cause:
    told: str | Promise
    remedy: str | Promise
    # Only whoever runs the site can mend it then, and not the person at the form.
    is_of_the_setup: bool = False


PORT = Cause(
    gettext_lazy(
        "Your browser is at %(origin)s, and studybot was told %(host)s: the port is lost between."
    ),
    gettext_lazy(
        "Let the proxy in front pass the port on. In nginx: proxy_set_header Host $http_host;"
    ),
    is_of_the_setup=True,
)
SCHEME = Cause(
    gettext_lazy(
        "Your browser is at %(origin)s, and studybot was told that the page came by %(scheme)s."
    ),
    gettext_lazy(
        "Set BEHIND_TLS_PROXY=1, and let the proxy say how the page was opened. In nginx: "
        "proxy_set_header X-Forwarded-Proto $scheme;"
    ),
    is_of_the_setup=True,
)
HOST = Cause(
    gettext_lazy("Your browser is at %(origin)s, and studybot was told %(host)s."),
    gettext_lazy(
        "Let the proxy in front pass the name on that people use. In nginx: proxy_set_header Host "
        "$http_host;"
    ),
    is_of_the_setup=True,
)
PLAIN_HTTP = Cause(
    gettext_lazy(
        "This page came by plain HTTP, where a browser keeps no cookie that is meant for HTTPS. "
        "So nobody can log in here."
    ),
    gettext_lazy(
        "Put a proxy with TLS in front and set BEHIND_TLS_PROXY=1 (docs/operations.md), or leave "
        "ALLOWED_HOSTS out and open the site on its own machine, at http://127.0.0.1:%(port)s/."
    ),
    is_of_the_setup=True,
)
NO_COOKIE = Cause(
    gettext_lazy("Your browser sent no cookie of this site, so nothing was saved."),
    gettext_lazy(
        "Allow cookies for %(host)s (a private window or an extension may block them), open the "
        "page again, and send it once more."
    ),
)
OTHER_SITE = Cause(
    gettext_lazy("The form came from another site, %(origin)s, so nothing was saved."),
    gettext_lazy(
        "Open %(host)s itself. If %(origin)s is this site, whoever runs it has to name it in "
        "ALLOWED_HOSTS, and to let the proxy pass it on (proxy_set_header Host $http_host;)."
    ),
)
HIDDEN = Cause(
    gettext_lazy("Your browser hides which page the form came from, so nothing was saved."),
    gettext_lazy(
        "Open %(host)s in a window of its own, without extensions that hide the Origin or Referer."
    ),
)
EXPIRED = Cause(
    gettext_lazy("It was opened before you last logged in, so nothing was saved."),
    gettext_lazy(
        "What you typed into a notice is kept in this browser: open the notice again, and you are "
        "offered it."
    ),
)


def refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that failed the check (settings.CSRF_FAILURE_VIEW), and log the cause."""
    came_from = _came_from(request)
    cause = cause_of(request, reason, came_from)
    facts = {
        "origin": _shown(came_from),
        "host": request.get_host(),
        "scheme": (request.scheme or "").upper(),
        "port": settings.BOT_API_PORT,
    }
    with translation.override("en"):
        told = f"{cause.told} {cause.remedy}" % facts
        log.warning("a form to %r was refused (%s): %s", request.path, reason, told)
    shown: dict[str, object] = {
        "told": str(cause.told) % facts,
        "remedy": str(cause.remedy) % facts,
        "is_of_the_setup": cause.is_of_the_setup,
        "is_expired": cause is EXPIRED,
    }
    return render(request, "403_csrf.html", shown, status=403)


def cause_of(request: HttpRequest, reason: str, came_from: SplitResult | None) -> Cause:
    if reason == csrf.REASON_NO_CSRF_COOKIE:
        is_dropped = settings.CSRF_COOKIE_SECURE and not request.is_secure()
        return PLAIN_HTTP if is_dropped else NO_COOKIE
    if reason.startswith(_OF_THE_TOKEN):
        return EXPIRED
    if came_from is None or not came_from.hostname:
        return HIDDEN
    here = urlsplit(f"{request.scheme}://{request.get_host()}")
    if came_from.hostname != here.hostname:
        is_ours = validate_host(came_from.hostname, settings.ALLOWED_HOSTS)
        return HOST if is_ours else OTHER_SITE
    # A proxy may lose the scheme and the port; a wrong scheme explains a wrong port too.
    return SCHEME if came_from.scheme != here.scheme else PORT


def _came_from(request: HttpRequest) -> SplitResult | None:
    """Return the page that the form says it came from, or None if that is no valid address."""
    try:
        found = urlsplit(request.headers.get("Origin") or request.headers.get("Referer", ""))
        _ = found.port
    except ValueError:
        return None
    return found


def _shown(address: SplitResult | None) -> str:
    """Return scheme, host and port alone: a Referer's path may hold something private."""
    if address is None or not address.hostname:
        return ""
    port = "" if address.port in (None, _DEFAULT_PORTS.get(address.scheme)) else f":{address.port}"
    return f"{address.scheme}://{address.hostname[:253]}{port}"
