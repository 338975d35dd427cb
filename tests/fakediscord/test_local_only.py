"""No page and no host name of another site reaches it by a browser of this machine."""

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError

from tests.fakediscord.cast import TALK
from tests.fakediscord.served import Served, served

MINE = (
    "127.0.0.1",
    "127.0.0.1:{port}",
    "localhost:{port}",
    "LOCALHOST",
    "[::1]:{port}",
    "127.1.2.3",
)
ELSEWHERE = (
    "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.0.1",
    "0.0.0.0:{port}", "2130706433", "169.254.169.254", "[::2]", "[", "evil.example@evil.example",
)  # fmt: skip
PATHS = (
    "/", f"/channels/1/{TALK}", "/static/main.js", "/_page/events", "/_fake/state", "/gateway",
    "/api/v10/gateway", "/api/v10/users/@me", f"/api/v10/channels/{TALK}/messages", "/nowhere",
)  # fmt: skip


def port_of(discord: Served) -> str:
    return discord.fake.url.rpartition(":")[2]


async def status(discord: Served, path: str, host: str, **headers: str) -> int:
    told = {"Authorization": "Bot token", "Host": host.format(port=port_of(discord)), **headers}
    async with discord.session.get(discord.fake.url + path, headers=told) as answer:
        return answer.status


@served
async def test_a_name_of_elsewhere_is_refused_everywhere(discord: Served) -> None:
    for path in PATHS:
        for host in ELSEWHERE:
            assert await status(discord, path, host) == 403, (path, host)


@served
async def test_names_of_this_machine_are_let_in(discord: Served) -> None:
    for host in MINE:
        for path in ("/", "/api/v10/users/@me", "/_fake/state"):
            assert await status(discord, path, host) == 200, host


@served
async def test_the_gateway_opens_to_no_page_of_another_website(discord: Served) -> None:
    url = discord.fake.gateway_url
    for headers in (
        {"Origin": "https://evil.example"},
        {"Host": "evil.example"},
        {"Origin": "null"},
    ):
        with pytest.raises(WSServerHandshakeError, match="403"):
            await discord.session.ws_connect(url, headers=headers)
    async with discord.session.ws_connect(url, headers={"Origin": discord.fake.url}) as socket:
        assert (await socket.receive()).type == aiohttp.WSMsgType.TEXT


@served
async def test_the_api_takes_no_change_from_a_page_of_another_website(discord: Served) -> None:
    answer = await discord.api(
        "POST", f"/channels/{TALK}/messages", {"content": "x"},
        headers={"Origin": "https://evil.example"},
    )  # fmt: skip
    assert answer.status == 403
