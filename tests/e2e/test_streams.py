"""A stream under gunicorn: whoever goes away gives place and thread back within seconds."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.browser.cast import NEWS
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

# Nothing changes in the notice meanwhile: the bot does not run.
GIVEN_BACK_WITHIN_SECONDS = 8.0


@pytest.fixture
def web(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    web = Stack(tmp_path, discord, EVENT_STREAMS="1")
    web.start("web")
    yield web
    web.close()


def test_a_reader_who_is_gone_gives_the_place_back(web: Stack) -> None:
    study = web.prepare("addstudy", "알고리즘", "--channel", NEWS)
    key = web.prepare("createapikey", "frontend", "--study", study)
    notice = {"study_id": study, "title": "8주차", "content": "화요일"}
    _status, posted = web.ask("POST", "/api/v1/notices/", notice, key=key)
    path = f"/api/v1/notices/{posted['id']}/events/"

    @contextmanager
    def followed() -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
        with closing(connection):
            connection.request("GET", path, headers={"X-API-Key": key})
            with closing(connection.getresponse()) as answer:
                yield answer

    def is_free() -> bool:
        with followed() as answer:
            return answer.status == 200

    with followed() as first:
        assert first.readline() == b"retry: 3000\n"
        assert not is_free()
    wait_for(is_free, "another may follow", GIVEN_BACK_WITHIN_SECONDS)
