"""A site admin is led from a bot that nobody knows yet to its first message, on her phone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cast import BOT, FORBIDDEN, GUILD, NEWS
from tests.e2e.stack import PATIENCE_SECONDS, Stack
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PATIENCE_MS = PATIENCE_SECONDS * 1000
PASSWORD = "a-site-admins-password"
MAKE_ADMIN = (
    "from django.contrib.auth.models import User; "
    f"User.objects.create_superuser('admin', password='{PASSWORD}')"
)


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord)
    stack.prepare("shell", "-c", MAKE_ADMIN)
    stack.start("web", "qcluster")
    yield stack
    stack.close()


@pytest.fixture
def phone(browser: Browser, stack: Stack) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="en-US", color_scheme="dark"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    yield page
    context.close()


def send_test(phone: Page, channel: str) -> None:
    option = phone.locator("#id_where option", has_text=channel)
    phone.select_option("#id_where", value=option.get_attribute("value"))
    phone.get_by_role("button", name="Send a test message").click()


def test_a_site_admin_gets_from_no_bot_to_the_first_message(stack: Stack, phone: Page) -> None:
    phone.get_by_role("link", name="Set up the bot").click()
    expect(phone.get_by_text("No bot is running.")).to_be_visible()

    stack.start("runbot")
    invite = phone.get_by_role("link", name="Invite the bot")
    boxes = phone.get_by_role("checkbox")
    while not (invite.count() and boxes.count()):
        phone.reload()
    link = invite.get_attribute("href") or ""
    assert parse_qs(urlsplit(link).query)["client_id"] == [BOT]

    phone.get_by_label("name of the new study").fill("알고리즘 스터디")
    for channel in (NEWS, FORBIDDEN):
        phone.locator(f"input[value='{channel}']").check()
    phone.get_by_role("button", name="Connect").click()

    discord = phone.context.new_page()
    discord.goto(f"{stack.discord.url}/#/{GUILD}/{NEWS}")
    send_test(phone, "#공지")
    expect(discord.locator("#messages .embed-title")).to_have_count(1, timeout=PATIENCE_MS)
    # The page tells her by itself, without being loaded anew.
    expect(phone.get_by_text("It works")).to_be_visible(timeout=PATIENCE_MS)

    send_test(phone, "#운영")
    why = phone.locator("strong", has_text="The bot may not write in #운영")
    expect(why).to_be_visible(timeout=PATIENCE_MS)


@pytest.mark.parametrize("path", ["", "setup/", "notices/notice/"])
def test_no_page_is_wider_than_the_phone_and_each_field_has_a_name(
    stack: Stack, phone: Page, path: str
) -> None:
    phone.goto(f"{stack.url}/admin/{path}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    expect(phone.get_by_role("heading", level=1)).to_have_count(1)
    unnamed = "input:not([type=hidden]):not([aria-label]), select:not([aria-label]), textarea"
    for field in phone.locator("#content").locator(unnamed).all():
        assert field.evaluate("one => one.labels.length") > 0
    for button in phone.get_by_role("button").all():
        assert (button.get_attribute("aria-label") or button.inner_text()).strip()


def test_the_menu_opens_by_the_keyboard(stack: Stack, phone: Page) -> None:
    phone.get_by_role("button", name="Menu").focus()
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("link", name="Setting up")).to_be_visible()
    phone.keyboard.press("Escape")
    expect(phone.get_by_role("link", name="Setting up")).to_be_hidden()
