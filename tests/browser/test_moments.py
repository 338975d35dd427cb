"""A moment as she reads it: in one form, with the study's zone only where her own clock differs."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import CONTENT, TITLE, Desk, OpenDesk

pytestmark = pytest.mark.browser

FRONT, LIST = "/admin/", "/admin/notices/notice/"
WITH_SECONDS = re.compile(r"\d:\d\d:\d\d")


def schedule(form: Page) -> None:
    form.fill(TITLE, "8주차 모임")
    form.fill(CONTENT, "목요일이에요.")
    form.fill("#id_publish_at", "2030-01-01T20:00")
    form.click("[name=_schedule]")
    form.locator("#outcome").wait_for()


@pytest.mark.parametrize(("zone", "is_told"), [("Asia/Seoul", False), ("America/New_York", True)])
def test_the_studys_time_zone_is_shown_to_a_reader_in_another_one(
    open_desk: OpenDesk, desk: Desk, zone: str, is_told: bool
) -> None:
    form = open_desk(timezone_id=zone)
    expect(form.locator(".field-publish_at [data-clock]")).to_be_visible(visible=is_told)
    schedule(form)
    said = form.locator("body").get_by_text("2030년 1월 1일 (화) 오후 8:00").first
    expect(said).to_be_visible()
    expect(form.get_by_text("(Asia/Seoul)").first).to_be_visible(visible=is_told)
    form.goto(f"{desk.url}{FRONT}")
    expect(form.get_by_text("(Asia/Seoul)").first).to_be_visible(visible=is_told)


@pytest.mark.parametrize("path", [FRONT, LIST])
def test_no_list_of_notices_tells_seconds(open_desk: OpenDesk, desk: Desk, path: str) -> None:
    form = open_desk()
    schedule(form)
    form.goto(f"{desk.url}{path}")
    shown = form.locator("#content")
    expect(shown).to_contain_text("2030년 1월 1일 (화) 오후 8:00")
    assert WITH_SECONDS.findall(shown.inner_text()) == []
