"""A test can order what people do; an order that makes no sense is refused by name."""

import pytest

from fakediscord.layout import LayoutError, lay_out, read_layout
from fakediscord.world import displayed_name
from tests.fakediscord.cast import BOT, LAYOUT, LEADER, MEMBER, STUDY, TALK, write_layout
from tests.fakediscord.served import Served, served


@served
async def test_a_deleted_channel_takes_its_messages_with_it(discord: Served) -> None:
    await discord.create()
    await discord.order("DELETE", f"/_fake/channels/{TALK}")
    assert (await discord.create()).code == 10003
    state = (await discord.order("GET", "/_fake/state")).data
    assert TALK not in state["messages"]


@served
async def test_a_bot_that_was_put_out_knows_the_guild_no_longer(discord: Served) -> None:
    await discord.order("DELETE", f"/_fake/guilds/{STUDY}")
    assert (await discord.create()).code == 10003
    assert (await discord.api("GET", f"/guilds/{STUDY}")).code == 10004


@served
async def test_people_join_are_renamed_and_leave(discord: Served) -> None:
    user = (await discord.order("POST", "/_fake/users", {"username": "minseo"})).data
    members = f"/_fake/guilds/{STUDY}/members"
    await discord.order("POST", members, {"id": user["id"]})
    await discord.order("PATCH", f"{members}/{user['id']}", {"nick": "민서"})
    found = (await discord.api("GET", f"/guilds/{STUDY}/members/{user['id']}")).data
    assert found["nick"] == "민서"
    await discord.order("DELETE", f"{members}/{user['id']}")
    assert (await discord.api("GET", f"/guilds/{STUDY}/members/{user['id']}")).code == 10007
    assert (await discord.order("DELETE", f"{members}/{BOT}")).status == 400


@served
async def test_a_renamed_guild_is_told(discord: Served) -> None:
    await discord.order("PATCH", f"/_fake/guilds/{STUDY}", {"name": "새 이름"})
    assert (await discord.api("GET", f"/guilds/{STUDY}")).data["name"] == "새 이름"


@served
async def test_orders_that_make_no_sense_are_refused(discord: Served) -> None:
    for method, path, order in (
        ("POST", "messages", {"content": "어디에?"}),
        ("POST", "messages", {"channel_id": "1", "content": "?"}),
        ("POST", "messages", {"channel_id": TALK, "content": ""}),
        ("POST", "messages", {"channel_id": TALK, "content": "?", "user_id": "1"}),
        ("POST", "channels", {"guild_id": "1", "name": "?"}),
        ("POST", "channels", {"guild_id": STUDY}),
        ("PATCH", f"channels/{TALK}", {"overwrites": [{"id": BOT, "deny": ["FLY"]}]}),
        ("PATCH", f"guilds/{STUDY}/roles/1", {}),
        ("POST", f"guilds/{STUDY}/members", {"id": "1"}),
    ):
        answer = await discord.order(method, f"/_fake/{path}", order)
        assert 400 <= answer.status < 500
        assert answer.data["error"]


def test_people_who_are_not_named_are_members_too() -> None:
    world = lay_out({**LAYOUT, "guilds": [{"name": "모두"}]})
    guild = next(iter(world.guilds.values()))
    assert set(guild.members) == {BOT, LEADER, MEMBER}
    assert guild.about["owner_id"] == LEADER
    assert displayed_name(guild.members[MEMBER]) == "하늘"


@pytest.mark.parametrize(
    ("described", "named"),
    [
        ({}, "application"),
        ({**LAYOUT, "guilds": [{}]}, "name"),
        ({**LAYOUT, "guilds": [{"name": "x", "channels": [{"name": "y", "type": "z"}]}]}, "z"),
        ({**LAYOUT, "guilds": [{"name": "x", "members": [{"id": "1"}]}]}, "'1'"),
        ({**LAYOUT, "guilds": 5}, "out of place"),
        ([], "out of place"),
    ],
)
def test_a_layout_that_is_wrong_is_refused_by_name(
    described: object, named: str, tmp_path: object
) -> None:
    path = write_layout(tmp_path, described)  # type: ignore[arg-type]
    with pytest.raises(LayoutError, match=named):
        read_layout(path)
