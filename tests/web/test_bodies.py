"""No address takes in a body larger than it needs, and no form takes a file."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from notices.web.bodies import MOST_BYTES, MOST_BYTES_OF_A_LOGIN
from tests.cpu_time import at_most

pytestmark = pytest.mark.django_db

FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"
JSON = "application/json"


class Unreadable:
    """A body that must not be read."""

    def read(self, *_sizes: int) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def send(client: Client, path: str, size: int, content_type: str) -> Any:
    """Announce a body of this size, without sending it."""
    return client.generic(
        "POST", path, b"", content_type,
        **{"CONTENT_LENGTH": str(size), "wsgi.input": Unreadable()},  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "most", "content_type"),
    [
        ("/admin/login/", MOST_BYTES_OF_A_LOGIN, FORM),
        ("/admin/login/", MOST_BYTES_OF_A_LOGIN, "multipart/form-data; boundary=x"),
        ("/admin/notices/notice/add/", MOST_BYTES, FORM),
        ("/i18n/setlang/", MOST_BYTES, FORM),
        ("/notice/", MOST_BYTES, JSON),
        ("/api/v1/notices/", MOST_BYTES, JSON),
        ("/api/v1/notices/", MOST_BYTES, "multipart/form-data; boundary=x"),
        ("/admin/uploads/", 2 * MOST_BYTES, BYTES),
        ("/api/v1/uploads/", 2 * MOST_BYTES, BYTES),
        ("/no/such/page/", MOST_BYTES, FORM),
    ],
)
def test_a_body_over_what_its_address_needs_is_refused_unread(
    client: Client, settings: LazySettings, path: str, most: int, content_type: str
) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    answer = send(client, path, most + 1, content_type)
    assert answer.status_code == 413
    if path.startswith(("/api/", "/notice/")):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert str(most) in answer.json()["detail"]


def test_a_body_of_the_size_that_its_address_needs_is_taken(
    client: Client, site_admin: User
) -> None:
    filled = {"username": "admin", "password": "a-site-admins-password", "next": "/admin/"}
    padding = {"more": "x" * (MOST_BYTES_OF_A_LOGIN - 2000)}
    assert client.post("/admin/login/", filled | padding).status_code == 302


@pytest.mark.parametrize(
    "path", ["/admin/login/", "/i18n/setlang/", "/admin/notices/notice/add/", "/admin/uploads/"]
)
@pytest.mark.parametrize("is_in", [False, True])
def test_a_file_in_a_form_is_refused_and_never_kept(
    client: Client, site_admin: User, path: str, is_in: bool, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if is_in:
        client.force_login(site_admin)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    strict.cookies["csrftoken"] = "x" * 32
    file = SimpleUploadedFile("a.bin", b"x" * 50_000)
    answer = strict.post(path, {"language": "ko", "file": file})
    assert answer.status_code == 400
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_a_form_to_the_api_is_refused(client: Client) -> None:
    answer = client.post("/api/v1/notices/", {"file": SimpleUploadedFile("a.bin", b"x" * 50_000)})
    assert answer.status_code in (400, 401, 415)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["9" * 5000, "-1", "x", "１"])
def test_a_malformed_length_is_no_server_error(client: Client, length: str) -> None:
    for path in ("/admin/login/", "/api/v1/notices/", "/admin/uploads/"):
        answer = client.generic("POST", path, b"", FORM, CONTENT_LENGTH=length)
        assert answer.status_code < 500


def test_escapes_in_a_cookie_take_no_time(client: Client) -> None:
    """Python needs quadratic time for them, and the sender need not have logged in."""
    escapes = '"' + "\\a" * 20_000 + '"'
    with at_most(2):
        answer = client.get("/admin/login/", headers={"Cookie": f"x={escapes}; django_language=en"})
    assert answer.headers["Content-Language"] == "en"
