"""Every refusal in one shape: the field (or "detail"), and sentences that say what to do."""

import logging
import re
from collections.abc import Iterator
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from rest_framework.exceptions import ErrorDetail, UnsupportedMediaType
from rest_framework.response import Response
from rest_framework.views import exception_handler

from notices.api.refusals import Conflict, quoted

logger = logging.getLogger(__name__)

_SURROGATE = re.compile("[\ud800-\udfff]")


def explain(exc: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(exc, IntegrityError):
        logger.warning("A request met another one's change", exc_info=exc)
        exc = Conflict()
    if isinstance(exc, UnsupportedMediaType):
        told = _("The body is marked as %(value)s; send JSON, as Content-Type: application/json.")
        exc.detail = ErrorDetail(told % {"value": _sent_type(context)})
    response = exception_handler(exc, context)
    if response is not None:
        detail = response.data if isinstance(response.data, dict) else {"detail": response.data}
        response.data = {
            _sayable(name): [_sayable(message) for message in _messages(told)]
            for name, told in detail.items()
        }
    return response


def _sent_type(context: dict[str, Any]) -> str:
    return quoted(context["request"].content_type)


def _messages(detail: Any) -> Iterator[str]:
    """The sentences of a detail that the framework may have nested by position."""
    if isinstance(detail, str):
        yield detail
        return
    for part in detail.values() if isinstance(detail, dict) else detail:
        yield from _messages(part)


def _sayable(text: Any) -> str:
    # JSON can name half a character; UTF-8, in which we answer, cannot.
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(text))
