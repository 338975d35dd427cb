"""A refused form opens at its first faulty field, and each error links to its field."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.desk import CONTENT, TITLE, OpenDesk

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def phone(open_desk: OpenDesk) -> Page:
    return open_desk(**PHONE)


def test_on_a_phone_a_schedule_without_a_moment_leads_to_the_moment(phone: Page) -> None:
    phone.fill(TITLE, "8주차 모임")
    phone.fill(CONTENT, "목요일 20시")
    phone.click("[name=_schedule]")
    moment = phone.locator("#id_publish_at")
    expect(moment).to_be_focused()
    expect(moment).to_be_in_viewport()
    expect(phone.locator("#errors a")).to_have_count(1)


def test_a_font_that_comes_late_leaves_the_moment_in_sight(
    phone: Page,
) -> None:
    phone.fill(TITLE, "8주차 모임")
    phone.fill(CONTENT, "목요일 20시")
    held: list[Route] = []
    phone.route("**/*.woff2", lambda route: held.append(route))
    phone.click("[name=_schedule]", no_wait_after=True)
    moment = phone.locator("#id_publish_at")
    expect(moment).to_be_focused()
    assert held
    for route in held:
        route.continue_()
    expect(moment).to_be_in_viewport()


def test_an_error_in_a_folded_part_unfolds_it(phone: Page) -> None:
    phone.fill(TITLE, "8주차 모임")
    phone.fill(CONTENT, "목요일 20시")
    phone.evaluate("document.getElementById('id_url').value = 'no address'")
    phone.click("[name=_draft]")
    expect(phone.locator("#id_url")).to_be_focused()
    expect(phone.locator("#id_url")).to_be_in_viewport()


def test_each_error_stands_on_top_and_leads_to_its_field(phone: Page) -> None:
    phone.fill(TITLE, "가" * 257)
    phone.locator("input[name=channels]").evaluate_all("all => all.forEach(b => b.checked = false)")
    phone.click("[name=_publish]")
    expect(phone.locator(TITLE)).to_be_focused()
    links = phone.locator("#errors a")
    expect(links).to_have_count(3)
    links.filter(has_text="채널").click()
    expect(phone.locator("input[name=channels]").first).to_be_focused()
    expect(phone.locator("input[name=channels]").first).to_be_in_viewport()
    links.filter(has_text="내용").click()
    expect(phone.locator(CONTENT)).to_be_focused()


def test_the_button_for_later_is_the_large_one_once_a_moment_is_filled_in(phone: Page) -> None:
    expect(phone.locator("[name=_publish]")).to_contain_class("main")
    phone.fill("#id_publish_at", "2030-01-01T20:00")
    expect(phone.locator("[name=_schedule]")).to_contain_class("main")
    expect(phone.locator("[name=_publish]")).not_to_contain_class("main")
    phone.fill("#id_publish_at", "")
    expect(phone.locator("[name=_publish]")).to_contain_class("main")
