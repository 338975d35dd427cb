"""Files go out whole, in one request with their message, however often discord.py repeats it."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from notices.bot.discord_transport import OLDER_THAN_ANY, SLOWEST_LINE, DiscordTransport
from notices.delivery.request import Answer, File, PermanentError, Request, TransientError
from notices.files.attached import described, sent_name
from tests.bot.test_discord_transport import create, ignore, talk, too_many
from tests.fakediscord_driver import FakeDiscordProcess
from tests.pictures import picture

PICTURE = picture("PNG", (30, 20))
PLAN = b"plan " * 20_000


@pytest.fixture
def server() -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess() as process:
        yield process


@pytest.fixture
def channel(server: FakeDiscordProcess) -> int:
    return int(server.text_channels()[0])


def attached(name: str, data: bytes, *, kind: str = "text/plain", number: int = 1) -> Any:
    is_picture = kind.startswith("image/")
    return {"id": number, "name": name, "type": kind, "size": len(data), "picture": is_picture}


MAP = attached("지도.png", PICTURE, kind="image/png", number=1)
TABLE = attached("계획 표.txt", PLAN, number=2)


def bringing(request: Request, *files: tuple[Any, bytes]) -> Request:
    listed = [one for one, _data in files]
    payload = {**(request.payload or {}), "attachments": described(listed)}
    return replace(
        request,
        payload=with_picture(payload, listed),
        attachments=listed,
        brings_files=True,
        files=tuple(File(sent_name(one), one["type"], data) for one, data in files),
    )


def keeping(request: Request, message_id: int | None, listed: Sequence[Any]) -> Request:
    payload = with_picture(request.payload or {}, listed)
    return replace(
        request, action="edit", message_id=message_id, payload=payload, attachments=listed
    )


def with_picture(payload: dict[str, Any], listed: Sequence[Any]) -> dict[str, Any]:
    pictures = [one for one in listed if one["picture"]]
    embed = {**payload["embeds"][0]}
    if pictures:
        embed["image"] = {"url": f"attachment://{sent_name(pictures[0])}"}
    return {**payload, "embeds": [embed]}


def with_both(channel: int, **more: Any) -> Request:
    return bringing(create(channel, **more), (MAP, PICTURE), (TABLE, PLAN))


def content(server: FakeDiscordProcess, address: str) -> bytes:
    body: bytes = server.read(address.removeprefix(server.url))
    return body


def test_a_create_brings_its_files_and_its_nonce(server: FakeDiscordProcess, channel: int) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        answer = await transport.perform(with_both(channel, revision=3), ignore)
        assert answer.revision == 3
        again = await transport.perform(with_both(channel, revision=4), ignore)
        assert again == answer  # Discord's answer to the same nonce: the first message

    talk(server, scenario)
    [message] = server.messages(channel)
    [plan] = message["attachments"]
    assert (plan["title"], plan["size"]) == ("계획 표", len(PLAN))
    assert content(server, plan["url"]) == PLAN
    image = message["embeds"][0]["image"]
    assert (image["width"], image["height"]) == (30, 20)
    assert content(server, image["url"]) == PICTURE


def test_a_repetition_of_discord_py_brings_all_of_the_files_again(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.fault(**too_many(0.1, after=False))

    async def scenario(transport: DiscordTransport) -> None:
        assert (await transport.perform(with_both(channel), ignore)).shown

    talk(server, scenario)
    [message] = server.messages(channel)
    assert content(server, message["attachments"][0]["url"]) == PLAN


@pytest.mark.parametrize("kind", ["lost_reply", "reset"])
def test_a_lost_create_with_files_is_unknown_and_repeated_by_its_nonce(
    server: FakeDiscordProcess, channel: int, kind: str
) -> None:
    server.fault(kind=kind, method="POST", path="/messages$", times=1)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(with_both(channel), ignore)
        assert (caught.value.code, caught.value.done) == (0, None)
        assert (await transport.perform(with_both(channel), ignore)).shown

    talk(server, scenario)
    [message] = server.messages(channel)
    assert len(message["attachments"]) == 1


def test_an_edit_of_the_words_leaves_the_files_where_they_are(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        made = await transport.perform(with_both(channel), ignore)
        edit = keeping(create(channel, revision=2), made.message_id, [MAP, TABLE])
        assert await transport.perform(edit, ignore) == Answer(made.message_id, 2)

    talk(server, scenario)
    [message] = server.messages(channel)
    assert [one["size"] for one in message["attachments"]] == [len(PLAN)]
    assert content(server, message["embeds"][0]["image"]["url"]) == PICTURE


def test_an_edit_of_the_files_replaces_all_of_them(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        made = await transport.perform(with_both(channel), ignore)
        change = replace(create(channel, revision=2), action="edit", message_id=made.message_id)
        await transport.perform(bringing(change, (TABLE, PLAN)), ignore)

    talk(server, scenario)
    [message] = server.messages(channel)
    assert [one["title"] for one in message["attachments"]] == ["계획 표"]
    assert "image" not in message["embeds"][0]


def test_a_message_with_the_wrong_files_counts_as_old(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        made = await transport.perform(bringing(create(channel), (TABLE, PLAN)), ignore)
        for listed in ([MAP, TABLE], [TABLE, attached("b.txt", b"b")], [{**TABLE, "size": 9}]):
            edit = keeping(create(channel, revision=2), made.message_id, listed)
            answer = await transport.perform(edit, ignore)
            assert answer == Answer(made.message_id, OLDER_THAN_ANY)

    talk(server, scenario)


def test_a_file_that_is_too_large_is_refused_for_good(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.settings(largest_file=1000)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(PermanentError) as caught:
            await transport.perform(with_both(channel), ignore)
        assert caught.value.code == 40005

    talk(server, scenario)


def test_larger_files_have_more_time(server: FakeDiscordProcess, channel: int) -> None:
    server.fault(kind="delay", seconds=1, method="POST", path="/messages$")
    large = b"x" * (2 * SLOWEST_LINE)

    async def scenario(transport: DiscordTransport) -> None:
        small = bringing(create(channel), (TABLE, b"x"))
        with pytest.raises(TransientError) as caught:
            await transport.perform(small, ignore)
        assert caught.value.done is None
        other = bringing(create(channel, "23456789AC"), (TABLE, large))
        assert (await transport.perform(other, ignore)).shown

    talk(server, scenario, timeout=0.3)


def test_simultaneous_creates_bring_each_its_own_files(
    server: FakeDiscordProcess, channel: int
) -> None:
    contents = {f"23456789A{n}": f"file {n}".encode() for n in range(2, 5)}

    async def scenario(transport: DiscordTransport) -> None:
        async with asyncio.TaskGroup() as tasks:
            for nonce, data in contents.items():
                request = bringing(create(channel, nonce), (attached("a.txt", data), data))
                tasks.create_task(transport.perform(request, ignore))

    talk(server, scenario)
    for message in server.messages(channel):
        assert content(server, message["attachments"][0]["url"]) == contents[message["nonce"]]
