"""People press buttons and give commands; the bot answers within its seconds, and only once."""

import asyncio
from typing import Any

import discord
import pytest

from tests.fakediscord.cast import (
    APPLICATION,
    LEADER,
    MEMBER,
    STUDY,
    TALK,
)
from tests.fakediscord.gateway_client import GatewayClient
from tests.fakediscord.real_client import RecordingClient, connected
from tests.fakediscord.served import Served, served

BUTTON = {"type": 2, "style": 1, "label": "읽었어요", "custom_id": "read:1"}
OFF = {**BUTTON, "custom_id": "off", "disabled": True}
SELECT = {"type": 3, "custom_id": "pick", "options": [{"label": "가", "value": "a"}]}
ROWS = [{"type": 1, "components": [BUTTON, OFF]}, {"type": 1, "components": [SELECT]}]


async def with_buttons(fake: Served) -> str:
    message_id: str = (await fake.create(content="공지", components=ROWS)).data["id"]
    return message_id


def pressing(fake: Served, message_id: str, **more: Any) -> asyncio.Task[Any]:
    order = {"message_id": message_id, "custom_id": "read:1", **more}
    return asyncio.create_task(fake.order("POST", "/_fake/interactions", order))


async def call_back(fake: Served, event: dict[str, Any], **payload: Any) -> Any:
    path = f"/interactions/{event['id']}/{event['token']}/callback?with_response=1"
    return await fake.api("POST", path, payload, headers={"Authorization": ""})


def webhook(event: dict[str, Any], message_id: str = "") -> str:
    messages = f"/messages/{message_id}" if message_id else ""
    return f"/webhooks/{APPLICATION}/{event['token']}{messages}"


@served
async def test_a_press_reaches_the_bot_with_all_it_needs(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id, user_id=LEADER)
        event = await client.event("INTERACTION_CREATE")
        assert (event["type"], event["version"]) == (3, 1)
        assert event["application_id"] == APPLICATION
        assert event["data"]["custom_id"] == "read:1"
        assert event["data"]["component_type"] == 2
        assert event["message"]["id"] == message_id
        assert event["member"]["user"]["id"] == LEADER
        assert (event["channel"]["id"], event["guild_id"]) == (TALK, STUDY)
        assert event["attachment_size_limit"] > 0

        data = {"content": "고마워요", "flags": 64}
        answer = await call_back(fake, event, type=4, data=data)
        assert answer.data["interaction"]["response_message_ephemeral"] is True
        assert answer.data["resource"]["message"]["content"] == "고마워요"
        seen = (await press).data
        assert (seen["type"], seen["ephemeral"]) == (4, True)
        assert seen["message"]["content"] == "고마워요"
    assert [message["id"] for message in await fake.shown()] == [message_id]


@served
async def test_a_press_that_is_not_answered_in_time_says_so(fake: Served) -> None:
    await fake.settings(interaction_seconds=0.05)
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id)
        event = await client.event("INTERACTION_CREATE")
        assert "did not answer" in (await press).data["error"]
        late = await call_back(fake, event, type=6)
        assert (late.status, late.code) == (404, 10062)


@served
async def test_a_second_callback_and_a_wrong_token_are_refused(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id)
        event = await client.event("INTERACTION_CREATE")
        assert (await call_back(fake, {**event, "token": "x"}, type=6)).code == 10062
        assert (await fake.api("GET", webhook(event, "@original"))).code == 10015
        for nonsense in ({"type": 8}, {"type": "x"}, {}, {"type": 4, "data": "x"}):
            assert (await call_back(fake, event, **nonsense)).code == 50035
        assert (await call_back(fake, event, type=4, data={})).code == 50006
        assert (await call_back(fake, event, type=6)).status == 200
        again = await call_back(fake, event, type=6)
        assert (again.status, again.code) == (400, 40060)
        await press


@served
async def test_a_deferred_answer_is_filled_in_later(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id, follow_seconds=5)
        event = await client.event("INTERACTION_CREATE")
        answer = await call_back(fake, event, type=5, data={"flags": 64})
        assert answer.data["interaction"]["response_message_loading"] is True
        await fake.api("PATCH", webhook(event, "@original"), {"content": "다 됐어요"})
        seen = (await press).data
        assert (seen["type"], seen["message"]["content"]) == (5, "다 됐어요")
        assert seen["message"]["flags"] & 64
        follow_up = (await fake.api("POST", webhook(event), {"content": "하나 더"})).data
        assert [m["content"] for m in await fake.shown()] == ["공지", "하나 더"]
        assert (await fake.api("DELETE", webhook(event, follow_up["id"]))).status == 204
        assert (await fake.api("DELETE", webhook(event, "@original"))).status == 204
        assert (await fake.api("GET", webhook(event, "@original"))).code == 10008
        assert len(await fake.shown()) == 1


@served
async def test_the_message_with_the_button_can_be_changed(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id)
        event = await client.event("INTERACTION_CREATE")
        await call_back(fake, event, type=7, data={"content": "마감", "components": []})
        assert (await press).data["message"]["id"] == message_id
        shown = (await fake.shown())[0]
        assert (shown["content"], shown["components"]) == ("마감", [])

        changed = {"content": "다시", "components": ROWS}
        await fake.api("PATCH", webhook(event, "@original"), changed)
        assert (await fake.shown())[0]["content"] == "다시"


