"""The example's server hands on only those requests to the API that its own page makes."""

import http.client
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.e2e.stack import free_port, wait_for
from tests.example_frontend import SERVER, ExampleFrontend

KEY = "a-key.of-nobody"
NOTICE = {"study_id": 1, "title": "8주차 모임", "content": "화요일 20시"}


@dataclass
class Api:
    """It stands in for studybot, keeps each request, and answers as it is told to."""

    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"id": 12}'
    is_streaming: bool = False
    has_lost_its_listener: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> ThreadingHTTPServer:
        mine = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                mine.asked.append((self.command, self.path, headers, body))
                if mine.is_streaming:
                    self.stream()
                    return
                self.send_response(mine.status)
                for name, value in mine.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(mine.body)))
                self.end_headers()
                self.wfile.write(mine.body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def stream(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(b"event: progress\nid: 1-a\ndata: {}\n\n")
                self.connection.recv(1)  # returns once the other side has gone
                mine.has_lost_its_listener.set()

            def log_message(self, *_args: Any) -> None:
                pass

        return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Api, ExampleFrontend]]:
    api = Api()
    server = api.serve()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with ExampleFrontend(f"http://127.0.0.1:{server.server_address[1]}", KEY) as example:
        yield api, example
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def api(served: tuple[Api, ExampleFrontend]) -> Api:
    api, _example = served
    api.__init__()  # type: ignore[misc]
    return api


@pytest.fixture
def example(served: tuple[Api, ExampleFrontend]) -> ExampleFrontend:
    return served[1]


def ask(
    example: ExampleFrontend, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask as the example's own page does, but with these headers; "" leaves one out."""
    sent = {"Host": f"127.0.0.1:{example.port}", "Origin": example.url}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", example.port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    if body is not None:
        sent["Content-Length"] = str(len(raw))
    for name, value in sent.items():
        if value:
            connection.putheader(name, value)
    connection.endheaders(raw if body is not None else None)
    answer = connection.getresponse()
    told = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return told


def test_it_adds_the_key_and_hands_on_only_harmless_headers(
    api: Api, example: ExampleFrontend
) -> None:
    api.headers = {"ETag": '"1-a"', "Set-Cookie": "session=1", "Content-Type": "application/json"}
    status, headers, body = ask(
        example, "POST", "/api/v1/notices/?all=1", NOTICE,
        Idempotency_Key="k", Accept_Language="ko", Cookie="mine=1", Authorization="Basic x",
        X_API_Key="another", X_Forwarded_For="1.2.3.4",
    )  # fmt: skip
    assert (status, body) == (200, b'{"id": 12}')
    assert headers["ETag"] == '"1-a"'
    assert headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in headers
    ((method, path, sent, sent_body),) = api.asked
    assert (method, path) == ("POST", "/api/v1/notices/")
    assert json.loads(sent_body) == NOTICE
    assert sent["x-api-key"] == KEY
    assert (sent["idempotency-key"], sent["accept-language"]) == ("k", "ko")
    assert not {"cookie", "authorization", "x-forwarded-for", "origin"} & set(sent)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/notices/"),
        ("DELETE", "/api/v1/notices/12/"),
        ("POST", "/api/v1/studies/"),
        ("POST", "/api/v1/callbacks/"),
        ("GET", "/api/v1/notices/12/attempts/"),
        ("GET", "/api/v1/notices/12/../../callbacks/"),
        ("GET", "/api/v1/notices/%2e%2e/callbacks/"),
        ("GET", "/api/v1/notices/0/"),
        ("GET", "/admin/"),
        ("GET", "//example.org/"),
        ("GET", "http://example.org/api/v1/studies/"),
        ("GET", "/page/../server.py"),
        ("GET", "/page/%2e%2e/server.py"),
    ],
)
def test_it_uses_the_key_for_no_other_request(
    api: Api, example: ExampleFrontend, method: str, path: str
) -> None:
    status, _headers, body = ask(example, method, path, None if method == "GET" else NOTICE)
    assert status in (403, 404, 405, 421)
    assert api.asked == []
    assert KEY.encode() not in body


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example.org"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Origin": ""}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
    ],
)
def test_another_sites_page_posts_nothing(
    api: Api, example: ExampleFrontend, headers: dict[str, str], status: int
) -> None:
    assert ask(example, "POST", "/api/v1/notices/", NOTICE, **headers)[0] == status
    assert api.asked == []


def test_another_sites_page_reads_nothing_and_takes_no_stream(
    api: Api, example: ExampleFrontend
) -> None:
    path = "/api/v1/notices/12/events/"
    assert ask(example, "GET", path, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(example, "GET", path, Host=f"rebound.example.org:{example.port}")[0] == 421
    assert api.asked == []
    # A link to the page itself may stand anywhere.
    assert ask(example, "GET", "/", Sec_Fetch_Site="cross-site")[0] == 200


def test_a_field_that_the_page_has_not_is_refused_by_its_name(
    api: Api, example: ExampleFrontend
) -> None:
    status, headers, body = ask(example, "POST", "/api/v1/notices/", {**NOTICE, "ping": "everyone"})
    assert (status, headers["Content-Type"]) == (400, "application/problem+json; charset=utf-8")
    assert [error["field"] for error in json.loads(body)["errors"]] == ["ping"]
    for broken in (b"[]", b"{", b"[" * 5000, json.dumps(NOTICE).encode("utf-16")):
        ask(example, "POST", "/api/v1/notices/", broken)
    assert [body for *_rest, body in api.asked if body != json.dumps(NOTICE).encode()] == []
    assert ask(example, "POST", "/api/v1/notices/", b" " * 70_000)[0] == 413


def test_a_redirect_takes_the_key_nowhere(api: Api, example: ExampleFrontend) -> None:
    api.status, api.headers = 302, {"Location": "/elsewhere"}
    assert ask(example, "GET", "/api/v1/studies/")[0] == 302
    assert len(api.asked) == 1


def test_a_stream_passes_event_by_event_and_ends_with_its_reader(
    api: Api, example: ExampleFrontend
) -> None:
    api.is_streaming = True
    connection = http.client.HTTPConnection("127.0.0.1", example.port, timeout=10)
    connection.request("GET", "/api/v1/notices/12/events/", headers={"Last-Event-ID": "1-0"})
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.readline() == b"event: progress\n"
    assert api.asked[0][2]["last-event-id"] == "1-0"
    answer.close()
    connection.close()
    wait_for(api.has_lost_its_listener.is_set, "the API's side is closed too")


def test_the_page_needs_nothing_from_elsewhere_and_cannot_be_framed(
    example: ExampleFrontend,
) -> None:
    status, headers, body = ask(example, "GET", "/")
    assert status == 200
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"http" not in body.replace(b"http-equiv", b"").replace(b'"https://"', b"")


def test_it_answers_502_while_studybot_is_away() -> None:
    with ExampleFrontend(f"http://127.0.0.1:{free_port()}", KEY) as example:
        status, headers, body = ask(example, "POST", "/api/v1/notices/", NOTICE)
    assert (status, headers["Content-Type"]) == (502, "application/problem+json; charset=utf-8")
    assert json.loads(body)["type"] == "urn:example:unreachable"


def test_without_a_key_it_does_not_start() -> None:
    environment = {**os.environ, "STUDYBOT_KEY": ""}
    ran = subprocess.run(
        [sys.executable, str(SERVER)], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "STUDYBOT_KEY" in ran.stderr
    assert "Traceback" not in ran.stderr
