"""The preview shows the text with the line in which she says what changed."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import CONTENT, TITLE

pytestmark = pytest.mark.browser


def test_the_preview_shows_the_line_first_and_the_save_keeps_it(form: Page) -> None:
    form.fill(TITLE, "8주차 모임")
    form.fill(CONTENT, "목요일 9시예요.")
    form.click("[name=_publish]")
    form.locator("#outcome").wait_for()
    form.fill("#id_change", "8시 → 9시")
    said = form.locator("#preview-message .embed-description")
    expect(said).to_have_text("변경: 8시 → 9시\n\n목요일 9시예요.", use_inner_text=True)
    form.click("[name=_save]")
    expect(form.locator(CONTENT)).to_have_value("변경: 8시 → 9시\n\n목요일 9시예요.")
    expect(form.locator("#id_change")).to_have_value("")
    expect(said).to_have_text("변경: 8시 → 9시\n\n목요일 9시예요.", use_inner_text=True)
