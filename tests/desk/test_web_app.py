"""The desk has an icon of its own, and can stand on a phone's home screen."""

import io
import re

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from PIL import Image

pytestmark = pytest.mark.django_db


def test_every_page_names_the_icon_and_the_manifest(client: Client) -> None:
    page = client.get("/admin/login/").content.decode()
    links = dict(re.findall(r'<link rel="(icon|apple-touch-icon|manifest)" +href="([^"]+)"', page))
    assert links == {
        "icon": "/static/notices/icon.svg",
        "apple-touch-icon": "/static/notices/icon-whole-180.png",
        "manifest": "/admin/manifest.webmanifest",
    }
    assert "notices/icon.svg" in client.get("/nowhere/").content.decode()


def test_a_browser_reads_the_manifest_without_a_login(client: Client) -> None:
    answer = client.get("/admin/manifest.webmanifest", headers={"Accept-Language": "ko"})
    assert answer["Content-Type"] == "application/manifest+json"
    told = answer.json()
    assert (told["name"], told["lang"]) == ("스터디 공지", "ko")
    assert told["start_url"] == told["scope"] == "/admin/"
    assert told["display"] == "standalone"
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}


def test_each_picture_is_there_in_the_size_that_is_told(client: Client) -> None:
    for icon in client.get("/admin/manifest.webmanifest").json()["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        assert path is not None
        with open(path, "rb") as file, Image.open(io.BytesIO(file.read())) as picture:
            assert icon["sizes"] == f"{picture.width}x{picture.height}"
