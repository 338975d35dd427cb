"""Other kinds of message go through engine, transport and gateway as the one with a footer does.

Each kind here is known by its buttons alone: nothing but `identity` may read whose message one is.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from discord.http import Route

from notices import actions
from notices.bot.discord_client import StudyBotClient
from notices.bot.discord_transport import DiscordTransport
from notices.bot.engine import Engine
from notices.delivery.identity import identify, marker
from notices.delivery.message import Body
from notices.delivery.request import Answer, Request, Told
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice
from tests.engine_driver import running, until
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import connected

pytestmark = pytest.mark.django_db(transaction=True)

ALL_PERMISSIONS = (1 << 53) - 1
Look = Callable[[Body], Body]
"""It turns a body of `message.build` or `message.build_edit` into a kind's own."""


def button_alone(body: Body) -> Body:
    """No embed and so no footer: a text with a button."""
    [embed] = body["embeds"]
    rest = {name: value for name, value in body.items() if name != "embeds"}
    return rest | {"content": embed["title"], "components": button(body)}


def button_under_embed(body: Body) -> Body:
    """The embed's footer says nothing of whose message it is."""
    [embed] = body["embeds"]
    return body | {"embeds": [embed | {"footer": {"text": "스터디"}}], "components": button(body)}


def button(body: Body) -> list[dict[str, Any]]:
    found = identify(body)
    assert found is not None
    one = {"type": 2, "style": 1, "label": "확인", "custom_id": f"r1:read:{marker(*found)}"}
    return [{"type": 1, "components": [one]}]


class OtherLooks(DiscordTransport):
    """Stands where the kind was chosen: the engine hands it the body, and sees no more of it."""

    def __init__(self, look: Look) -> None:
        super().__init__(rate=50, request_timeout=30)
        self._kind = look
        self.permissions_in = lambda _channel_id: ALL_PERMISSIONS
        self.sent: list[Body] = []
        self.may_look_up = asyncio.Event()
        self.may_look_up.set()

    async def perform(self, request: Request, answered: Callable[[Told], None]) -> Answer:
        if request.payload is not None:
            request = replace(request, payload=self._kind(request.payload))
            self.sent.append(request.payload or {})
        if request.action == Attempt.Action.LOOK_UP:
            await self.may_look_up.wait()
        return await super().perform(request, answered)


@dataclass
class Running:
    engine: Engine
    transport: OtherLooks
    client: StudyBotClient
    server: FakeDiscordProcess
    notice: Notice

    async def ends(self, state: str, **facts: Any) -> Delivery:
        deliveries = Delivery.objects.filter(state=state, **facts)
        fanned_out = Notice.objects.not_fanned_out
        await until(self.engine, lambda: deliveries.exists() and not fanned_out().exists())
        return await self.engine.in_database(deliveries.get)

    async def change(self, title: str) -> None:
        def save() -> None:
            self.notice.title = title
            self.notice.save()

        await self.engine.in_database(save)

    async def messages(self) -> list[Body]:
        channel_id = await self.engine.in_database(Channel.objects.values_list("pk").first)
        assert channel_id
        return await asyncio.to_thread(self.server.messages, channel_id[0])

    async def attempts(self) -> list[tuple[str, str | None]]:
        rows = Attempt.objects.order_by("id").values_list("action", "outcome")
        return await self.engine.in_database(lambda: list(rows))


