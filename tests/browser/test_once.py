"""Two clicks on a slow network, or Back and one more: there is one notice, and she is led to it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import ADD, CONTENT, TITLE, Desk, OpenDesk, open_all

pytestmark = pytest.mark.browser

PUBLISH, DRAFT = "[name=_publish]", "[name=_draft]"
LATENCY_MS = 400


def write(form: Page, title: str) -> None:
    form.fill(TITLE, title)
    form.fill(CONTENT, "목요일 20시")


def rows(form: Page, desk: Desk, title: str) -> int:
    form.goto(f"{desk.url}/admin/notices/notice/?q={title}")
    return form.locator("#result_list .field-title").count()


def test_two_clicks_on_a_slow_network_publish_one_notice(form: Page, desk: Desk) -> None:
    write(form, "slow-network")
    session = form.context.new_cdp_session(form)
    session.send("Network.enable")
    slow = {"latency": LATENCY_MS, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    # As a finger does: both clicks are done before the first answer is there.
    form.dblclick(PUBLISH, delay=10, no_wait_after=True)
    # The second click ends the first's navigation, of which `wait_for_url` would make an error.
    expect(form).to_have_url(re.compile("/change/$"))
    expect(form.locator(TITLE)).to_have_value("slow-network")
    assert rows(form, desk, "slow-network") == 1


def test_after_back_the_page_shows_what_she_wrote_and_publishes_it_no_second_time(
    form: Page, desk: Desk
) -> None:
    write(form, "and-back")
    form.click(PUBLISH)
    form.wait_for_url("**/change/")
    there = form.url
    form.go_back()
    expect(form.locator(TITLE)).to_have_value("and-back")
    expect(form.locator("#id_title_counter")).to_contain_text(" 8 /")
    expect(form.locator("#preview-message .embed-title")).to_have_text("and-back")
    form.click(PUBLISH)
    form.wait_for_url("**/change/")
    assert form.url == there
    assert rows(form, desk, "and-back") == 1


def test_her_changes_after_back_are_offered_on_the_notices_page(form: Page, desk: Desk) -> None:
    write(form, "first-words")
    form.click(DRAFT)
    form.wait_for_url("**/change/")
    form.go_back()
    expect(form.locator(TITLE)).to_have_value("first-words")
    form.fill(TITLE, "better-words")
    form.click(DRAFT)
    form.wait_for_url("**/change/")
    expect(form.locator(TITLE)).to_have_value("first-words")
    expect(form.locator("#unsaved")).to_contain_text("better-words")
    form.click("[data-do=restore]")
    expect(form.locator(TITLE)).to_have_value("better-words")


def test_without_scripts_back_publishes_no_second_time(open_desk: OpenDesk, desk: Desk) -> None:
    form = open_desk(java_script_enabled=False)
    form.wait_for_url("**/add/?writing=*")
    write(form, "no-scripts")
    form.click(PUBLISH)
    form.wait_for_url("**/change/")
    there = form.url
    form.go_back()
    expect(form.locator(TITLE)).to_have_value("no-scripts")
    form.click(PUBLISH)
    form.wait_for_url("**/change/")
    assert form.url == there
    assert rows(form, desk, "no-scripts") == 1


def test_a_page_that_is_opened_anew_writes_another(form: Page, desk: Desk) -> None:
    for _notice in range(2):
        form.goto(f"{desk.url}{ADD}")
        write(form, "two-of-them")
        open_all(form)
        form.click(PUBLISH)
        form.wait_for_url("**/change/")
    assert rows(form, desk, "two-of-them") == 2
