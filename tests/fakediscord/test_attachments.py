"""Files come, stay, go and are served as Discord does it."""

import io
import json
from pathlib import Path
from typing import Any

import aiohttp

from fakediscord.routes import LARGEST_BODY
from tests.fakediscord.cast import STUDY, TALK
from tests.fakediscord.served import Answer, Served, served
from tests.fakediscord_driver import FakeDiscordProcess
from tests.pictures import picture

PICTURE = picture("PNG", (30, 20))
Sent = tuple[str, bytes]
EMBED: dict[str, Any] = {"title": "지도", "image": {"url": "attachment://map.png"}}


def form_of(payload: dict[str, Any], files: list[Sent]) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(payload))
    for n, (name, content) in enumerate(files):
        form.add_field(f"files[{n}]", io.BytesIO(content), filename=name)
    return form


async def send(
    discord: Served, payload: dict[str, Any], files: list[Sent], message_id: str = ""
) -> Answer:
    path = f"{discord.fake.api_url}/channels/{TALK}/messages"
    method, url = ("PATCH", f"{path}/{message_id}") if message_id else ("POST", path)
    headers = {"Authorization": "Bot token"}
    form = form_of(payload, files)
    async with discord.session.request(method, url, data=form, headers=headers) as got:
        return Answer(got.status, await got.json(), got.headers)


async def edit(discord: Served, message_id: str, **payload: Any) -> Answer:
    return await discord.api("PATCH", f"/channels/{TALK}/messages/{message_id}", payload)


@served
async def test_a_message_describes_its_file_and_the_file_is_served(discord: Served) -> None:
    answer = await send(discord, {"content": "지도"}, [("map.png", PICTURE)])

    [told] = answer.data["attachments"]
    assert (told["filename"], told["size"]) == ("map.png", len(PICTURE))
    assert (told["width"], told["height"]) == (30, 20)
    async with discord.session.get(told["url"]) as got:
        assert await got.read() == PICTURE
        assert got.headers["Content-Type"] == "image/png"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


@served
async def test_a_file_that_is_not_named_like_a_picture_is_served_as_a_download(
    discord: Served,
) -> None:
    answer = await send(discord, {}, [("page.html", b"<script>alert(1)</script>")])

    async with discord.session.get(answer.data["attachments"][0]["url"]) as got:
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert got.headers["Content-Disposition"] == "attachment"


@served
async def test_a_name_keeps_its_ascii_and_the_title_has_all_of_it(discord: Served) -> None:
    files = [("한글 파일.pdf", b"1"), ("a (b).txt", b"2"), ("_plain.txt", b"3")]

    told = (await send(discord, {}, files)).data["attachments"]

    assert told[0]["title"] == "한글 파일"
    assert told[0]["filename"].isascii()
    assert told[0]["filename"].endswith(".pdf")
    assert (told[1]["filename"], told[1]["title"]) == ("a_b.txt", "a (b)")
    assert (told[2]["filename"], told[2]["title"]) == ("plain.txt", "_plain")


@served
async def test_an_embed_shows_the_file_that_it_names_and_the_message_does_not(
    discord: Served,
) -> None:
    files = [("map.png", PICTURE), ("plan.txt", b"plan")]

    message = (await send(discord, {"embeds": [EMBED]}, files)).data

    assert [one["filename"] for one in message["attachments"]] == ["plan.txt"]
    image = message["embeds"][0]["image"]
    assert (image["width"], image["height"]) == (30, 20)
    async with discord.session.get(image["url"]) as got:
        assert await got.read() == PICTURE


@served
async def test_an_edit_of_the_words_leaves_the_files_and_may_name_them_again(
    discord: Served,
) -> None:
    files = [("map.png", PICTURE), ("plan.txt", b"plan")]
    message = (await send(discord, {"embeds": [EMBED]}, files)).data

    edited = (await edit(discord, message["id"], embeds=[{**EMBED, "title": "새 지도"}])).data

    assert edited["attachments"] == message["attachments"]
    assert edited["embeds"][0]["image"] == message["embeds"][0]["image"]
    # Without the embed it stands beside the text, as on Discord.
    bare = (await edit(discord, message["id"], content="글", embeds=[])).data
    assert {one["filename"] for one in bare["attachments"]} == {"map.png", "plan.txt"}


