"""The list of notices: a filter that is picked applies at once."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import CONTENT, TITLE, Desk, OpenDesk

pytestmark = pytest.mark.browser

LIST = "/admin/notices/notice/"


@pytest.fixture
def draft(open_desk: OpenDesk) -> Page:
    """Written in a browser whose clock is the study's."""
    page = open_desk(timezone_id="Asia/Seoul")
    page.fill(TITLE, "찾는 초안")
    page.fill(CONTENT, "본문")
    page.click("[name=_draft]")
    page.locator("#outcome").wait_for()
    return page


def asked_for(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_a_filter_applies_at_once_and_a_day_waits_for_the_button(draft: Page, desk: Desk) -> None:
    draft.goto(f"{desk.url}{LIST}")
    with draft.expect_navigation():
        draft.select_option("[name=status]", "failed")
    assert asked_for(draft) == {"status": ["failed"]}
    expect(draft.locator("#result_list .field-title")).to_have_count(0)
    # Figure by figure a day would be asked for in the year 2.
    draft.fill("[name=from]", "2026-01-01")
    with draft.expect_navigation():
        draft.select_option("[name=status]", "draft")
    assert asked_for(draft) == {"status": ["draft"], "from": ["2026-01-01"]}
