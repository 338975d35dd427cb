"""On her phone a leader follows a notice without reloading, decides, changes and withdraws it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from tests.browser.cast import HOMEWORK, NEWS
from tests.e2e.stack import PATIENCE_SECONDS, Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000
PASSWORD = "a-leaders-password"
MAKE_LEADER = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_user('minji', password='{PASSWORD}', first_name='민지')"
)
CREATES = {"method": "POST", "path": "/messages$"}


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord, NONCE_WINDOW="1")
    stack.manage("shell", "-c", MAKE_LEADER)
    channels = ["--channel", NEWS, "--channel", HOMEWORK]
    stack.manage("addstudy", "알고리즘 스터디", *channels, "--leader", "minji")
    stack.start("web", "qcluster", "runbot")
    yield stack
    stack.close()


@pytest.fixture
def phone(browser: Browser, stack: Stack) -> Iterator[Page]:
    """Logged in; whatever a page's script stumbles over fails the test."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="ko-KR")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", "minji")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="로그인").click()
    yield page
    context.close()
    assert errors == []


def publish(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/admin/notices/notice/add/")
    page.fill("#id_title", "7주차 모임")
    page.fill("#id_content", "**화요일** 20시입니다.")
    page.click("[name=_publish]")
    expect(page.locator("#outcome")).to_be_visible()
    # What is marked is gone with the first reload.
    page.evaluate("window.isSamePage = true")


def is_same_page(page: Page) -> bool:
    return bool(page.evaluate("window.isSamePage === true"))


def line(page: Page, channel: str) -> Locator:
    return page.locator("#outcome .deliveries > li", has_text=channel)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
