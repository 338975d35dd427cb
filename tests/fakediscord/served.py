"""A test against its own fakediscord: one loop, a bare HTTP client, what can be asked of both."""

import asyncio
import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from fakediscord.server import FakeDiscord
from fakediscord.settings import Settings
from tests.fakediscord.cast import APPLICATION, TALK

TEST_SECONDS = 40.0
WAIT_SECONDS = 10.0
SECRET = "an-applications-secret"
UNLIMITED = dict.fromkeys(("global_rate", "bucket_limit", "other_limit", "crosspost_limit"))


class Answer(NamedTuple):
    status: int
    data: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> int:
        """Discord's own."""
        code: int = self.data["code"]
        return code


class Served:
    """The server (`fake`) with a bare client, `api` as the bot and `order` as the test."""

    def __init__(self, fake: FakeDiscord, session: aiohttp.ClientSession) -> None:
        self.fake = fake
        self.session = session

    async def api(self, method: str, path: str, data: Any = None, **more: Any) -> Answer:
        headers = {"Authorization": "Bot token", **more.pop("headers", {})}
        url = self.fake.api_url + path
        async with self.session.request(method, url, json=data, headers=headers, **more) as got:
            text = await got.text()
            is_json = got.headers.get("Content-Type") == "application/json"
            return Answer(got.status, json.loads(text) if is_json else text, got.headers)

    async def order(self, method: str, path: str, data: Any = None, **more: Any) -> Answer:
        url = self.fake.url + path
        async with self.session.request(method, url, json=data, **more) as got:
            text = await got.text()
            is_json = got.headers.get("Content-Type") == "application/json"
            return Answer(got.status, json.loads(text) if is_json else text, got.headers)

    async def create(self, channel_id: str = TALK, **payload: Any) -> Answer:
        payload = payload or {"content": "안녕하세요"}
        return await self.api("POST", f"/channels/{channel_id}/messages", payload)

    async def settings(self, **changes: Any) -> None:
        answer = await self.order("PATCH", "/_fake/settings", changes)
        assert answer.status == 200, answer.data

    async def fault(self, **order: Any) -> int:
        answer = await self.order("POST", "/_fake/faults", order)
        assert answer.status == 200, answer.data
        fault_id: int = answer.data["id"]
        return fault_id

    async def requests(self) -> list[dict[str, Any]]:
        answer = await self.order("GET", "/_fake/requests")
        found: list[dict[str, Any]] = answer.data
        return found

    async def shown(self, channel_id: str = TALK) -> list[dict[str, Any]]:
        """The channel's messages, oldest first."""
        answer = await self.order("GET", f"/_fake/state?channel_id={channel_id}")
        found: list[dict[str, Any]] = answer.data["messages"][channel_id]
        return found


ServedTest = Callable[[Served], Awaitable[None]]


def served(test: ServedTest) -> Callable[[Path], None]:
    """Runs the test with a server of its own, whose limits are lifted."""
    return _run(test, UNLIMITED)


def limited(test: ServedTest) -> Callable[[Path], None]:
    """Runs the test with a server of its own, under Discord's limits."""
    return _run(test, {})


def _run(test: ServedTest, changes: dict[str, Any]) -> Callable[[Path], None]:
    async def run(layout: Path) -> None:
        settings = Settings()
        settings.change(changes)
        async with (
            asyncio.timeout(TEST_SECONDS),
            FakeDiscord(layout=layout, settings=settings, clients={APPLICATION: SECRET}) as fake,
            aiohttp.ClientSession() as session,
        ):
            await test(Served(fake, session))

    @functools.wraps(test, updated=())
    def run_test(layout: Path) -> None:
        asyncio.run(run(layout))

    del run_test.__wrapped__  # pytest would look for fixtures there
    return run_test


async def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """The first true thing that `condition` returns."""
    async with asyncio.timeout(seconds):
        while not (found := condition()):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.005)
        return found