Scenario = Callable[[Running], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture(scope="module")
def one_server() -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess() as process:
        process.lift_limits()
        yield process


@pytest.fixture
def server(one_server: FakeDiscordProcess) -> Iterator[FakeDiscordProcess]:
    yield one_server
    one_server.clear_faults()
    one_server.gateway("unmute_echo")


@pytest.fixture
def channel(server: FakeDiscordProcess, db: None) -> Channel:
    """A new one for each test, so that nothing else is in it."""
    guild_id = server.state()["guilds"][0]["id"]
    made = server.add_channel(guild_id, "공지")
    return Channel.objects.create(id=int(made["id"]), guild_id=int(guild_id), name="공지")


@pytest.fixture(params=[button_alone, button_under_embed])
def look(request: pytest.FixtureRequest) -> Look:
    kind: Look = request.param
    return kind


@pytest.fixture
def play(server: FakeDiscordProcess, notice: Notice, look: Look) -> Play:
    @asynccontextmanager
    async def bot(window: float) -> AsyncIterator[Running]:
        transport = OtherLooks(look)
        async with running(transport, window=window, patience=60) as engine:
            engine.set_active(False)  # until it is connected
            async with connected(
                server, transport, echo=engine.echo, removed=engine.removed
            ) as client:
                await client.wait_until_ready()
                engine.set_active(True)
                yield Running(engine, transport, client, server, notice)
                engine.set_active(False)

    def run(scenario: Scenario, *, window: float = 60) -> None:
        async def whole() -> None:
            async with bot(window) as it:
                await scenario(it)

        asyncio.run(whole())

    return run


def test_it_is_sent_and_edited(play: Play) -> None:
    async def scenario(it: Running) -> None:
        delivery = await it.ends("sent", shown=1)
        await it.change("고친 제목")
        await it.ends("sent", shown=2)
        [message] = await it.messages()
        assert "고친 제목" in str(message)
        assert identify(message) == (delivery.nonce, 2)
        assert identify({"embeds": message["embeds"]}) is None
        assert await it.attempts() == [("create", "shown"), ("edit", "shown")]

    play(scenario)


def lose_the_next_reply(server: FakeDiscordProcess) -> None:
    """The message is made, and neither the answer nor the gateway tells of it."""
    server.gateway("mute_echo")
    server.fault(kind="lost_reply", method="POST", path="/messages$", times=1)


def test_its_lost_reply_is_found_again_in_the_history(
    play: Play, server: FakeDiscordProcess
) -> None:
    lose_the_next_reply(server)

    async def scenario(it: Running) -> None:
        delivery = await it.ends("sent", shown=1)
        [message] = await it.messages()
        assert int(message["id"]) == delivery.message_id
        assert await it.attempts() == [("create", "unknown"), ("look_up", "shown")]

    play(scenario, window=0)


def test_it_is_known_by_its_echo_while_its_answer_hangs(
    play: Play, server: FakeDiscordProcess
) -> None:
    server.fault(kind="hang", method="POST", path="/messages$", after=True, times=1)

    async def scenario(it: Running) -> None:
        delivery = await it.ends("sent", shown=1)
        [message] = await it.messages()
        assert int(message["id"]) == delivery.message_id
        assert await it.attempts() == [("create", "shown")]

    play(scenario)


def test_an_edit_is_known_by_its_echo_and_an_older_one_is_put_right(play: Play) -> None:
    """An edit of a bot that was cut off takes effect late, over a newer one."""

    async def scenario(it: Running) -> None:
        delivery = await it.ends("sent", shown=1)
        await it.change("고친 제목")
        await it.ends("sent", shown=2)
        path = f"/channels/{delivery.channel_id}/messages/{delivery.message_id}"
        first = it.transport.sent[0]
        older = {name: first[name] for name in ("embeds", "components") if name in first}
        await it.client.http.request(Route("PATCH", path), json=older)
        edits = Attempt.objects.filter(action="edit", outcome="shown")
        await until(it.engine, lambda: edits.count() == 2)
        await it.ends("sent", shown=2)
        [message] = await it.messages()
        assert identify(message) == (delivery.nonce, 2)

    play(scenario)


def test_it_is_sent_again_after_somebody_deleted_it(play: Play) -> None:
    async def scenario(it: Running) -> None:
        first = await it.ends("sent", shown=1)
        assert first.message_id
        await asyncio.to_thread(it.server.delete_message, first.channel_id, first.message_id)
        await it.ends("failed", error_code=ErrorCode.MESSAGE_DELETED)
        assert await it.engine.in_database(actions.send_again, it.notice) == 1
        second = await it.ends("sent", shown=1)
        [message] = await it.messages()
        assert identify(message) == (second.nonce, 1)
        assert second.nonce != first.nonce

    play(scenario)


@pytest.mark.parametrize("look", [button_under_embed], indirect=True)
def test_its_removed_embed_is_told_though_its_button_is_there(play: Play) -> None:
    async def scenario(it: Running) -> None:
        delivery = await it.ends("sent", shown=1)
        place = (delivery.channel_id, delivery.message_id or 0)
        await asyncio.to_thread(it.server.suppress_embeds, *place)
        await it.ends("failed", error_code=ErrorCode.MESSAGE_EMPTIED)
        await asyncio.to_thread(it.server.suppress_embeds, *place, flags=0)
        await it.ends("sent", shown=1)
        await asyncio.to_thread(it.server.suppress_embeds, *place)
        await it.ends("failed", error_code=ErrorCode.MESSAGE_EMPTIED)
        assert await it.engine.in_database(actions.send_again, it.notice) == 1
        await it.ends("sent", shown=1)
        [message] = await it.messages()
        assert message["embeds"]
        assert await it.attempts() == [("create", "shown"), ("edit", "shown")]

    play(scenario)


@pytest.mark.parametrize("look", [button_under_embed], indirect=True)
def test_it_is_found_in_the_history_after_its_embed_was_removed(
    play: Play, server: FakeDiscordProcess
) -> None:
    lose_the_next_reply(server)

    async def scenario(it: Running) -> None:
        it.transport.may_look_up.clear()
        lost = await it.ends("unknown")
        [message] = await it.messages()
        await asyncio.to_thread(it.server.suppress_embeds, lost.channel_id, message["id"])
        it.transport.may_look_up.set()
        found = await it.ends("failed", error_code=ErrorCode.MESSAGE_EMPTIED)
        assert found.message_id == int(message["id"])

    play(scenario, window=0)
