"""Collects what a page's Content-Security-Policy forbade."""

from playwright.sync_api import ConsoleMessage, Page


def is_violation(said: ConsoleMessage) -> bool:
    return "Content Security Policy" in said.text


def note_violations(page: Page) -> list[str]:
    """A list that fills as the page and those after it are used. Chromium tells its console."""
    found: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if is_violation(said):
            found.append(said.text)

    page.on("console", note)
    return found
