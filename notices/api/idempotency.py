"""Does a POST that is repeated with its Idempotency-Key once, and answers it as the first time.

The answer is kept in the transaction of what the request did: a crash leaves neither, a commit
both. A repeat that comes while the first is under way waits on the row that the first has written.
A refused request did nothing and is not kept: its key is free for the corrected one.
"""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Protocol

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from notices import quotas
from notices.api.authentication import Caller, caller_of
from notices.api.refusals import Conflict, quoted
from notices.delivery.poison import DATA_ERRORS
from notices.models import KeptAnswer
from notices.outside import clock

HEADER = "Idempotency-Key"
KEY_LIMIT = 255
# A header's value has no spaces at its ends.
KEY_PATTERN = f"^[!-~]([ -~]{{0,{KEY_LIMIT - 2}}}[!-~])?$"
# After that, who waits for a request under way is told to come back.
WAIT_SECONDS = 5
KEPT_HEADERS = ("ETag", "Location")
# What opens doors is not kept with the answer. The view adds it again.
SECRET, LINK = "secret", "link"
NOT_KEPT = (SECRET, LINK)

Handler = Callable[..., Response]
MayRead = Callable[[Caller, Request, Any], bool]


class _View(Protocol):
    def completed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Add to a kept answer what is never kept, such as a secret."""


def idempotent(may_read: MayRead) -> Callable[[Handler], Handler]:
    """Make a view's POST idempotent; without the header it runs as usual.

    `may_read` tells whether the caller may still read a kept answer, since rights may have changed.
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def once(view: _View, request: Request, *args: object, **kwargs: object) -> Response:
            if HEADER not in request.headers:
                return handler(view, request, *args, **kwargs)
            key, asked = _read_key(request), _hash(request)
            with transaction.atomic():
                kept = _begin(caller_of(request).name, key, asked)
                if kept.request_hash != asked:
                    raise _reused(key)
                if kept.status is not None:
                    return _again(kept, view, request, may_read)
                quotas.check_kept(caller_of(request).name, caller_of(request).actor)
                response = handler(view, request, *args, **kwargs)
                _keep(kept, response)
            return response

        return once

    return decorate


def _read_key(request: Request) -> str:
    key = request.headers[HEADER]
    if not re.fullmatch(KEY_PATTERN, key):
        told = _("%(value)s is not a key; send 1 to %(limit)d printable ASCII characters.")
        raise ValidationError({HEADER: told % {"value": quoted(key), "limit": KEY_LIMIT}})
    return key


def _hash(request: Request) -> str:
    """Hash what is asked for, however its JSON is laid out."""
    asked = [request.method, request.path.rstrip("/"), request.data]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _begin(caller: str, key: str, asked: str) -> KeptAnswer:
    """Return this key's row: the first request's, with its answer, or a new one without."""
    now = clock.now()
    ours = KeptAnswer(caller=caller, key=key, request_hash=asked, begun_at=now)
    rows = KeptAnswer.objects.filter(caller=caller, key=key)
    try:
        _wait_no_longer()
        rows.filter(begun_at__lte=now - KeptAnswer.KEPT).delete()
        # If another transaction wrote the row, this waits until that one ends.
        KeptAnswer.objects.bulk_create([ours], ignore_conflicts=True)
    except OperationalError as error:
        raise Conflict(
            _("The first request with this key is still under way; repeat it in a moment."),
            code="under_way",
            wait=1,
        ) from error
    return rows.get()


def _wait_no_longer() -> None:
    """Limit the wait on PostgreSQL. On SQLite the settings limit the wait for a transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS}s"])


def _keep(kept: KeptAnswer, response: Response) -> None:
    kept.status = response.status_code
    kept.headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    told = {name: value for name, value in response.data.items() if name not in NOT_KEPT}
    body = JSONRenderer().render(told)
    kept.body, kept.size = body.decode(), len(body)
    kept.save(update_fields=["status", "headers", "body", "size"])


def _again(kept: KeptAnswer, view: _View, request: Request, may_read: MayRead) -> Response:
    try:
        answer = json.loads(kept.body)
        status = HTTPStatus(kept.status or 0)
        is_readable = may_read(caller_of(request), request, answer)
        headers = {name: kept.headers[name] for name in KEPT_HEADERS if name in kept.headers}
    except DATA_ERRORS as error:
        raise Conflict(
            _("This request was done, but what it was answered can no longer be read.")
        ) from error
    if not is_readable:
        raise PermissionDenied(
            _("This request was done, but you may no longer read what it was answered.")
        )
    headers["Idempotent-Replayed"] = "true"
    return Response(view.completed(answer), status=status, headers=headers)


def _reused(key: str) -> Conflict:
    told = _(
        "The %(header)s %(key)s was already used for another request; "
        "send a new key with each new request."
    )
    return Conflict(told % {"header": HEADER, "key": quoted(key)}, code="key_reused")
