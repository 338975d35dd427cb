"""A POST while the database is away is told so, and when to come back; nothing doubles."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.db import connection

from tests.browser.cast import NEWS
from tests.e2e.own_services import OwnPostgres
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = [
    pytest.mark.own_postgres,
    # It brings its own server: in the tests' run on SQLite it would be the same once more.
    pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL"),
]
ADDRESSES: dict[str, dict[str, object]] = {
    "/notice/": {"channel_id": NEWS},
    "/api/v1/notices/": {"channel_ids": [NEWS]},
}
ACCEPTED = (201, 202)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


class Web(Stack):
    """The web alone, with a study and its key."""

    def __init__(self, folder: Path, discord: FakeDiscordProcess, server: OwnPostgres) -> None:
        super().__init__(folder, discord, postgres=server.url)
        self.study = self.prepare("addstudy", "알고리즘", "--channel", NEWS)
        self.key = self.prepare("createapikey", "frontend", "--study", self.study)
        self.start("web")

    def post(self, address: str, title: str) -> Answer:
        """The title is its Idempotency-Key too."""
        notice = {"study_id": self.study, "title": title, "content": "화요일", "author": "민지"}
        headers = {
            "Content-Type": "application/json",
            "X-API-Key": self.key,
            "Idempotency-Key": title,
        }
        body = json.dumps(notice | ADDRESSES[address]).encode()
        request = urllib.request.Request(self.url + address, body, headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())


@pytest.fixture
def server() -> Iterator[OwnPostgres]:
    server = OwnPostgres()
    server.start()
    yield server
    server.close()


@pytest.fixture
def web(tmp_path: Path, discord: FakeDiscordProcess, server: OwnPostgres) -> Iterator[Web]:
    web = Web(tmp_path, discord, server)
    yield web
    server.start()
    web.close()


def test_every_post_is_accepted_or_told_to_come_back(web: Web, server: OwnPostgres) -> None:
    answers: dict[tuple[str, str], Answer] = {}
    is_over = threading.Event()

    def post_on(address: str) -> None:
        number = 0
        while not is_over.is_set():
            title = f"{address} {number}"
            answers[address, title] = web.post(address, title)
            number += 1

    def wait_for_more(*statuses: int) -> None:
        wanted = count(*statuses) + 10
        wait_for(lambda: count(*statuses) >= wanted, f"{statuses} is answered")

    def count(*statuses: int) -> int:
        return sum(answer.status in statuses for answer in list(answers.values()))

    with ThreadPoolExecutor(len(ADDRESSES)) as pool:
        running = [pool.submit(post_on, address) for address in ADDRESSES]
        try:
            for go_away in (server.kill, server.stop):
                wait_for_more(*ACCEPTED)
                go_away()
                wait_for_more(503)
                server.start()
            wait_for_more(*ACCEPTED)
        finally:
            is_over.set()
    assert [future.exception() for future in running] == [None, None]

    refused = [answer for answer in answers.values() if answer.status not in ACCEPTED]
    for answer in refused:
        assert answer.status == 503
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        problem = json.loads(answer.body)
        assert set(problem) == {"type", "title", "status", "detail", "errors"}
        assert str(server.port) not in answer.body

    # Repeated with the same key, each notice is there once.
    for (address, title), answer in answers.items():
        again = web.post(address, title)
        assert again.status in ACCEPTED, again
        assert ("Idempotent-Replayed" in again.headers) or answer.status == 503
    assert titles(web) == sorted(title for _address, title in answers)


def titles(web: Web) -> list[Any]:
    found: list[Any] = []
    page = "/api/v1/notices/?page_size=100"
    while page:
        answer = web.get(page, web.key)
        found += [notice["title"] for notice in answer["results"]]
        page = (answer["next"] or "").removeprefix(web.url)
    return sorted(found)
