"""Messages are created, and refused, as Discord does it."""

import json
from typing import Any

import aiohttp

from tests.fakediscord.cast import BOT, FORUM, LEADER, NEWS, PLAIN, QUIET, STAFF, TALK
from tests.fakediscord.served import Served, served

EMBED = {"title": "7주차 모임", "description": "화요일 저녁 8시에 만나요.", "color": 0}


@served
async def test_a_created_message_comes_back_as_discord_writes_it(discord: Served) -> None:
    answer = await discord.create(content="  안녕하세요  ", embeds=[EMBED], tts=False)

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Via"] == "1.1 fakediscord"
    message = answer.data
    assert message["content"] == "안녕하세요"
    assert message["channel_id"] == TALK
    assert message["author"]["id"] == BOT
    assert message["author"]["bot"] is True
    assert message["embeds"] == [{**EMBED, "type": "rich"}]
    assert message["edited_timestamp"] is None
    assert "nonce" not in message
    assert int(message["id"]) > int(TALK)


@served
async def test_a_message_without_anything_to_show_is_refused(discord: Served) -> None:
    nothing: list[dict[str, Any]] = [
        {"content": ""},
        {"content": " \n "},
        {"embeds": []},
        {"tts": False},
    ]
    for payload in nothing:
        answer = await discord.create(**payload)
        assert (answer.status, answer.code) == (400, 50006)


@served
async def test_a_body_that_is_no_json_object_is_refused(discord: Served) -> None:
    path = discord.fake.api_url + f"/channels/{TALK}/messages"
    headers = {"Authorization": "Bot token", "Content-Type": "application/json"}
    deep = '{"components":' + '[{"components":' * 400 + "[]" + "}]" * 400 + "}"
    for body in ("{", '"text"', "[1]", "\x00", '{"x": NaN}', "[" * 100_000):
        async with discord.session.post(path, data=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["code"] == 50109
    async with discord.session.post(path, data=deep, headers=headers) as answer:
        assert answer.status == 400


@served
async def test_files_come_as_multipart_with_the_payload_beside_them(discord: Served) -> None:
    form = aiohttp.FormData(quote_fields=False)
    described = {"id": 0, "description": "표지"}
    payload: dict[str, Any] = {"content": "사진", "nonce": "with-file", "attachments": [described]}
    form.add_field("payload_json", json.dumps(payload))
    form.add_field("files[0]", b"picture", filename="cover.png", content_type="image/png")
    path = discord.fake.api_url + f"/channels/{TALK}/messages"
    async with discord.session.post(
        path, data=form, headers={"Authorization": "Bot token"}
    ) as answer:
        message = await answer.json()

    assert answer.status == 200
    assert message["nonce"] == "with-file"
    attachment = message["attachments"][0]
    assert attachment["filename"] == "cover.png"
    assert attachment["size"] == len(b"picture")
    assert attachment["description"] == "표지"


@served
async def test_a_channel_that_is_not_there_is_unknown(discord: Served) -> None:
    answer = await discord.create("1", content="?")
    assert (answer.status, answer.code) == (404, 10003)


@served
async def test_a_channel_that_the_bot_does_not_see_is_missing_access(discord: Served) -> None:
    answer = await discord.create(STAFF)
    assert (answer.status, answer.code) == (403, 50001)


@served
async def test_a_channel_where_the_bot_may_not_write_is_missing_permissions(
    discord: Served,
) -> None:
    answer = await discord.create(QUIET)
    assert (answer.status, answer.code) == (403, 50013)


@served
async def test_a_forum_takes_no_messages(discord: Served) -> None:
    answer = await discord.create(FORUM)
    assert (answer.status, answer.code) == (400, 50008)


@served
async def test_without_embed_links_an_embed_beside_a_text_is_dropped(discord: Served) -> None:
    answer = await discord.create(PLAIN, content="글", embeds=[EMBED])
    assert answer.status == 200
    assert answer.data["embeds"] == []


@served
async def test_without_embed_links_an_embed_alone_is_refused(discord: Served) -> None:
    answer = await discord.create(PLAIN, embeds=[EMBED])
    assert (answer.status, answer.code) == (403, 50013)


@served
async def test_a_reply_names_the_message_that_it_answers(discord: Served) -> None:
    first = await discord.create()
    reference = {"message_id": first.data["id"]}
    answer = await discord.create(content="답글", message_reference=reference)
    assert answer.data["type"] == 19
    assert answer.data["referenced_message"]["id"] == first.data["id"]

    lost = {"message_id": "1", "fail_if_not_exists": True}
    assert (await discord.create(content="답글", message_reference=lost)).code == 50035
    lost["fail_if_not_exists"] = False
    assert (await discord.create(content="답글", message_reference=lost)).data["type"] == 0


@served
async def test_an_announcement_is_published_once(discord: Served) -> None:
    message = (await discord.create(NEWS)).data
    path = f"/channels/{NEWS}/messages/{message['id']}/crosspost"
    assert (await discord.api("POST", path)).data["flags"] & 1
    assert (await discord.api("POST", path)).code == 40033

    elsewhere = (await discord.create(TALK)).data
    path = f"/channels/{TALK}/messages/{elsewhere['id']}/crosspost"
    assert (await discord.api("POST", path)).code == 50024


@served
async def test_a_person_writes_too(discord: Served) -> None:
    order = {"channel_id": TALK, "user_id": LEADER, "content": "확인했습니다"}
    await discord.order("POST", "/_fake/messages", order)
    assert (await discord.shown())[0]["author"]["id"] == LEADER
