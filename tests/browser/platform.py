"""A study platform with a page of its own, and what a member does on it."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, Route

from tests.browser.cast import FORBIDDEN, HOMEWORK, NEWS
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess


class Platform(Stack):
    """The processes, a study with three channels, and its key."""

    def __init__(self, folder: Path, discord: FakeDiscordProcess) -> None:
        super().__init__(folder, discord)
        channels = [f"--channel={channel}" for channel in (NEWS, HOMEWORK, FORBIDDEN)]
        study = self.prepare("addstudy", "알고리즘 스터디", *channels)
        self.key = self.prepare("createapikey", "example", "--study", study)
        self.start("web", "qcluster", "runbot")
        wait_for(self.knows_its_channels, "the bot has seen the channels")

    def knows_its_channels(self) -> bool:
        (study,) = self.get("/api/v1/studies/", self.key)["results"]
        return all(channel["can_send"] is not None for channel in study["channels"])

    def posted(self, title: str) -> list[Any]:
        """The notices of this title, however often it was posted."""
        page = self.get("/api/v1/notices/?page_size=100", self.key)
        return [notice for notice in page["results"] if notice["title"] == title]

    def shows(self, channel: str, title: str) -> int:
        return self.shown(channel).count(title)

    def change(self, notice: str, **fields: str) -> None:
        """As somebody else does it meanwhile."""
        status, _told = self.ask("PATCH", f"/api/v1/notices/{notice}/", fields, key=self.key)
        assert status == 200


def write(page: Page, title: str, channels: tuple[str, ...] = (NEWS, HOMEWORK)) -> None:
    page.fill("#title", title)
    page.fill("#content", "화요일 20시")
    for box in page.locator("[name=channel_ids]").all():
        box.set_checked(box.get_attribute("value") in channels)


def submit(page: Page) -> None:
    page.click("[type=submit]")


def post(page: Page, title: str, channels: tuple[str, ...] = (NEWS, HOMEWORK)) -> str:
    """The notice's id, once the page follows it."""
    write(page, title, channels)
    submit(page)
    page.wait_for_url("**/#/notices/*")
    return page.url.rpartition("/")[2]


def state(page: Page, channel: str) -> Locator:
    return page.locator(f"[data-channel='{channel}'] .chip")


def wrong(page: Page, field: str) -> Locator:
    return page.locator(f"#{field}-wrong")


def lose_the_answer(route: Route) -> None:
    """It is done, and nobody hears of it."""
    route.fetch()
    route.abort()
