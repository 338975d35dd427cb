"""Gives every refusal one shape, RFC 9457's: what is wrong, where, and what to do about it.

    {"type": "urn:studybot:invalid", "title": "Something that was sent cannot be used",
     "status": 400, "detail": "content: This is missing; send it.",
     "errors": [{"field": "content", "value": null, "detail": "This is missing; send it."}],
     "content": ["This is missing; send it."]}

The last member is what the first frontend reads: each field by its own name, with its sentences.
A field called like a member of the problem itself (`title`) is in `errors` alone.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import (
    APIException,
    ErrorDetail,
    NotFound,
    ParseError,
    PermissionDenied,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.parsers import JSONParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler

from notices.api.refusals import Conflict, InternalError, TooLarge, Unavailable, quoted, shortened
from notices.quotas import ExceededError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MEMBERS = ("type", "title", "status", "detail", "errors")
TITLES = {
    HTTPStatus.BAD_REQUEST: gettext_lazy("Something that was sent cannot be used"),
    HTTPStatus.UNAUTHORIZED: gettext_lazy("Nobody knows who is asking"),
    HTTPStatus.FORBIDDEN: gettext_lazy("This is not allowed"),
    HTTPStatus.NOT_FOUND: gettext_lazy("There is no such thing"),
    HTTPStatus.METHOD_NOT_ALLOWED: gettext_lazy("This method is not for this address"),
    HTTPStatus.NOT_ACCEPTABLE: gettext_lazy("Answers are in JSON alone"),
    HTTPStatus.CONFLICT: gettext_lazy("This does not fit with what there is"),
    HTTPStatus.LENGTH_REQUIRED: gettext_lazy("The length of the body is missing"),
    HTTPStatus.PRECONDITION_FAILED: gettext_lazy("It was changed since you read it"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: gettext_lazy("The body is too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: gettext_lazy("The body is of another type"),
    HTTPStatus.TOO_MANY_REQUESTS: gettext_lazy("Too many requests"),
    HTTPStatus.INTERNAL_SERVER_ERROR: gettext_lazy("The server is at fault"),
    HTTPStatus.SERVICE_UNAVAILABLE: gettext_lazy("Not available for the moment"),
}

_SURROGATE = re.compile("[\ud800-\udfff]")


def problem(refusal: APIException) -> HttpResponse:
    """Answer what is refused before any view of the API is reached."""
    document = JSONRenderer().render(_problem(refusal, None))
    headers = getattr(refusal, "headers", None)
    return HttpResponse(document, MEDIA_TYPE, refusal.status_code, headers=headers)


def explain(exc: Exception, context: dict[str, Any]) -> Response | None:
    request: Request = context["request"]
    refusal = _refusal(exc, request)
    response = exception_handler(refusal, context)
    if response is not None:
        response.data = _problem(refusal, request)
        response.content_type = MEDIA_TYPE
    return response


def _refusal(exc: Exception, request: Request) -> APIException:
    """Return the refusal that is told. What caused a fault of ours goes to the log alone."""
    match exc:
        case UnsupportedMediaType():
            told = _("The body is marked as %(value)s; send it as Content-Type: %(taken)s.")
            taken = (request.parsers or [JSONParser()])[0].media_type
            exc.detail = ErrorDetail(told % {"value": quoted(request.content_type), "taken": taken})
            return exc
        case APIException():
            return exc
        case ExceededError():
            return Conflict(exc.messages[0], code="quota")
        case Http404():
            return NotFound()
        case DjangoPermissionDenied():
            return PermissionDenied()
        case RequestDataTooBig():
            return TooLarge(_("The body is too large for its type; send JSON."))
        case SuspiciousOperation() | BadRequest():
            return ParseError(_("The body is not what its Content-Type says; send JSON."))
        case IntegrityError():
            log.warning("A request met another one's change", exc_info=exc)
            return Conflict()
        case OperationalError() | InterfaceError():
            log.error("The database does not answer", exc_info=exc)
            return Unavailable()
    log.error("%s %s failed", request.method, request.path, exc_info=exc)
    return InternalError()


def _problem(refusal: APIException, request: Request | None) -> dict[str, object]:
    """Return the document. Each refused field is listed with the value that was sent."""
    detail = " ".join(_messages(refusal.detail))
    fields: dict[str, list[str]] = {}
    sent: Mapping[str, object] = {}
    if isinstance(refusal, ValidationError) and isinstance(refusal.detail, dict):
        fields = {name: list(_messages(told)) for name, told in refusal.detail.items()}
        detail = " ".join(f"{name}: {' '.join(told)}" for name, told in fields.items())
        sent = _sent(request) if request else {}
    return {
        "type": f"urn:studybot:{_code(refusal).replace('_', '-')}",
        "title": str(TITLES[HTTPStatus(refusal.status_code)]),
        "status": refusal.status_code,
        "detail": _sayable(detail),
        "errors": [
            {
                "field": _sayable(name),
                "value": _sayable_value(sent.get(name)),
                "detail": _sayable(message),
            }
            for name, told in fields.items()
            for message in told
        ],
    } | {
        _sayable(name): [_sayable(message) for message in told]
        for name, told in fields.items()
        if name not in MEMBERS
    }


def _sent(request: Request) -> Mapping[str, object]:
    """Return what the refused fields belong to: headers, and the body or the query."""
    if request.method in SAFE_METHODS:
        return {**request.headers, **request.query_params.dict()}
    try:
        body: Any = request.data
        return {**request.headers, **body}
    except APIException:
        return request.headers  # A header was refused before the body was read.


def _code(refusal: APIException) -> str:
    code = getattr(refusal.detail, "code", None)
    return str(code or refusal.default_code)


def _messages(detail: Any) -> Iterator[str]:
    """Yield the sentences of a detail, which the framework may have nested."""
    if isinstance(detail, str):
        yield detail
        return
    for part in detail.values() if isinstance(detail, dict) else detail:
        yield from _messages(part)


def _sayable(text: object) -> str:
    # JSON can hold half a surrogate pair; our answer is UTF-8, which cannot.
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", str(text))


def _sayable_value(value: object) -> str | None:
    if value is None or isinstance(value, bytes):  # a file says itself what it is
        return None
    return _sayable(shortened(value) if isinstance(value, str) else quoted(value))