@served
async def test_an_embed_without_its_file_shows_no_picture(discord: Served) -> None:
    message = (await discord.create(embeds=[EMBED])).data
    assert "image" not in message["embeds"][0]


@served
async def test_an_edit_has_the_files_that_its_list_names_and_no_others(discord: Served) -> None:
    first = (await send(discord, {}, [("a.txt", b"a"), ("b.txt", b"b")])).data
    kept, dropped = first["attachments"]
    payload = {"attachments": [{"id": kept["id"]}, {"id": 0, "filename": "c.txt"}]}

    answer = await send(discord, payload, [("c.txt", b"c"), ("unnamed.txt", b"d")], first["id"])

    assert [one["filename"] for one in answer.data["attachments"]] == ["a.txt", "c.txt"]
    async with discord.session.get(dropped["url"]) as got:
        assert got.status == 404
    # New files without a list replace the old ones.
    answer = await send(discord, {}, [("e.txt", b"e")], first["id"])
    assert [one["filename"] for one in answer.data["attachments"]] == ["e.txt"]
    assert (await edit(discord, first["id"], content="글", attachments=[])).data[
        "attachments"
    ] == []


@served
async def test_the_same_nonce_attaches_nothing_twice(discord: Served) -> None:
    payload = {"content": "한 번", "nonce": "with-file", "enforce_nonce": True}

    first = await send(discord, payload, [("a.txt", b"a")])
    again = await send(discord, payload, [("b.txt", b"b")])

    assert again.data["id"] == first.data["id"]
    assert again.data["attachments"] == first.data["attachments"]


@served
async def test_too_large_a_file_or_too_many_files_are_refused(discord: Served) -> None:
    await discord.settings(largest_file=1000)
    assert (await send(discord, {}, [("a", b"x" * 1000)])).status == 200
    answer = await send(discord, {}, [("a", b"x" * 1001)])
    assert (answer.status, answer.code) == (413, 40005)
    answer = await send(discord, {}, [(f"{n}", b"x") for n in range(11)])
    assert (answer.status, answer.code) == (400, 50035)
    await discord.settings(largest_file=None)
    answer = await send(discord, {}, [("a", b"x" * LARGEST_BODY)])
    assert (answer.status, answer.code) == (413, 40005)


@served
async def test_without_the_permission_nothing_is_attached(discord: Served) -> None:
    names = ["VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY"]
    message = (await discord.create()).data
    await discord.order("PATCH", f"/_fake/guilds/{STUDY}/roles/{STUDY}", {"permissions": names})
    for message_id in ("", message["id"]):
        answer = await send(discord, {"content": "글"}, [("a.txt", b"a")], message_id)
        assert (answer.status, answer.code) == (403, 50013)


@served
async def test_a_deleted_messages_files_are_gone(discord: Served) -> None:
    message = (await send(discord, {"embeds": [EMBED]}, [("map.png", PICTURE)])).data
    await discord.api("DELETE", f"/channels/{TALK}/messages/{message['id']}")
    async with discord.session.get(message["embeds"][0]["image"]["url"]) as got:
        assert got.status == 404


def test_files_are_there_after_a_kill(tmp_path: Path, layout: Path) -> None:
    arguments = ["--layout", str(layout), "--state", str(tmp_path / "state.json")]
    boundary, name = "b0undary", "map.png"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'.encode()
        + json.dumps({"embeds": [EMBED]}).encode(),
        f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="files[0]"; filename="{name}"'
        "\r\n\r\n".encode()
        + PICTURE,
        f"\r\n--{boundary}--\r\n".encode(),
    ]
    headers = {
        "Authorization": "Bot token",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    }
    path = f"/api/v10/channels/{TALK}/messages"
    with FakeDiscordProcess(*arguments) as discord:
        made = discord.call("POST", path, headers=headers, body=b"".join(parts))
        discord.process.kill()
        discord.process.wait()
    with FakeDiscordProcess(*arguments) as discord:
        edited = discord.call(
            "PATCH", f"{path}/{made['id']}", {"embeds": [EMBED]},
            headers={"Authorization": "Bot token"},
        )  # fmt: skip
        assert edited["embeds"][0]["image"]["width"] == 30
        [kept] = (tmp_path / "state.json.files").iterdir()
        assert kept.read_bytes() == PICTURE
