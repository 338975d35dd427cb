"""Defines the refusals apart from `errors`, which imports views that import the parser."""

import json
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException

_SHOWN_LENGTH = 80
# The other values are wrong for the same reason, so a refusal names no more.
MOST_NAMED = 10


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = gettext_lazy(
        "The body came in chunks, without its length; send it whole, with Content-Length."
    )


class PlainHttp(APIException):
    """Refused and not redirected, because the client would send its key by plain HTTP again."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "plain_http"
    default_detail = gettext_lazy(
        "The key came over plain HTTP, where others can read it: send it to https:// from now on, "
        "and have a site admin rotate it."
    )


class EncodedBody(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "encoded_body"

    def __init__(self, encoding: str) -> None:
        told = _("The body is encoded as %(value)s; send it as it is, without Content-Encoding.")
        super().__init__(told % {"value": quoted(encoding)})


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class Conflict(APIException):
    """The same request may succeed after `wait` seconds."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = gettext_lazy(
        "Somebody changed this at the same moment; read it again and repeat the request."
    )

    def __init__(
        self, detail: str | None = None, code: str | None = None, *, wait: int | None = None
    ) -> None:
        super().__init__(detail, code)
        self.wait = wait


class PreconditionFailed(APIException):
    """The row that is to be changed has changed since the caller has seen it."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "stale"


class TooManyStreams(APIException):
    """The caller has taken its share already."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "throttled"
    wait = 5


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = gettext_lazy("The database does not answer; repeat the request in a moment.")
    wait = 5


class InternalError(APIException):
    """A fault of ours, of which the caller is told nothing and the log everything."""

    default_code = "broken"
    default_detail = gettext_lazy("This is a fault of the server; the operator's log has it.")


def listed(values: Sequence[object]) -> str:
    """Return the first values."""
    more = ", …" if len(values) > MOST_NAMED else ""
    return ", ".join(map(str, values[:MOST_NAMED])) + more


def quoted(value: object) -> str:
    """Return a sent value as a message names it: short, and without its structure."""
    if isinstance(value, dict):
        return _("an object")
    if isinstance(value, list):
        return _("a list")
    return shortened(json.dumps(value, ensure_ascii=False))


def shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"
