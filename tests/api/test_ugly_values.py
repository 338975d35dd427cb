"""Every operation of the API answers ugly input with a problem document, and never with a 500."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from notices.files.uploads import Sent, keep
from notices.models import CallbackEndpoint, Channel, Notice, Study
from tests.api.conftest import client_with, key_for
from tests.ugly import BY_THIRDS, TEXTS, VALUES, third_of

BODIES: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"{", "application/json"),
    "no UTF-8": (b'{"title": "\xff"}', "application/json"),
    "NaN": (b'{"title": NaN}', "application/json"),
    "a form": (b"title=a&title=b", "application/x-www-form-urlencoded"),
    "a long form": (b"title=" + b"a" * 3_000_000, "application/x-www-form-urlencoded"),
    "a form of many fields": (b"a=1&" * 2000, "application/x-www-form-urlencoded"),
    "parts without a boundary": (b"--x\r\n", "multipart/form-data"),
    "parts with a bad boundary": (b"--x\r\n", "multipart/form-data; boundary=\xc3\xbf"),
    "broken parts": (b"--x\r\nContent-Disp: form-data; na", "multipart/form-data; boundary=x"),
    "no type": (b"{}", ""),
    "no type that is one": (b"{}", "application"),
    "another charset": (b"{}", "application/json; charset=no-such"),
    "a type of signs": (b"{}", ";;;=\xff"),
}  # fmt: skip
HEADERS: tuple[str, ...] = (
    "Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "Last-Event-ID", "Accept",
    "Accept-Language", "Cookie", "X-CSRFToken", "X-API-Key", "Content-Encoding", "Origin", "Range",
)  # fmt: skip
UGLY_HEADERS: dict[str, str] = {
    "empty": "",
    "a star": "*",
    "commas": ",,,;;;===",
    "long": "a" * 8000,
    "many": ",".join(["x-a;q=0.1"] * 1500),
    "quotes": '"' * 500,
    "octal": "; ".join(
        f'{name}="\\000aaaaaaaa"'
        for name in ("sessionid", "csrftoken", "django_language", "messages")
    ),
    "no time": "Sat, 99 Foo 99999 99:99:99 GMT",
    "Latin": "\xe9\xff",
}


PLACE = re.compile(r"{\w+}")


class Operation(NamedTuple):
    method: str
    path: str
    parameters: tuple[str, ...]
    fields: tuple[str, ...]


def operations() -> Iterator[Operation]:
    """Yield the operations of the schema, so that a new one is tested by itself."""
    schema: Any = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            names = [one["name"] for one in told.get("parameters", ()) if one["in"] == "query"]
            contents = told.get("requestBody", {}).get("content", {})
            reference = contents.get("application/json", {}).get("schema", {}).get("$ref", "")
            form = schema["components"]["schemas"].get(reference.rpartition("/")[2], {})
            yield Operation(method, path, tuple(names), tuple(form.get("properties", ())))


OPERATIONS = list(operations())


def each(chosen: Sequence[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        "operation", chosen, ids=[f"{one.method} {one.path}" for one in chosen]
    )


@pytest.fixture(autouse=True)
def _short_streams(settings: Any) -> None:
    settings.EVENT_STREAM_SECONDS = 0
    settings.API_RATE = None


@pytest.fixture
def caller(study: Study) -> APIClient:
    return client_with(key_for(study, all_studies=True, may_see_people=True))


@pytest.fixture
def logged_in(site_admin: User) -> APIClient:
    """It logs in by cookies, and so Django looks for the CSRF token in the body."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(site_admin)
    return client


@pytest.fixture
def rows(study: Study, notice: Notice, channel: Channel) -> dict[str, int]:
    endpoint = CallbackEndpoint.objects.create(url="https://example.com/", all_studies=True)
    return {
        "/notices/": notice.pk,
        "/studies/": study.pk,
        "/channels/": channel.pk,
        "/callbacks/": endpoint.pk,
        "/uploads/": keep(Sent("a.txt", b"a"), by=None).pk,
    }


def filled(path: str, rows: dict[str, int]) -> str:
    row = next((pk for part, pk in rows.items() if part in path), 1)
    return path.replace("{id}", str(row)).replace("{discord_id}", "1100000000000000101")


def send(client: Any, method: str, address: str, *body: Any, **headers: Any) -> Any:
    return client.generic(method, address, *(body or (b"{}", "application/json")), **headers)


def check(answer: Any, asked: Any) -> None:
    if answer.streaming:
        answer.getvalue()  # reading to the end gives the place back
        return
    assert answer.status_code < 500, (asked, answer.content[:300])
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", asked
        assert answer.json()["detail"], asked


@BY_THIRDS
@each(OPERATIONS)
def test_every_operation_answers_an_ugly_address(
    caller: APIClient, rows: dict[str, int], operation: Operation, third: int
) -> None:
    address = filled(operation.path, rows)
    for kind, value in third_of(TEXTS.items(), OPERATIONS.index(operation), third):
        for place in PLACE.findall(operation.path):
            there = filled(operation.path.replace(place, quote(value, safe="")), rows)
            check(send(caller, operation.method, there), kind)
        for name in (*operation.parameters, "no_such", "cursor"):
            for query in ([(name, value)], [(name, value), (name, value)], [(value, name)]):
                there = f"{address}?{urlencode(query)}"
                check(send(caller, operation.method, there), kind)


@BY_THIRDS
@each([one for one in OPERATIONS if one.fields])
def test_every_operation_answers_an_ugly_field(
    caller: APIClient, rows: dict[str, int], operation: Operation, third: int
) -> None:
    address = filled(operation.path, rows)
    for kind, value in third_of(VALUES.items(), OPERATIONS.index(operation), third):
        for name in operation.fields:
            body = json.dumps({"study_id": rows["/studies/"], name: value})
            answer = send(caller, operation.method, address, body, "application/json")
            check(answer, (kind, name))


@each(OPERATIONS)
def test_every_operation_answers_an_ugly_body(
    caller: APIClient, logged_in: APIClient, rows: dict[str, int], operation: Operation
) -> None:
    address = filled(operation.path, rows)
    for kind, (body, content_type) in BODIES.items():
        for client in (caller, logged_in):
            check(send(client, operation.method, address, body, content_type), kind)


@BY_THIRDS
@each(OPERATIONS)
def test_every_operation_answers_ugly_headers(
    caller: APIClient, rows: dict[str, int], operation: Operation, third: int
) -> None:
    address = filled(operation.path, rows)
    for kind, value in third_of(UGLY_HEADERS.items(), OPERATIONS.index(operation), third):
        for name in HEADERS:
            headers = {name: value}
            answer = send(caller, operation.method, address, headers=headers)
            check(answer, (kind, name))


@each(OPERATIONS)
def test_every_operation_answers_each_method(
    caller: APIClient, rows: dict[str, int], operation: Operation
) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "QUERY", "가"):
        check(send(caller, method, filled(operation.path, rows)), method)
