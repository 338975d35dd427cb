"""A leader writes a notice in the browser and sees it appear in Discord."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cast import GUILD, NEWS
from tests.e2e.stack import PATIENCE_SECONDS, Stack
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000
PASSWORD = "a-leaders-password"
MAKE_LEADER = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_user('minji', password='{PASSWORD}', first_name='민지')"
)


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord)
    stack.manage("shell", "-c", MAKE_LEADER)
    stack.manage("addstudy", "알고리즘 스터디", "--channel", NEWS, "--leader", "minji")
    stack.start("web", "qcluster", "runbot")
    yield stack
    stack.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """Nothing that it shows may come from anywhere else."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="ko-KR")
    hosts: set[str | None] = set()
    context.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()
    assert hosts == {"127.0.0.1"}


def log_in(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", "minji")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="로그인").click()


def test_a_leader_on_her_phone_publishes_edits_and_withdraws(stack: Stack, phone: Page) -> None:
    discord = phone.context.new_page()
    discord.goto(f"{stack.discord.url}/#/{GUILD}/{NEWS}")
    title = discord.locator("#messages .embed-title")

    log_in(phone, stack)
    phone.goto(f"{stack.url}/admin/notices/notice/add/")
    phone.fill("#id_title", "7주차 모임")
    phone.fill("#id_content", "**화요일** 20시입니다.")
    phone.click("[name=_publish]")
    expect(title).to_have_text("7주차 모임", timeout=PATIENCE_MS)
    # The page tells her by itself, without being loaded anew.
    expect(phone.get_by_text("게시됨", exact=True).first).to_be_visible(timeout=PATIENCE_MS)

    phone.fill("#id_title", "7주차 모임 (장소 변경)")
    phone.click("[name=_save]")
    expect(title).to_have_text("7주차 모임 (장소 변경)", timeout=PATIENCE_MS)

    phone.locator("#withdraw").click()
    phone.locator(".withdrawal button").click()
    expect(title).to_have_count(0, timeout=PATIENCE_MS)
