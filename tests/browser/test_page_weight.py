"""Each page of the desk brings few bytes to a phone, from production's web."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from tests.browser.desk import log_in
from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

KILOBYTE = 1000
MOST_COLD, MOST_WARM = 150 * KILOBYTE, 15 * KILOBYTE
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "ko-KR",
}
NOTICES = "/admin/notices/notice/"
LOGIN = "/admin/login/"
PAGES = (LOGIN, "/admin/", NOTICES, f"{NOTICES}add/", f"{NOTICES}{{sent}}/change/")
# No use to a leader's pages.
UNUSED = ("jquery", "xregexp", "Inter", "select2")


@dataclass
class Weight:
    """Of what the page has asked the server for: headers and bodies, as they came."""

    requests: list[tuple[str, int]] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        return sum(size for _url, size in self.requests)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    environment = {"DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "k" * 60}
    with FakeDiscordProcess() as discord:
        stack = Stack(tmp_path_factory.mktemp("weight"), discord, **environment)
        stack.start("web")
        yield stack
        stack.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Of a phone that has never been here."""
    context = browser.new_context(**PHONE)
    yield context
    context.close()


def weigh(page: Page, url: str) -> Weight:
    """Load the page anew: what it brings over the line, by the browser's own count."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    urls: dict[str, str] = {}
    weight = Weight()
    session.on(
        "Network.requestWillBeSent",
        lambda one: urls.update({one["requestId"]: one["request"]["url"]}),
    )
    session.on(
        "Network.loadingFinished",
        lambda one: weight.requests.append(
            (urls.get(one["requestId"], ""), int(one["encodedDataLength"]))
        ),
    )
    page.goto(url, wait_until="networkidle")
    session.detach()
    weight.requests = [(url, size) for url, size in weight.requests if size]
    return weight


def come_in(page: Page, stack: Stack, name: str) -> None:
    page.goto(f"{stack.url}{LOGIN}")
    log_in(page, name)
    expect(page.locator("#nav-sidebar")).to_be_attached()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_light_for_a_phone(
    path: str, context: BrowserContext, stack: Stack, numbers: dict[str, Any]
) -> None:
    url = stack.url + path.format(**numbers)
    page = context.new_page()
    if path != LOGIN:
        come_in(page, stack, "minji")
        context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto("about:blank")
    cold = weigh(page, url)
    page.goto("about:blank")
    warm = weigh(page, url)
    assert url in dict(cold.requests)
    assert url in dict(warm.requests)
    # The style sheet alone is larger than this: it must have been counted.
    assert cold.bytes > 30 * KILOBYTE
    assert cold.bytes <= MOST_COLD, sorted(cold.requests, key=lambda one: -one[1])
    assert warm.bytes <= MOST_WARM, warm.requests
    assert not [url for url, _size in cold.requests if any(name in url for name in UNUSED)]
    print(f"{path}: {cold.bytes / KILOBYTE:.1f} KB cold, {warm.bytes / KILOBYTE:.1f} KB warm")


def test_the_browser_may_keep_a_pages_files_for_long(stack: Stack, context: BrowserContext) -> None:
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{stack.url}{LOGIN}", wait_until="networkidle")
    files = [answer for answer in answers if "/static/" in answer.url]
    assert files
    for answer in files:
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"], answer.url


def test_the_pages_where_a_site_admin_picks_rows_have_their_scripts(
    stack: Stack, numbers: dict[str, Any], context: BrowserContext
) -> None:
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    come_in(page, stack, "admin")
    page.goto(f"{stack.url}/admin/notices/study/{numbers['study']}/change/")
    page.locator(".field-channels .select2-selection").click()
    expect(page.locator(".select2-results__option").first).to_be_visible()
    page.keyboard.press("Escape")
    # The pen beside the list opens a row in a window of its own: Django's script for it is there.
    assert page.evaluate("typeof window.dismissAddRelatedObjectPopup") == "function"
    page.goto(f"{stack.url}/admin/notices/apikey/add/")
    expect(page.locator(".select2-selection").first).to_be_visible()
    assert errors == []
