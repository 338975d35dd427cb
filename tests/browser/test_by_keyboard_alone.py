"""A leader without a mouse logs in, writes, publishes, changes and withdraws a notice."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.cast import GUILD, HOMEWORK, NEWS
from tests.browser.desk import CONTENT, PASSWORD, TITLE, DeskWithBot
from tests.browser.keyboard import Keyboard
from tests.e2e.stack import PATIENCE_SECONDS, Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _may_ping_everyone(discord: FakeDiscordProcess) -> None:
    may = ["VIEW_CHANNEL", "SEND_MESSAGES", "EMBED_LINKS", "READ_MESSAGE_HISTORY"]
    everyone = {"permissions": [*may, "MENTION_EVERYONE"]}
    discord.call("PATCH", f"/_fake/guilds/{GUILD}/roles/{GUILD}", everyone)


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = DeskWithBot(tmp_path, discord, NEWS, HOMEWORK, LARGE_PING="1")
    yield stack
    stack.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="ko-KR", viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    yield page
    context.close()


@pytest.fixture
def keys(page: Page, stack: Stack) -> Keyboard:
    """Logged in, on the front page."""
    keys = Keyboard(page)
    page.goto(f"{stack.url}/admin/")
    keys.go_to(page.locator("#id_username"))
    keys.type("minji")
    keys.go_to(page.locator("#id_password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.locator(".front")).to_be_visible()
    return keys


def channel(page: Page, number: str) -> Locator:
    return page.locator(f"input[name=channels][value='{number}']")


def badge(page: Page, name: str) -> Locator:
    return page.locator("#outcome .deliveries > li", has_text=name).locator(".badge")


def test_she_writes_publishes_changes_and_withdraws(
    stack: Stack, page: Page, keys: Keyboard
) -> None:
    keys.go_to(page.locator(".skip-link"))
    keys.press("Enter")
    keys.go_to(page.locator(".front").get_by_role("link", name="공지 쓰기"))
    keys.press("Enter")
    expect(page.locator(CONTENT)).to_be_visible()

    keys.go_to(page.locator(TITLE))
    keys.type("7주차 모임")
    keys.go_to(page.locator(CONTENT))
    keys.type("화요일 20시")
    keys.press("Control+a", "Shift+Tab")
    keys.is_at(page.locator("[data-tool=bold]"))
    keys.press("ArrowRight", "Enter")
    expect(page.locator(CONTENT)).to_have_value("*화요일 20시*")
    keys.is_at(page.locator(CONTENT))
    keys.go_to(channel(page, HOMEWORK))
    keys.press("Space")
    expect(channel(page, HOMEWORK)).not_to_be_checked()
    expect(page.locator("#going-to")).to_have_text("→ #공지")
    keys.go_to(page.locator("#id_ping"))
    keys.press("End")
    expect(page.locator("#id_ping")).to_have_value("everyone")
    expect(page.locator("#reach strong")).to_contain_text("@everyone")
    keys.go_to(page.locator("[name=_publish]"))
    keys.press("Enter")

    # She is where the question is, and what Enter presses in a field is not its answer.
    question = page.get_by_role("alertdialog")
    keys.is_at(question)
    keys.go_to(page.locator(TITLE))
    keys.press("Enter")
    expect(page.locator("#outcome .badge-draft")).to_be_visible()
    assert stack.discord.messages(NEWS) == []
    keys.go_to(page.locator("[name=_publish]"))
    keys.press("Enter")
    keys.is_at(question)
    keys.go_to(question.get_by_role("button", name="네"))
    keys.press("Enter")
    expect(badge(page, "공지")).to_have_text("게시됨")

    keys.go_to(page.locator(TITLE))
    keys.press("End")
    keys.type(" (장소 변경)")
    keys.go_to(page.locator("[name=_save]"))
    keys.press("Enter")
    expect(page.get_by_text("저장했어요.")).to_be_visible()
    wait_for(lambda: stack.shown(NEWS) == ["7주차 모임 (장소 변경)"], "the message is changed")
    expect(page.locator("#outcome-body[hx-trigger]")).to_have_count(0)
    keys.go_to(page.locator("#withdraw"))
    keys.press("Enter")
    expect(page.locator(".withdrawal button")).to_be_visible()
    stack.discord.fault(kind="hang", method="DELETE", path=f"{NEWS}/messages/", times=None)
    keys.go_to(page.locator(".withdrawal button"))
    keys.press("Enter")
    expect(page.locator("#outcome-body[hx-trigger]")).to_be_attached()
    stack.discord.clear_faults()
    wait_for(lambda: stack.shown(NEWS) == [], "the message is gone")
    # A screen reader tells of changes while she is on the page, too.
    expect(page.locator("#outcome-said")).to_contain_text("회수됨")


def test_the_focus_stays_with_the_notice_when_its_button_is_gone(
    stack: Stack, page: Page, keys: Keyboard
) -> None:
    refusal = {"kind": "status", "status": 403, "code": 50013, "method": "POST"}
    stack.discord.fault(**refusal, path=f"{HOMEWORK}/messages$", times=1)
    stack.discord.fault(kind="hang", method="POST", path=f"{NEWS}/messages$", times=None)
    page.goto(f"{stack.url}/admin/notices/notice/add/")
    page.fill(TITLE, "7주차 모임")
    page.fill(CONTENT, "화요일 20시")
    page.click("[name=_publish]")
    again = page.locator("#send_again")
    expect(again).to_be_visible()
    keys.go_to(again)
    # Somebody else has it tried again meanwhile.
    try_again = (
        "from notices.actions import send_again; from notices.models import Notice; "
        "send_again(Notice.objects.get())"
    )
    stack.manage("shell", "-c", try_again)
    expect(again).to_have_count(0)
    keys.is_at(page.locator("#outcome"))
    stack.discord.clear_faults()
    expect(badge(page, "공지")).to_have_text("게시됨")


def test_the_keyboard_reaches_the_menu_behind_a_button(page: Page, keys: Keyboard) -> None:
    who = page.locator("button[aria-controls=user-links]")
    keys.go_to(who)
    keys.press("Enter")
    dark = page.locator("#user-links").get_by_role("button", name="어둡게")
    expect(dark).to_be_visible()
    keys.go_back_to(dark)
    keys.press("Enter")
    expect(dark).to_have_attribute("aria-pressed", "true")
    expect(page.locator("html.dark")).to_be_visible()
