"""The desk's pages are compressed, so that they fit a phone's line; nothing else is."""

import gzip
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.models import ApiKey, Notice, Upload
from notices.uploads import Sent, keep
from tests.pictures import picture

pytestmark = pytest.mark.django_db


def ask(client: Client, path: str, **headers: str) -> Any:
    return client.get(path, headers={"Accept-Encoding": "gzip, br", **headers})


@pytest.fixture
def desk(client: Client, leader: User, notice: Notice) -> Client:
    client.force_login(leader)
    return client


def test_the_login_page_is_compressed(client: Client) -> None:
    answer = ask(client, "/admin/login/")
    assert answer["Content-Encoding"] == "gzip"
    assert b"id_username" in gzip.decompress(answer.content)
    assert "Accept-Encoding" in answer["Vary"]
    assert "Content-Encoding" not in client.get("/admin/login/")


def test_the_pages_of_the_desk_are_compressed(desk: Client, notice: Notice) -> None:
    for path in ("", "notices/notice/", f"notices/notice/{notice.pk}/change/", "jsi18n/"):
        assert ask(desk, f"/admin/{path}")["Content-Encoding"] == "gzip", path


def test_the_length_of_a_page_differs_each_time(desk: Client) -> None:
    """What BREACH measures. The page itself is the same but for its token, which has one length."""
    pages = [ask(desk, "/admin/password_change/").content for _ in range(12)]
    assert len({len(page) for page in pages}) > 3


def test_the_api_and_what_machines_ask_is_not(client: Client, notice: Notice) -> None:
    _key, secret = ApiKey.objects.create_key(name="frontend", all_studies=True)
    for path in ("/api/v1/notices/", f"/api/v1/notices/{notice.pk}/", "/metrics", "/healthz"):
        answer = ask(client, path, **{"X-API-Key": secret})
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer, path


def test_a_picture_is_sent_as_it_is(desk: Client, leader: User) -> None:
    upload: Upload = keep(Sent("map.png", picture("PNG", (400, 400))), by=leader)
    assert "Content-Encoding" not in ask(desk, f"/admin/uploads/{upload.pk}/")
