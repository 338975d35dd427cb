"""Describes in OpenAPI 3.1 what holds for every operation (see `operations`)."""

from copy import deepcopy
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_choice_field
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from notices.api import errors
from notices.api.fields import OneOfField
from notices.api.idempotency import HEADER, KEY_PATTERN
from notices.ids import LARGEST_ID


class FieldProblem(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Of the body, of the address, or a header.")
    value = serializers.CharField(allow_null=True, help_text="What was sent, shortened.")
    detail = serializers.CharField(help_text="What is wrong, and the remedy.")


class Problem(serializers.Serializer[Any]):
    """RFC 9457. Each refused field is there once more by its own name, with its sentences."""

    type = serializers.CharField(help_text="What a program goes by: the kind of problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What a person reads: what is wrong, what to do.")
    errors = FieldProblem(many=True)  # type: ignore[assignment]


# --- what the framework does not see ---------------------------------------------------------


class _StrictFields(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    target_class = "notices.api.fields.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        if isinstance(self.target, OneOfField):
            return build_choice_field(serializers.ChoiceField(list(self.target.choices.items())))
        return deepcopy(self.target.json_schema)


class _StrictForms(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "notices.api.forms.StrictForm"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False}


class _Key(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "notices.api.authentication.ApiKeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "Made in the admin, or by `manage.py createapikey`.",
        }


class _Login(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "notices.api.authentication.LoginAuthentication"
    name = "login"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A leader's login at /admin/, for pages of the same site. What changes "
            f"something carries the cookie `{settings.CSRF_COOKIE_NAME}` as `X-CSRFToken` too.",
        }


# --- what is the same everywhere -------------------------------------------------------------

_ID = OpenApiParameter(
    "id",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
    OpenApiParameter.PATH,
    required=True,
)
_IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {"type": "string", "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    description="Any text of your own, new for each new request. Repeated with it within 24 "
    "hours, the request is done once and answered as the first time.",
)
_IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description="An ETag: refuse the change by 412 where somebody changed the notice since.",
)
_IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="An ETag: answer 304, without a body, where it is still the same.",
)
_HEADERS_OF_ANSWERS = [
    OpenApiParameter(name, int, OpenApiParameter.HEADER, description=told, response=response)
    for name, told, response in (
        ("RateLimit-Limit", "Requests in a window of time.", True),
        ("RateLimit-Remaining", "Requests left in this window.", True),
        ("RateLimit-Reset", "Seconds until the next window.", True),
        ("Retry-After", "Seconds after which to repeat the request.", [409, 429, 503]),
    )
]


_REPEATED_AS_THEY_COME = ("/api/v1/uploads", "/api/v1/notices/preview")


class ApiSchema(AutoSchema):
    """Describes each operation with all of its headers and problems."""

    @property
    def _changes_a_notice(self) -> bool:
        return "/notices/{id}/" in self.path and self.method != "GET"

    def get_description(self) -> str:  # type: ignore[override]
        """Return nothing, because docstrings are for those who read the code."""
        return ""

    def get_override_parameters(self) -> list[Any]:
        found: list[Any] = list(_HEADERS_OF_ANSWERS)
        if "{id}" in self.path:
            found.append(_ID)
        if self.method == "GET":
            found.append(_IF_NONE_MATCH)
        if self.method == "POST" and not self.path.startswith(_REPEATED_AS_THEY_COME):
            found.append(_IDEMPOTENCY_KEY)
        if self._changes_a_notice:
            found.append(_IF_MATCH)
        return found

    def _get_request_body(self, direction: Direction = "request") -> Any:
        body = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if body and self.method == "POST":
            body["required"] = True
        return body

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self.method == "GET":
            bodies["304"] = {"description": "It is still the same."}
        bodies |= {str(status): self._problem(status) for status in self._problems()}
        return bodies

    def _problem(self, status: int) -> dict[str, Any]:
        title = errors.TITLES[HTTPStatus(status)]
        told = OpenApiResponse(Problem, title, examples=[_example_of(status)])
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=f"Problem{status}",
            type=ResolvedComponent.RESPONSE,
            object=status,
            schema=self._get_response_for_code(  # type: ignore[no-untyped-call]
                told, str(status), [errors.MEDIA_TYPE]
            ),
        )
        self.registry.register_on_missing(component)
        return dict(component.ref)

    def _problems(self) -> list[int]:
        codes = [401, 403, 406, 429, 500, 503]
        if "{id}" in self.path:
            codes.append(404)
        if self.method != "GET":
            codes += [400, 409, 413, 415]
        elif getattr(self.view, "action", "") in ("list", "attempts"):
            codes.append(400)
        if self._changes_a_notice:
            codes.append(412)
        return sorted(codes)


_EXAMPLE_DETAILS = {
    400: ("invalid", "content: This is missing; send it."),
    401: ("not-authenticated", "The header X-API-Key is missing; put the key that …"),
    403: ("permission-denied", "This key only reads; ask a site admin for one that may write."),
    404: ("not-found", "/api/v1/notices/7/ is not known; take one from /api/v1/notices/."),
    406: ("not-acceptable", "Could not satisfy the request Accept header."),
    409: ("key-reused", 'The Idempotency-Key "8f14e45f" was already used for another request; …'),
    412: ("stale", "Notice 7 was changed at 2026-03-02T11:00:00+00:00, after you read it; …"),
    413: ("too-large", "The body has 70000 bytes; send at most 65536."),
    415: ("unsupported-media-type", 'The body is marked as "text/plain"; send JSON, …'),
    429: ("throttled", "Request was throttled. Expected available in 12 seconds."),
    500: ("broken", "This is a fault of the server; the operator's log has it."),
    503: ("unavailable", "The database does not answer; repeat the request in a moment."),
}


def _example_of(status: int) -> OpenApiExample:
    kind, detail = _EXAMPLE_DETAILS[status]
    problem: dict[str, object] = {
        "type": f"urn:studybot:{kind}",
        "title": str(errors.TITLES[HTTPStatus(status)]),
        "status": status,
        "detail": detail,
        "errors": [],
    }
    if status == HTTPStatus.BAD_REQUEST:
        field, told = detail.split(": ")
        problem["errors"] = [{"field": field, "value": None, "detail": told}]
    return OpenApiExample(kind, problem)
