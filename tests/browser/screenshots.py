"""`make screenshots`: what docs/screenshots shows, taken of the demo and its real processes."""

import base64
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.e2e.databases import ROOT
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess
from tests.services import chromium

OUT = ROOT / "docs" / "screenshots"
QUALITY = 82
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "phone": {"viewport": {"width": 360, "height": 720}, "device_scale_factor": 2},
}
NEWS, HOMEWORK, READING = "1180000000000000110", "1180000000000000111", "1180000000000000210"
FRONT, NOTICES = "/admin/", "/admin/notices/notice/"
TITLE = "8주차 모임 안내"
TEXT = (
    "이번 주에는 **동적 계획법**을 함께 풀어요.\n\n"
    "- 목요일 저녁 8시, 음성 채널\n- 교재 10장 미리 읽기\n- 발표: 서연 님\n\n"
    "> 늦으실 것 같으면 여기에 남겨 주세요."
)
Steps = Callable[[Page], object]


def _write(page: Page) -> None:
    page.fill("#id_title", TITLE)
    page.fill("#id_content", TEXT)
    page.select_option("#id_ping", "role")
    page.locator("#reach strong").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def _scroll_to_the_preview(page: Page) -> None:
    _write(page)
    page.locator("#preview").evaluate("one => one.scrollIntoView({ block: 'center' })")


def _open_the_failed(page: Page) -> None:
    page.locator("a", has=page.get_by_text("다음 달 일정 정하기", exact=True)).first.click()
    page.locator("#outcome .badge-failed").first.wait_for()


def _open_the_first(page: Page) -> None:
    page.get_by_role("link", name="7주차 모임: 다익스트라와 최단 경로").first.click()
    page.locator("#outcome .badge-sent").first.wait_for()


def _withdraw(page: Page) -> None:
    _open_the_first(page)
    page.locator("#withdraw").click()
    page.locator(".withdrawal").wait_for()


@dataclass(frozen=True)
class Picture:
    name: str
    size: str
    language: str
    path: str
    steps: Steps | None = None
    scheme: Any = "light"
    who: str = "minji"

    @property
    def file(self) -> str:
        dark = "-dark" if self.scheme == "dark" else ""
        return f"{self.name}-{self.size}-{self.language}{dark}.webp"


PICTURES = (
    *(
        Picture(name, size, language, path, steps)
        for language in ("ko", "en")
        for name, size, path, steps in (
            ("front", "phone", FRONT, None),
            ("writing", "desktop", f"{NOTICES}add/", _write),
            ("writing", "phone", f"{NOTICES}add/", _scroll_to_the_preview),
            ("outcome", "phone", FRONT, _open_the_failed),
            ("list", "phone", NOTICES, None),
            ("notices", "desktop", NOTICES, None),
        )
    ),
    Picture("writing", "desktop", "ko", f"{NOTICES}add/", _write, "dark"),
    Picture("outcome", "desktop", "ko", NOTICES, _open_the_first, "dark"),
    Picture("withdrawing", "phone", "ko", NOTICES, _withdraw),
    Picture("setup", "desktop", "en", "/admin/setup/", who="admin"),
)


def passwords() -> dict[str, str]:
    from demo.saved_logins import SavedLogins

    return SavedLogins.read_or_make(ROOT / "var" / "demo.json").passwords


def take(picture: Picture, browser: Browser, stack: Stack) -> None:
    context = browser.new_context(
        locale={"ko": "ko-KR", "en": "en-US"}[picture.language],
        color_scheme=picture.scheme,
        **SIZES[picture.size],
    )
    page = context.new_page()
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", picture.who)
    page.fill("#id_password", passwords()[picture.who])
    page.click("[type=submit]")
    page.locator(".front").wait_for()
    page.goto(stack.url + picture.path)
    if picture.steps:
        picture.steps(page)
    page.wait_for_load_state("networkidle")
    shot(page, picture.file)
    context.close()


def shot(page: Page, file: str) -> None:
    """As WebP, which Playwright itself does not offer."""
    session = page.context.new_cdp_session(page)
    seen = page.evaluate("({ x: scrollX, y: scrollY, scale: devicePixelRatio })")
    clip = {**seen, **(page.viewport_size or {})}
    taken = session.send(
        "Page.captureScreenshot", {"format": "webp", "quality": QUALITY, "clip": clip}
    )
    (OUT / file).write_bytes(base64.b64decode(taken["data"]))


def take_the_channel(browser: Browser, stack: Stack) -> None:
    """Show the channel as the people of the study see it."""
    page = browser.new_page(locale="ko-KR", **SIZES["desktop"])
    page.goto(f"{stack.discord.url}/#/1180000000000000100/{NEWS}")
    page.locator("#messages .embed").first.wait_for()
    shot(page, "channel-desktop-ko.webp")
    page.context.close()


def launch(playwright: Playwright, language: str) -> Browser:
    """In its own language, which is that of the boxes for a moment."""
    return playwright.chromium.launch(
        executable_path=chromium(),
        args=[*CHROMIUM_ARGUMENTS, f"--lang={language}"],
        env={**os.environ, "LANGUAGE": language},
    )


def take_all(stack: Stack) -> None:
    with sync_playwright() as playwright:
        for language in ("ko", "en"):
            browser = launch(playwright, language)
            for picture in PICTURES:
                if picture.language == language:
                    take(picture, browser, stack)
            if language == "ko":
                take_the_channel(browser, stack)
            browser.close()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
    django.setup()
    OUT.mkdir(exist_ok=True)
    layout = ("--layout", str(ROOT / "demo" / "layout.json"), "--no-limits")
    with tempfile.TemporaryDirectory() as folder, FakeDiscordProcess(*layout) as discord:
        stack = Stack(Path(folder), discord, LARGE_PING="50")
        stack.manage("demo")
        stack.start("web", "qcluster", "runbot")
        try:
            wait_for(
                lambda: len(stack.shown(HOMEWORK)) == 2 and stack.shown(READING), "all is sent"
            )
            take_all(stack)
        finally:
            stack.close()


if __name__ == "__main__":
    main()
