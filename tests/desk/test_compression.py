"""The desk's pages are compressed for slow phones; nothing else is."""

import gzip
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from notices.files.uploads import Sent, keep
from notices.models import ApiKey, Notice, Upload
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
    """BREACH measures the length. The pages differ in their token alone, whose length is fixed."""
    pages = [ask(desk, "/admin/password_change/").content for _ in range(12)]
    assert len({len(page) for page in pages}) > 3


def test_answers_to_machines_are_not_compressed(client: Client, notice: Notice) -> None:
    _key, secret = ApiKey.objects.create_key(name="frontend", all_studies=True)
    for path in ("/api/v1/notices/", f"/api/v1/notices/{notice.pk}/", "/metrics", "/healthz"):
        answer = ask(client, path, **{"X-API-Key": secret})
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer, path


def test_a_picture_is_sent_as_it_is(desk: Client, leader: User) -> None:
    upload: Upload = keep(Sent("map.png", picture("PNG", (400, 400))), by=leader)
    assert "Content-Encoding" not in ask(desk, f"/admin/uploads/{upload.pk}/")
