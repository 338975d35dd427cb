"""A leader logs in by her Discord account on a phone, and links it there first."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import CLIENT, CLIENT_ARGUMENTS, Desk, log_in
from tests.browser.policy import note_violations
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "ko-KR",
}
JIWOO = "jiwoo.kim"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with FakeDiscordProcess("--no-limits", *CLIENT_ARGUMENTS) as discord:
        by_discord = {**CLIENT, "DISCORD_OAUTH_URL": discord.url}
        desk = Desk(tmp_path_factory.mktemp("desk"), discord, **by_discord)
        yield desk
        desk.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.set_default_timeout(10_000)
    violations = note_violations(page)
    yield page
    assert violations == []
    context.close()


def is_too_wide(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def press_discord(page: Page, desk: Desk, next_page: str = "/admin/") -> None:
    page.goto(f"{desk.url}/admin/login/?next={next_page}")
    assert not is_too_wide(page)
    page.get_by_role("button", name="Discord로 로그인").tap()
    expect(page.get_by_role("heading", name="스터디봇")).to_be_visible()
    assert not is_too_wide(page)


def test_she_links_her_account_and_logs_in_by_it(phone: Page, desk: Desk) -> None:
    phone.goto(f"{desk.url}/admin/discord/")
    log_in(phone, "minji")
    phone.fill("#id_password", "a-leaders-password")
    phone.get_by_role("button", name="Discord 계정 연결").tap()
    phone.get_by_role("button", name=JIWOO).tap()
    expect(phone.get_by_text("Discord 계정을 연결했어요.")).to_be_visible()
    expect(phone.get_by_text(JIWOO)).to_be_visible()
    assert not is_too_wide(phone)
    phone.context.clear_cookies()
    press_discord(phone, desk, "/admin/notices/notice/add/")
    phone.get_by_role("button", name=JIWOO).tap()
    expect(phone.locator("#id_content")).to_be_visible()
    assert phone.url == f"{desk.url}/admin/notices/notice/add/"


def test_who_was_not_invited_reads_why_and_finds_back(phone: Page, desk: Desk) -> None:
    press_discord(phone, desk)
    phone.get_by_role("button", name="haneul_").tap()
    expect(phone.get_by_role("heading", name="초대받지 않은 Discord 계정이에요")).to_be_visible()
    assert not is_too_wide(phone)
    phone.get_by_role("link", name="로그인으로").tap()
    expect(phone.locator("#id_username")).to_be_visible()


def test_who_is_invited_comes_in_without_a_password(phone: Page, desk: Desk) -> None:
    invite = (
        "from notices.models import Study; from notices.people import invitations; "
        "print(invitations.make(Study.objects.get(), 'writer', None)[1])"
    )
    secret = desk.manage("shell", "-v0", "-c", invite).splitlines()[-1]
    phone.goto(f"{desk.url}/invitation/{secret}/")
    phone.get_by_role("button", name="Discord").tap()
    phone.get_by_role("button", name="haneul_").tap()
    expect(phone.get_by_role("link", name="공지 쓰기")).to_be_visible()
    assert phone.url == f"{desk.url}/admin/"
    assert not is_too_wide(phone)
