"""A browser that runs no scripts, and one to which a script did not come."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import ADD, CONTENT, TITLE, Desk, log_in

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(browser: Browser, desk: Desk) -> Iterator[Page]:
    context = browser.new_context(
        java_script_enabled=False, locale="ko-KR", viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(f"{desk.url}{ADD}")
    log_in(page, "minji")
    yield page
    context.close()


def test_a_notice_is_written_and_published_without_scripts(plain: Page) -> None:
    expect(plain.locator(".without-scripts")).to_be_visible()
    # Buttons that would do nothing are not there.
    expect(plain.get_by_role("toolbar")).to_be_hidden()
    expect(plain.locator("#preview")).to_be_hidden()
    plain.fill(TITLE, "스크립트 없이")
    plain.fill(CONTENT, "그래도 게시해요.")
    plain.locator("input[name=channels]").first.check()
    plain.get_by_role("button", name="지금 게시").click()
    expect(plain.locator("#outcome .deliveries > li").first).to_be_visible()
    expect(plain.locator("#outcome noscript a")).to_be_visible()


def test_every_page_of_the_menu_is_reached_without_scripts(plain: Page) -> None:
    plain.locator("#nav-sidebar a[href='/admin/notices/notice/']").click()
    expect(plain.locator("#changelist")).to_be_visible()


def test_a_page_shows_itself_where_the_themes_script_does_not_come(
    browser: Browser, desk: Desk
) -> None:
    context = browser.new_context(locale="ko-KR")
    context.route("**/alpine*.js", lambda route: route.abort())
    page = context.new_page()
    page.goto(f"{desk.url}{ADD}")
    expect(page.locator("#id_username")).to_be_visible()
    log_in(page, "minji")
    expect(page.locator(CONTENT)).to_be_visible()
    context.close()
