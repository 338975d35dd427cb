"""What a refusal is made of. Apart from `errors`, since the framework's views import the parser."""

import json
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException

_SHOWN_LENGTH = 80
# Of what is refused for the same reason: who has mended these knows the rest.
MOST_NAMED = 10


class LengthRequired(APIException):
    status_code = status.HTTP_411_LENGTH_REQUIRED
    default_code = "length_required"
    default_detail = gettext_lazy(
        "The body came in chunks, without its length; send it whole, with Content-Length."
    )


class PlainHttp(APIException):
    """Not redirected: the client would send its key the same way again."""

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
    """`wait` is the seconds after which the same request may succeed."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = gettext_lazy(
        "Somebody changed this at the same moment; read it again and repeat the request."
    )

    def __init__(
        self, detail: Any = None, code: str | None = None, *, wait: int | None = None
    ) -> None:
        super().__init__(detail, code)
        self.wait = wait


class Stale(APIException):
    """What is to be changed is no longer what the caller has seen."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "stale"


class TooMany(APIException):
    """The caller has taken its share already."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "throttled"
    wait = 5


class Unavailable(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = gettext_lazy("The database does not answer; repeat the request in a moment.")
    wait = 5


class Broken(APIException):
    """A fault of ours. Whoever asked is told nothing of it; the log has it all."""

    default_code = "broken"
    default_detail = gettext_lazy("This is a fault of the server; the operator's log has it.")


def listed(values: Sequence[Any]) -> str:
    """The first of them."""
    more = ", …" if len(values) > MOST_NAMED else ""
    return ", ".join(map(str, values[:MOST_NAMED])) + more


def quoted(value: Any) -> str:
    """A sent value as a message names it: short, and never a structure of any depth."""
    if isinstance(value, dict):
        return _("an object")
    if isinstance(value, list):
        return _("a list")
    return shortened(json.dumps(value, ensure_ascii=False))


def shortened(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 1]}…"
