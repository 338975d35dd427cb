"""`make icons`: the desk's icon as the pictures that a phone's home screen asks for."""

from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from tests.e2e.databases import ROOT
from tests.services import chromium

STATIC = ROOT / "notices" / "static" / "notices"
COLOUR = "#5865f2"


@dataclass(frozen=True)
class Icon:
    """One that is `whole` fills its square: the phone cuts the corners itself."""

    name: str
    size: int
    whole: bool = False


ICONS = (
    Icon("icon-192", 192),
    Icon("icon-512", 512),
    Icon("icon-whole-180", 180, whole=True),
    Icon("icon-whole-512", 512, whole=True),
)


def draw(icon: Icon, browser: Browser) -> None:
    drawing = (STATIC / "icon.svg").read_text(encoding="utf-8")
    page = browser.new_page(viewport={"width": icon.size, "height": icon.size})
    background = COLOUR if icon.whole else "transparent"
    page.set_content(
        f"<style>body {{ margin: 0; background: {background} }} svg {{ display: block }}</style>"
        + drawing
    )
    page.screenshot(path=STATIC / f"{icon.name}.png", omit_background=not icon.whole)
    page.context.close()


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for icon in ICONS:
            draw(icon, browser)


if __name__ == "__main__":
    main()
