"""Discord in part away at the bot's start: what can go out does, the rest is waited for."""

import pytest

from tests.e2e.frontend import Frontend
from tests.e2e.stack import Stack, wait_for
from tests.fakediscord_driver import FakeDiscordProcess

PROXY_PAGE = {
    "kind": "status",
    "method": "GET",
    "status": 200,
    "body": "<html>a proxy's page</html>",
}


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "method": "GET", "status": 503}, PROXY_PAGE], ids=["503", "page"]
)
def test_notices_go_out_while_the_gateways_address_is_unknown(
    stack: Stack, discord: FakeDiscordProcess, fault: dict[str, object]
) -> None:
    discord.fault(path="/gateway/bot$", **fault)
    frontend = Frontend(stack, stack.text_channels()[:1])
    stack.start("web", "runbot")
    assert frontend.post()
    frontend.wait_until_shown()
    discord.clear_faults()
    wait_for(discord.sessions, "the bot is at the gateway")


def test_a_proxys_page_at_login_is_not_the_last_word(
    stack: Stack, discord: FakeDiscordProcess
) -> None:
    discord.fault(path="/users/@me$", times=1, **PROXY_PAGE)
    stack.start("runbot")
    wait_for(lambda: "trying again" in stack.log("runbot"), "the bot says that it waits")
    wait_for(discord.sessions, "the bot is at the gateway")


def test_a_malformed_token_is_refused_at_once(stack: Stack) -> None:
    stack.environment["BOT_TOKEN"] = "나의 토큰"
    stack.start("runbot")
    wait_for(lambda: not stack.is_running("runbot"), "the bot has ended")
    assert stack.stop("runbot") == 1
    assert "BOT_TOKEN" in stack.log("runbot")
    assert "Traceback" not in stack.log("runbot")
