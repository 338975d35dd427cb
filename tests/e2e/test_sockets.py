"""The web by itself, asked over bare sockets: what a server reads before any of our code does."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPResponse

import pytest

from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

CHUNKS = b'4\r\n{"a"\r\n3\r\n:1}\r\n0\r\n\r\n'


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    discord = FakeDiscordProcess()
    web = Stack(tmp_path_factory.mktemp("web"), discord)
    web.start("web")
    yield web
    web.close()
    discord.stop()


@pytest.mark.parametrize("path", ["/notice/", "/api/v1/notices/", "/api/v1/uploads/?name=a.txt"])
@pytest.mark.parametrize("coding", ["chunked", "Chunked"])
def test_a_body_in_chunks_is_refused_in_words(web: Stack, path: str, coding: str) -> None:
    """gunicorn would take them; Django, which goes by the length, would find no body at all."""
    lines = (
        f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
        f"Transfer-Encoding: {coding}", "", "",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", web.port), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode() + CHUNKS)
        answer = HTTPResponse(line)
        answer.begin()
        problem = json.load(answer)
    assert answer.status == problem["status"] == 411
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Content-Length" in problem["detail"]
