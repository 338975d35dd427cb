"""A browser that looks at a fakediscord of its own, and at the leaders' desk."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.cast import GUILD, LAYOUT, NEWS, Bot, OpenPage
from tests.browser.desk import ADD, Desk, OpenDesk, log_in
from tests.browser.policy import note_violations
from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess
from tests.services import chromium

CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
CHROMIUM_ARGUMENTS += ["--disable-background-networking", "--disable-component-update"]
CHROMIUM_ARGUMENTS += ["--disable-sync"]


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    """Of a server with the cast above, which knows after a restart what it knew before."""
    layout = tmp_path / "layout.json"
    layout.write_text(json.dumps(LAYOUT), encoding="utf-8")
    return ["--layout", str(layout), "--state", str(tmp_path / "state.json"), "--no-limits"]


@pytest.fixture
def discord(arguments: list[str]) -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess(*arguments) as process:
        yield process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_ARGUMENTS)


@pytest.fixture
def open_page(browser: Browser, discord: FakeDiscordProcess) -> Iterator[OpenPage]:
    """Opens the page at a hash, once its channels are there; its errors fail the test."""
    errors: list[str] = []
    violations: list[list[str]] = []
    contexts = []

    def open_at(address: str = f"#/{GUILD}/{NEWS}", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "ko-KR", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        violations.append(note_violations(page))
        page.goto(f"{discord.url}/{address}")
        expect(page.locator("[data-channel-id]").first).to_be_attached()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert errors == []
    assert not any(violations), violations


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page()


@pytest.fixture
def bot(page: Page, discord: FakeDiscordProcess) -> Bot:
    return Bot(page.request, discord.api_url)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The tests of a file share it, so each asks for its own notices."""
    with FakeDiscordProcess("--no-limits") as discord:
        desk = Desk(tmp_path_factory.mktemp("desk"), discord)
        yield desk
        desk.close()


@pytest.fixture(scope="module")
def numbers(stack: Stack) -> dict[str, Any]:
    """Of what is laid out for a file's own `stack`, by what the paths of its places call it."""
    lay_out = "from tests.browser.rows import lay_out; lay_out()"
    found: dict[str, Any] = json.loads(stack.prepare("shell", "-v0", "-c", lay_out))
    return found


@pytest.fixture
def open_desk(browser: Browser, desk: Desk) -> Iterator[OpenDesk]:
    """Opens the form of a new notice, logged in; the page's errors fail the test."""
    errors: list[str] = []
    violations: list[list[str]] = []
    contexts = []

    def open_at(name: str = "minji", **options: Any) -> Page:
        context = browser.new_context(**{"locale": "ko-KR", **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        violations.append(note_violations(page))
        page.goto(f"{desk.url}{ADD}")
        log_in(page, name)
        expect(page.locator("#id_content")).to_be_visible()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert errors == []
    assert not any(violations), violations


@pytest.fixture
def form(open_desk: OpenDesk) -> Page:
    return open_desk()
