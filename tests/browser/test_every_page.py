"""Every page: for eyes and screen readers, in light and dark, for a phone, and in one language."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.desk import CLIENT, CLIENT_ARGUMENTS, log_in
from tests.browser.every_page import API, NOBODY, PLACES, Place
from tests.browser.policy import note_violations
from tests.browser.theme import LEAVINGS, Leaving
from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
# With the size of what is touched, which axe-core leaves out unless it is asked for (WCAG 2.2 AA).
EVERY_RULE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
AXE = Axe()
Finding = tuple[str, str, str]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """As in production, where what is not found has a page. No bot: nothing moves."""
    environment = {
        "DEBUG": "0", "ALLOWED_HOSTS": "127.0.0.1", "SECRET_KEY": "k" * 60,
        "EMAIL_URL": "smtp://127.0.0.1:9", "EMAIL_FROM": "notices@example.org",
    }  # fmt: skip
    with FakeDiscordProcess(*CLIENT_ARGUMENTS) as discord:
        environment |= {**CLIENT, "DISCORD_OAUTH_URL": discord.url}
        stack = Stack(tmp_path_factory.mktemp("pages"), discord, **environment)
        stack.start("web")
        yield stack
        stack.close()


@pytest.fixture(scope="module")
def pages(browser: Browser, stack: Stack, numbers: dict[str, Any]) -> Iterator[dict[str, Page]]:
    """By who has logged in there."""
    opened = {}
    for who in {place.who for place in PLACES}:
        page = opened[who] = browser.new_context(locale="ko-KR").new_page()
        page.set_default_timeout(15_000)
        page.on("dialog", lambda dialog: dialog.accept())
        if who != NOBODY:
            page.goto(f"{stack.url}/admin/login/")
            log_in(page, who)
            page.locator("#nav-sidebar").wait_for(state="attached")
    yield opened
    for page in opened.values():
        page.context.close()


@pytest.fixture(scope="module")
def forbidden(pages: dict[str, Page]) -> dict[str, list[str]]:
    """Return the violations of the pages' policy, by the account that was logged in."""
    return {who: note_violations(page) for who, page in pages.items()}


@pytest.fixture(scope="module")
def seen() -> set[Place]:
    return set()


@pytest.fixture(scope="module")
def used() -> set[Leaving]:
    return set()


def look(page: Page, scheme: Any, size: Any) -> None:
    """Unfold looks at the system's colours once, when it is loaded."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.evaluate(
        "isDark => document.documentElement.matches('[x-data]')"
        " && document.documentElement.classList.toggle('dark', isDark)",
        scheme == "dark",
    )


def open_place(page: Page, place: Place, stack: Stack, numbers: dict[str, Any]) -> None:
    look(page, "light", DESKTOP)
    page.goto(stack.url + place.path.format(**numbers))
    page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    if place.steps:
        place.steps(page)
        page.wait_for_function("!document.documentElement.hasAttribute('x-cloak')")
    # A colour on its way to another is neither.
    page.add_style_tag(content="* { transition: none !important; animation: none !important }")


def violations(page: Page, used: set[Leaving]) -> list[Finding]:
    """Return the findings of axe-core, without those of the theme."""
    found = [
        (rule["id"], target(node), node["html"][:200])
        for rule in AXE.run(page, options=EVERY_RULE).response["violations"]
        for node in rule["nodes"]
    ]
    return [finding for finding in found if not is_left(page, finding, used)]


def target(node: dict[str, Any]) -> str:
    """Of what stands in a shadow tree, the tree's host."""
    first = node["target"][0]
    return str(first if isinstance(first, str) else first[0])


def is_left(page: Page, finding: Finding, used: set[Leaving]) -> bool:
    rule, selector, _html = finding
    for leaving in LEAVINGS:
        stands_in = "([one, other]) => !!document.querySelector(one)?.closest(other)"
        if leaving.rule == rule and page.evaluate(stands_in, [selector, leaving.selector]):
            used.add(leaving)
            return True
    return False


