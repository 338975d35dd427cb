"""Idempotent forms: a form that is sent twice creates its object once.

Each page has a random name (`writing`), which its form sends. A second click, or a click after
Back, redirects to what the first one created.
"""

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from hashlib import blake2s
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from notices.models import Submission
from notices.outside import clock

WRITING = "writing"
_NOT_WRITTEN = (WRITING, "csrfmiddlewaretoken")
_KNOWN = re.compile(r"[0-9a-f]{16}")
# After a double click she sees the first click's message, so it needs no other.
DOUBLE_CLICK = timedelta(seconds=10)

View = Callable[..., HttpResponse]


def sent_writing(request: HttpRequest) -> str:
    """Return the name of the page whose form was sent, or an empty text without one."""
    writing = request.POST.get(WRITING, "")
    return writing if _KNOWN.fullmatch(writing) else ""


def writing_of(request: HttpRequest) -> str:
    """Return the name of the page that is shown, or a new one."""
    in_address = request.GET.get(WRITING, "")
    known = in_address if _KNOWN.fullmatch(in_address) else ""
    return sent_writing(request) or known or secrets.token_hex(8)


def once(request: HttpRequest, make: Callable[[], HttpResponse]) -> HttpResponse:
    """Call `make`, or redirect to what it created when this page was sent before.

    `make` calls `made` and redirects to the new object. If it refuses the form instead, the page
    can be sent again.
    """
    user: Any = request.user
    writing = sent_writing(request)
    if not writing:
        return make()
    with transaction.atomic():
        # A second request waits here until the first has committed or rolled back.
        submission, is_first = Submission.objects.get_or_create(
            user=user, writing=writing, defaults={"digest": _digest(request)}
        )
        if not is_first:
            return _lead_there(request, submission)
        response = make()
        if getattr(request, "_has_made", False):
            # The response of a popup to add a row is no redirect.
            submission.led_to = getattr(response, "url", request.get_full_path())
            submission.save(update_fields=["led_to"])
        else:
            submission.delete()
    return response


def made(request: HttpRequest) -> None:
    """Record that the request has created its object."""
    request._has_made = True  # type: ignore[attr-defined]


def once_a_page(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, **places: object) -> HttpResponse:
        return once(request, lambda: view(request, **places))

    return guarded


def _lead_there(request: HttpRequest, submission: Submission) -> HttpResponse:
    if submission.digest != _digest(request):
        messages.warning(
            request,
            _(
                "This page was sent before: what it made is here, and nothing was made twice. "
                "What you have changed in it since is not saved: change it here."
            ),
        )
    elif clock.now() - submission.submitted_at > DOUBLE_CLICK:
        messages.info(
            request, _("This page was sent before: what it made is here. Nothing was made twice.")
        )
    return redirect(submission.led_to)


def _digest(request: HttpRequest) -> str:
    written = sorted(
        (name, sent) for name, sent in request.POST.lists() if name not in _NOT_WRITTEN
    )
    return blake2s(repr(written).encode(errors="surrogatepass"), digest_size=16).hexdigest()