@served
async def test_the_webhook_lives_fifteen_minutes(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id)
        event = await client.event("INTERACTION_CREATE")
        await call_back(fake, event, type=6)
        await press
        settings = (await fake.order("GET", "/_fake/settings")).data
        assert settings["interaction_token_seconds"] == 15 * 60
        await fake.settings(interaction_token_seconds=0)
        late = await fake.api("POST", webhook(event), {"content": "늦음"})
        assert (late.status, late.code) == (401, 50027)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"custom_id": "nothing"}, "nothing"),
        ({"custom_id": "off"}, "off"),
        ({"user_id": "1"}, "1"),
        ({"message_id": "1"}, "Unknown Message"),
    ],
)
def test_a_press_that_nobody_could_make_is_refused(
    changes: dict[str, str], named: str, layout: Any
) -> None:
    @served
    async def refuse(fake: Served) -> None:
        order = {"message_id": await with_buttons(fake), "custom_id": "read:1", **changes}
        answer = await fake.order("POST", "/_fake/interactions", order)
        assert answer.status in (400, 404)
        assert named in answer.data["error"]

    refuse(layout)


class ReadButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"read:(?P<id>\d+)"):
    def __init__(self, number: int) -> None:
        label = "읽었어요"
        super().__init__(discord.ui.Button(label=label, custom_id=f"read:{number}"))
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: Any, match: Any, /
    ) -> "ReadButton":
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        name = interaction.user.display_name
        await interaction.followup.send(f"{name} 님, {self.number}번", ephemeral=True)


@served
async def test_a_button_of_discordpy_works_after_a_restart(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with connected(fake.fake) as client:
        client.add_dynamic_items(ReadButton)
        seen = (await pressing(fake, message_id, follow_seconds=5)).data
        assert seen["message"]["content"] == "하늘이 님, 1번"
        assert seen["ephemeral"] is True


def add_command(client: RecordingClient) -> None:
    @client.tree.command(name="공지", description="공지를 찾아요")
    async def find(interaction: discord.Interaction[Any], word: str, count: int = 1) -> None:
        await interaction.response.send_message(f"{word} {count}", ephemeral=True)

    assert find


@served
async def test_a_slash_command_is_synced_given_and_answered(fake: Served) -> None:
    async with connected(fake.fake) as client:
        add_command(client)
        synced = await client.tree.sync()
        assert [command.name for command in synced] == ["공지"]
        again = await client.tree.sync()
        assert again[0].id == synced[0].id
        assert [command.id for command in await client.tree.fetch_commands()] == [synced[0].id]

        options = {"word": "과제", "count": 2}
        order = {"channel_id": TALK, "command": "공지", "options": options, "user_id": MEMBER}
        seen = (await fake.order("POST", "/_fake/interactions", order)).data
        assert (seen["message"]["content"], seen["ephemeral"]) == ("과제 2", True)

        unknown = {**order, "command": "없음"}
        answer = await fake.order("POST", "/_fake/interactions", unknown)
        assert "없음" in answer.data["error"]


@served
async def test_commands_of_a_guild_are_its_own(fake: Served) -> None:
    async with connected(fake.fake) as client:
        add_command(client)
        guild = discord.Object(int(STUDY))
        client.tree.copy_global_to(guild=guild)
        synced = await client.tree.sync(guild=guild)
        assert synced[0].guild_id == int(STUDY)
        assert await client.tree.fetch_commands() == []
        await synced[0].edit(description="다른 말")
        assert (await client.tree.fetch_command(synced[0].id, guild=guild)).description == "다른 말"
        await synced[0].delete()
        assert await client.tree.fetch_commands(guild=guild) == []


@served
async def test_commands_over_discords_limits_are_refused(fake: Served) -> None:
    path = f"/applications/{APPLICATION}/commands"
    good = {"name": "notice", "description": "설명"}
    many = [{**good, "name": f"n{number}"} for number in range(101)]
    for commands, where in (
        (many, "_errors"),
        ([good, good], "_errors"),
        ([{**good, "name": "Big"}], "0"),
        ([{**good, "name": "두 낱말"}], "0"),
        ([{**good, "description": ""}], "0"),
        ([{**good, "options": [{"type": 3, "name": "x"}]}], "0"),
    ):
        answer = await fake.api("PUT", path, commands)
        assert (answer.status, answer.code) == (400, 50035)
        assert where in answer.data["errors"]
    assert (await fake.api("GET", "/applications/1/commands")).code == 10002
    assert (await fake.api("DELETE", f"{path}/1")).code == 10063


class Asked(discord.ui.Modal, title="건의"):
    words: discord.ui.TextInput["Asked"] = discord.ui.TextInput(label="내용")

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        await interaction.response.send_message(f"받았어요: {self.words.value}", ephemeral=True)


@served
async def test_a_modal_is_opened_and_filled_in(fake: Served) -> None:
    async with connected(fake.fake) as client:

        @client.tree.command(name="suggest", description="건의")
        async def ask(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.send_modal(Asked())

        assert ask
        await client.tree.sync()
        order = {"channel_id": TALK, "command": "suggest"}
        opened = (await fake.order("POST", "/_fake/interactions", order)).data
        assert (opened["type"], opened["modal"]["title"]) == (9, "건의")
        field = opened["modal"]["components"][0]["components"][0]["custom_id"]
        filled = {"modal_of": opened["id"], "values": {field: "더 자주 만나요"}}
        seen = (await fake.order("POST", "/_fake/interactions", filled)).data
        assert seen["message"]["content"] == "받았어요: 더 자주 만나요"


@served
async def test_the_value_picked_from_a_list_comes_with_the_interaction(fake: Served) -> None:
    message_id = await with_buttons(fake)
    async with GatewayClient(fake) as client:
        await client.identify()
        press = pressing(fake, message_id, custom_id="pick", values=["a"])
        event = await client.event("INTERACTION_CREATE")
        assert event["data"]["values"] == ["a"]
        await call_back(fake, event, type=1)
        assert (await press).data["message"] is None