# A font draws an icon as one square; one that it lacks is a word, and wide.
SPELT_ICONS = """() => {
  const found = [];
  for (const icon of document.querySelectorAll(".material-symbols-outlined")) {
    if (!icon.checkVisibility({ visibilityProperty: true })) continue;
    const text = document.createRange();
    text.selectNodeContents(icon);
    const size = parseFloat(getComputedStyle(icon).fontSize);
    if (text.getBoundingClientRect().width > 1.5 * size) found.push(icon.textContent.trim());
  }
  return found;
}"""


def width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_page_is_good_to_use(
    place: Place,
    stack: Stack,
    pages: dict[str, Page],
    numbers: dict[str, Any],
    used: set[Leaving],
    seen: set[Place],
    forbidden: dict[str, list[str]],
    subtests: pytest.Subtests,
) -> None:
    page = pages[place.who]
    forbidden[place.who].clear()
    open_place(page, place, stack, numbers)
    seen.add(place)
    with subtests.test("nothing that its Content-Security-Policy forbids"):
        assert forbidden[place.who] == []
    with subtests.test("axe-core, light, on a desktop"):
        assert violations(page, used) == []
    with subtests.test("Korean"):
        assert place.path.startswith(IN_ENGLISH) or strange_words(page) == set()
    with subtests.test("icons are pictures"):
        page.evaluate("document.fonts.ready.then(() => null)")
        assert page.evaluate(SPELT_ICONS) == []
    look(page, "dark", PHONE)
    with subtests.test("axe-core, dark, on a phone"):
        assert violations(page, used) == []
    with subtests.test("no wider than the phone"):
        assert width(page) <= PHONE["width"]


def test_each_listed_exception_is_used(used: set[Leaving], seen: set[Place]) -> None:
    if len(seen) < len(PLACES):
        pytest.skip("not every page was looked at")
    assert set(LEAVINGS) - used == set()


# --- words -------------------------------------------------------------------------------------

TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const skipped = ".material-symbols-outlined, script, style, noscript, code, pre, textarea";
  const texts = [document.title];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const isSeen = element.checkVisibility() || element.matches("option");
    if (isSeen && !element.closest(skipped)) texts.push(walker.currentNode.data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "data-label"])
    for (const element of document.querySelectorAll(`[${name}]:not(.simplebar-content-wrapper)`))
      texts.push(element.getAttribute(name));
  return texts.map((text) => text.trim()).filter(Boolean);
}"""
# The API's description is for those who program; django-q2 says nothing in Korean, and its pages
# are for whoever looks after the server. Of unfold's bars to scroll by nobody translates the name.
IN_ENGLISH = (API, "/admin/django_q/")
# Names, and what is no word.
NAMES = (
    "Discord", "API", "ID", "Asia", "Seoul", "Ctrl", "BOT_TOKEN", "Bot", "Reset Token",
    "@everyone", "@here", "ms", ".env", "XXXXXXXXXX", "English", "en", "ko",
    "CSV", "PNG", "JPEG", "GIF", "WebP", "MB",
)  # fmt: skip
# Texts of people and programs, and names for programs.
DATA = (
    r"https?://\S+|msg_\w+|notice\.\w+|minji|admin|bot-1|a{9,}|x{9,}"
    r"|Missing Permissions|HTTPSConn.*"
    # Django's own title of an entry of its log repeats what was kept there.
    r"|— Sent again\."
    # A password as Django keeps it, and its calendar's note about the server's clock.
    r"|pbkdf2_sha256|\S{6}\*+|Note: 서버 시간보다 .*"
)
FORMAL = r"니다\b|십시오"


def strange_words(page: Page) -> set[str]:
    """Left in English, or said stiffly."""
    names = "|".join(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])" for name in NAMES)
    known = re.compile(f"{DATA}|{names}", re.IGNORECASE)
    strange = re.compile(f"[A-Za-z]{{2}}|{FORMAL}")
    return {text for text in page.evaluate(TEXTS) if strange.search(known.sub("", text))}
