"""Every answer has a Content-Security-Policy, also that of an error."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

PAGES = (
    "/admin/login/", "/admin/", "/admin/notices/notice/add/", "/admin/setup/", "/nowhere/",
    "/api/docs/", "/api/schema/", "/admin/jsi18n/",
)  # fmt: skip


def directives(answer: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_no_script_but_our_files(site_admin: User, page: str) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(site_admin)
    policy = directives(client.get(page))
    assert set(policy["script-src"]) <= {"'self'", "'unsafe-eval'"}
    assert policy["default-src"] == ["'self'"]
    for nothing in ("object-src", "base-uri", "frame-ancestors"):
        assert policy[nothing] == ["'none'"]


def test_error_pages_have_a_content_policy_too(site_admin: User, settings: Any) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    client.force_login(site_admin)
    for answer in (
        client.post("/admin/setup/test/", {}),
        client.get("/admin/", headers={"Host": "elsewhere.example.org"}),
    ):
        assert answer.status_code in (400, 403)
        assert directives(answer)["object-src"] == ["'none'"]
