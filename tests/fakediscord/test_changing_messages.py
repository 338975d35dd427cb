"""Messages are edited by their author, deleted by those who may, and pinned."""

from tests.fakediscord.cast import BOT, NEWS, PLAIN, QUIET, STUDY, TALK
from tests.fakediscord.served import Served, served


async def person_wrote(discord: Served) -> str:
    order = {"channel_id": TALK, "content": "제 글이에요"}
    message_id: str = (await discord.order("POST", "/_fake/messages", order)).data["id"]
    return message_id


def path_of(message_id: str, channel_id: str = TALK) -> str:
    return f"/channels/{channel_id}/messages/{message_id}"


@served
async def test_an_edit_changes_only_the_fields_that_it_names(discord: Served) -> None:
    embed = {"title": "제목"}
    message = (await discord.create(content="처음", embeds=[embed])).data
    answer = await discord.api("PATCH", path_of(message["id"]), {"content": "고침"})
    assert answer.data["content"] == "고침"
    assert answer.data["embeds"][0]["title"] == "제목"
    assert answer.data["edited_timestamp"] is not None
    assert answer.data["timestamp"] == message["timestamp"]


@served
async def test_an_edit_that_leaves_nothing_is_refused(discord: Served) -> None:
    message = (await discord.create()).data
    answer = await discord.api("PATCH", path_of(message["id"]), {"content": None})
    assert (answer.status, answer.code) == (400, 50006)
    assert (await discord.shown())[0]["content"] == message["content"]


@served
async def test_only_the_author_edits(discord: Served) -> None:
    answer = await discord.api("PATCH", path_of(await person_wrote(discord)), {"content": "?"})
    assert (answer.status, answer.code) == (403, 50005)


@served
async def test_without_embed_links_an_edit_loses_its_embeds(discord: Served) -> None:
    message = (await discord.create(PLAIN)).data
    payload = {"content": "글", "embeds": [{"title": "제목"}]}
    answer = await discord.api("PATCH", path_of(message["id"], PLAIN), payload)
    assert answer.data["embeds"] == []
    only_embeds = {"content": "", "embeds": [{"title": "제목"}]}
    answer = await discord.api("PATCH", path_of(message["id"], PLAIN), only_embeds)
    assert answer.code == 50006


@served
async def test_old_messages_take_so_many_edits(discord: Served) -> None:
    await discord.settings(old_message_seconds=0, old_message_edits=2)
    path = path_of((await discord.create()).data["id"])
    for _ in range(2):
        assert (await discord.api("PATCH", path, {"content": "고침"})).status == 200
    answer = await discord.api("PATCH", path, {"content": "고침"})
    assert (answer.status, answer.code) == (429, 30046)


@served
async def test_own_messages_are_deleted_once(discord: Served) -> None:
    path = path_of((await discord.create()).data["id"])
    assert (await discord.api("DELETE", path)).status == 204
    answer = await discord.api("DELETE", path)
    assert (answer.status, answer.code) == (404, 10008)


@served
async def test_others_messages_are_deleted_with_manage_messages(discord: Served) -> None:
    path = path_of(await person_wrote(discord))
    assert (await discord.api("DELETE", path)).code == 50013
    overwrites = [{"id": BOT, "allow": ["MANAGE_MESSAGES"]}]
    await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})
    assert (await discord.api("DELETE", path)).status == 204


@served
async def test_pins_need_their_permission_and_come_newest_first(discord: Served) -> None:
    first, second = [(await discord.create()).data["id"] for _ in range(2)]
    pins = f"/channels/{TALK}/messages/pins"
    assert (await discord.api("PUT", f"{pins}/{first}")).code == 50013
    everyone = f"/_fake/guilds/{STUDY}/roles/{STUDY}"
    names = ["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "PIN_MESSAGES"]
    await discord.order("PATCH", everyone, {"permissions": names})

    for message_id in (first, second, second):
        assert (await discord.api("PUT", f"{pins}/{message_id}")).status == 204
    found = (await discord.api("GET", pins)).data
    assert [item["message"]["id"] for item in found["items"]] == [second, first]
    assert found["items"][0]["message"]["pinned"] is True

    assert (await discord.api("DELETE", f"{pins}/{second}")).status == 204
    assert len((await discord.api("GET", pins)).data["items"]) == 1


@served
async def test_there_is_room_for_250_pins(discord: Served) -> None:
    overwrites = [{"id": BOT, "allow": ["PIN_MESSAGES"]}]
    await discord.order("PATCH", f"/_fake/channels/{TALK}", {"overwrites": overwrites})
    pins = f"/channels/{TALK}/messages/pins"
    for _ in range(250):
        message = (await discord.create()).data
        assert (await discord.api("PUT", f"{pins}/{message['id']}")).status == 204
    answer = await discord.api("PUT", f"{pins}/{(await discord.create()).data['id']}")
    assert (answer.status, answer.code) == (400, 30003)
    assert (await discord.api("GET", pins)).data["has_more"] is True


@served
async def test_typing_is_taken_note_of_where_the_bot_may_write(discord: Served) -> None:
    assert (await discord.api("POST", f"/channels/{NEWS}/typing")).status == 204
    assert (await discord.api("POST", f"/channels/{QUIET}/typing")).code == 50013
