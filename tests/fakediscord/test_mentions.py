"""A message pings whom its content names, as far as `allowed_mentions` lets it."""

from typing import Any

from tests.fakediscord.cast import (
    BOT,
    LEADER,
    LEADERS_ROLE,
    MEMBER,
    MEMBERS_ROLE,
    TALK,
)
from tests.fakediscord.served import Served, served

WORDS = f"@everyone <@{LEADER}> <@!{MEMBER}> <@&{MEMBERS_ROLE}> <@&{LEADERS_ROLE}> <@&1> <@1>"


async def pinged(discord: Served, **payload: Any) -> dict[str, Any]:
    message = (await discord.create(**{"content": WORDS, **payload})).data
    return told(message)


def told(message: dict[str, Any]) -> dict[str, Any]:
    return {
        "users": {user["id"] for user in message["mentions"]},
        "roles": set(message["mention_roles"]),
        "everyone": message["mention_everyone"],
    }


NOBODY = {"users": set[str](), "roles": set[str](), "everyone": False}


async def let_the_bot_mention_everyone(discord: Served) -> None:
    overwrites = [{"id": BOT, "allow": ["MENTION_EVERYONE"]}]
    await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})


@served
async def test_without_allowed_mentions_all_that_may_be_pinged_is(discord: Served) -> None:
    expected = {"users": {LEADER, MEMBER}, "roles": {MEMBERS_ROLE}, "everyone": False}
    assert await pinged(discord) == expected


@served
async def test_mention_everyone_pings_everyone_and_every_role(discord: Served) -> None:
    await let_the_bot_mention_everyone(discord)
    found = await pinged(discord)
    assert found["everyone"] is True
    assert found["roles"] == {MEMBERS_ROLE, LEADERS_ROLE}


@served
async def test_nobody_is_pinged_when_nobody_is_allowed(discord: Served) -> None:
    await let_the_bot_mention_everyone(discord)
    assert await pinged(discord, allowed_mentions={"parse": []}) == NOBODY
    assert await pinged(discord, allowed_mentions={}) == NOBODY


@served
async def test_one_role_or_one_person_can_be_allowed(discord: Served) -> None:
    allowed = {"parse": [], "roles": [MEMBERS_ROLE], "users": [MEMBER]}
    found = await pinged(discord, allowed_mentions=allowed)
    assert found == {"users": {MEMBER}, "roles": {MEMBERS_ROLE}, "everyone": False}


@served
async def test_kinds_can_be_allowed(discord: Served) -> None:
    await let_the_bot_mention_everyone(discord)
    found = await pinged(discord, allowed_mentions={"parse": ["everyone"]})
    assert found == {**NOBODY, "everyone": True}


@served
async def test_an_embed_pings_nobody(discord: Served) -> None:
    found = await pinged(discord, content="", embeds=[{"description": WORDS}])
    assert found == NOBODY


@served
async def test_an_edit_of_the_content_decides_anew(discord: Served) -> None:
    message = (await discord.create(content=WORDS, allowed_mentions={"parse": []})).data
    path = f"/channels/{TALK}/messages/{message['id']}"
    embeds = {"embeds": [{"title": "제목"}]}
    assert told((await discord.api("PATCH", path, embeds)).data) == NOBODY
    edit = {"content": WORDS + "!"}
    assert told((await discord.api("PATCH", path, edit)).data)["users"] == {LEADER, MEMBER}
    edit = {"content": WORDS, "allowed_mentions": {"parse": []}}  # type: ignore[dict-item]
    assert told((await discord.api("PATCH", path, edit)).data) == NOBODY
