"""The desk under a thumb: what it is to hit, what it has to see, and how far it has to go."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.desk import CONTENT, TITLE, log_in
from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "ko-KR",
}
NOTICES = "/admin/notices/notice/"
PAGES = (
    "/admin/", NOTICES, f"{NOTICES}add/", f"{NOTICES}{{sent}}/change/",
    f"{NOTICES}{{failed}}/change/", "/admin/notices/study/", "/admin/password_change/",
)  # fmt: skip
# Of what is pressed; a box takes the taps on its label, or around it. A link amid words is as
# high as its line, and what leads through the path above is there a second time, as an arrow.
SMALL = """() => {
  const pressed = "a[href], button, summary, select, textarea, input:not([type=hidden])";
  const area = (one) => {
    const label = one.matches("[type=checkbox], [type=radio]") ? one.closest("label") : null;
    const { width, height, right } = (label ?? one).getBoundingClientRect();
    const around = parseFloat(getComputedStyle(one, "::before").inset) || 0;
    return { width: width - 2 * around, height: height - 2 * around, right };
  };
  const found = [];
  for (const one of document.querySelectorAll(pressed)) {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.closest("h1")) continue;
    if (getComputedStyle(one).display === "inline") continue;
    const { width, height, right } = area(one);
    // Off the screen, as the way past the menu is until it has the focus.
    if (right <= 0 || width <= 1) continue;
    const said = `${one.outerHTML.slice(0, 120)}: ${width} x ${height}`;
    if (Math.min(width, height) < 43.5) found.push(said);
  }
  return found;
}"""
FAINT = """() => {
  const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (css) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = css;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data];
  };
  const light = (part) => {
    const share = part / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = colour(getComputedStyle(one).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const contrast = (one, other) => {
    const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const found = [];
  const fields = "input:not([type=hidden], [type=file]), select, textarea";
  for (const field of document.querySelectorAll(fields)) {
    if (!field.checkVisibility()) continue;
    const name = field.id || field.name;
    const line = colour(getComputedStyle(field).borderTopColor);
    const border = contrast(line, behind(field.parentElement));
    if (border < 3) found.push(`border of ${name}: ${border}`);
    if (!field.placeholder) continue;
    const ink = colour(getComputedStyle(field, "::placeholder").color);
    const words = contrast(ink, behind(field));
    if (words < 4.5) found.push(`placeholder of ${name}: ${words}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with FakeDiscordProcess() as discord:
        stack = Stack(tmp_path_factory.mktemp("phone"), discord)
        stack.start("web")
        yield stack
        stack.close()


def open_desk(
    browser: Browser, stack: Stack, numbers: dict[str, Any], scheme: Any, name: str = "minji"
) -> Page:
    page = browser.new_context(**PHONE, color_scheme=scheme).new_page()
    page.goto(f"{stack.url}/admin/login/")
    log_in(page, name)
    expect(page.locator("#nav-sidebar")).to_be_attached()
    return page


@pytest.fixture(scope="module")
def page(browser: Browser, stack: Stack, numbers: dict[str, Any]) -> Iterator[Page]:
    page = open_desk(browser, stack, numbers, "light")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def dark(browser: Browser, stack: Stack, numbers: dict[str, Any]) -> Iterator[Page]:
    page = open_desk(browser, stack, numbers, "dark")
    yield page
    page.context.close()


def visit(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


@pytest.mark.parametrize("path", PAGES)
def test_every_control_is_large_enough_for_a_thumb(
    path: str, page: Page, stack: Stack, numbers: dict[str, Any]
) -> None:
    visit(page, stack.url + path.format(**numbers))
    assert page.evaluate(SMALL) == []


@pytest.mark.parametrize("scheme", ["page", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_fields_and_their_texts_have_enough_contrast(
    path: str, scheme: str, stack: Stack, numbers: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    page: Page = request.getfixturevalue(scheme)
    visit(page, stack.url + path.format(**numbers))
    assert page.evaluate(FAINT) == []


LISTS = (NOTICES, "/admin/notices/study/", "/admin/notices/channel/")
CUT = """() => [...document.querySelectorAll("#result_list :is(td, th)")]
  .filter((cell) => cell.checkVisibility() && cell.scrollHeight > cell.clientHeight + 1)
  .map((cell) => cell.textContent.trim())"""


@pytest.mark.parametrize("path", LISTS)
def test_nothing_in_a_list_is_cut_off(path: str, page: Page, stack: Stack, numbers: Any) -> None:
    visit(page, stack.url + path)
    expect(page.locator("#result_list .data-row").first).to_be_visible()
    assert page.evaluate(CUT) == []


def test_a_key_that_is_shown_once_is_shown_whole(
    browser: Browser, stack: Stack, numbers: dict[str, Any]
) -> None:
    """It is as long as three lines, with no place to break them."""
    page = open_desk(browser, stack, numbers, "light", "admin")
    page.goto(f"{stack.url}/admin/notices/apikey/add/")
    page.fill("#id_name", "홈페이지")
    page.check("#id_all_studies")
    page.locator("[name=_save]").click()
    expect(page.get_by_text("다시 보여 드리지 않으니")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= 360")
    page.context.close()


def test_the_login_page_fits_a_thumb_too(browser: Browser, stack: Stack) -> None:
    page = browser.new_context(**PHONE).new_page()
    visit(page, f"{stack.url}/admin/login/")
    assert page.evaluate(SMALL) == []
    assert page.evaluate(FAINT) == []
    page.context.close()


def test_a_long_text_leaves_the_channels_within_reach(
    page: Page, stack: Stack, numbers: dict[str, Any]
) -> None:
    """The text area and the preview scroll each in its own frame."""
    visit(page, f"{stack.url}{NOTICES}add/")
    page.fill(TITLE, "긴 공지")
    before = page.evaluate("document.documentElement.scrollHeight")
    page.fill(CONTENT, "이번 주에 함께 읽을 것들을 적어요.\n" * 150)
    expect(page.locator("#preview")).to_contain_text("/")
    page.locator("#preview").scroll_into_view_if_needed()
    expect(page.locator("#preview-message .message")).to_be_visible()
    page.wait_for_function("!document.querySelector('#preview-message').ariaBusy")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height - before < 800
    assert height < 4500
    preview = page.locator("#preview")
    assert preview.evaluate("one => one.scrollHeight > one.clientHeight")
    assert preview.evaluate("one => one.clientHeight <= innerHeight * 0.61")
    page.once("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
