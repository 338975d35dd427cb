"""An archived thread is opened to change a message in it; a timeout is waited out silently."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from notices.advice.error_codes import Rests
from notices.bot.discord_transport import DiscordTransport
from notices.delivery.recovery import end_timeouts
from notices.delivery.request import Answer, PermanentError, Request, TransientError
from notices.models import Channel, Delivery, ErrorCode, Notice
from tests.bot.test_discord_transport import Scenario, create, ignore, talk
from tests.engine_driver import run_until
from tests.fake_transport import FakeTransport
from tests.fakediscord_driver import FakeDiscordProcess


@pytest.fixture
def server() -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess() as process:
        yield process


@pytest.fixture
def thread(server: FakeDiscordProcess) -> int:
    return int(server.add_thread(server.text_channels()[0], "7주차")["id"])


def edit(created: Request, answer: Answer) -> Request:
    changed = create(created.channel_id, revision=2)
    return replace(changed, action="edit", message_id=answer.message_id, revision=2)


def delete(created: Request, answer: Answer) -> Request:
    return replace(created, action="delete", message_id=answer.message_id, payload=None)


def in_archived(
    server: FakeDiscordProcess, thread: int, told: list[object], *, locked: bool = False
) -> Scenario:
    """Edit and then delete a message whose thread is archived before each request."""

    async def scenario(transport: DiscordTransport) -> None:
        created = create(thread)
        answer = await transport.perform(created, ignore)
        for change in (edit, delete):
            server.change_channel(thread, archived=True, locked=locked)
            await transport.perform(change(created, answer), told.append)

    return scenario


def is_archived(server: FakeDiscordProcess, thread: int) -> bool:
    [found] = [
        one for guild in server.state()["guilds"] for one in guild["threads"]
        if one["id"] == str(thread)
    ]  # fmt: skip
    return bool(found["thread_metadata"]["archived"])


def test_an_archived_thread_is_opened_for_an_edit_and_for_a_deletion(
    server: FakeDiscordProcess, thread: int
) -> None:
    told: list[object] = []
    talk(server, in_archived(server, thread, told))
    assert [type(one) for one in told] == [Answer, Answer]
    assert server.messages(thread) == []
    assert not is_archived(server, thread)


def test_a_locked_thread_refuses_an_edit_for_good(server: FakeDiscordProcess, thread: int) -> None:
    told: list[object] = []
    with pytest.raises(PermanentError) as refused:
        talk(server, in_archived(server, thread, told, locked=True))
    assert refused.value.code == 50083
    assert told == []
    assert len(server.messages(thread)) == 1


def test_a_thread_that_is_archived_again_and_again_is_opened_once(
    server: FakeDiscordProcess, thread: int
) -> None:
    server.fault(kind="status", method="PATCH", path="/messages/", status=400, code=50083)
    told: list[object] = []
    with pytest.raises(PermanentError) as refused:
        talk(server, in_archived(server, thread, told))
    assert refused.value.code == 50083
    paths = [one["path"] for one in server.requests() if one["method"] == "PATCH"]
    assert [path.endswith(str(thread)) for path in paths] == [False, True, False]


@pytest.mark.parametrize("trouble", [{"status": 503}, {"status": 200, "body": "<html>"}])
def test_an_opening_that_fails_for_the_moment_is_tried_later(
    server: FakeDiscordProcess, thread: int, trouble: dict[str, object]
) -> None:
    server.fault(kind="status", method="PATCH", path=f"/channels/{thread}$", **trouble)
    with pytest.raises(TransientError):
        talk(server, in_archived(server, thread, []))
    assert len(server.messages(thread)) == 1


def test_a_limit_for_all_at_an_opening_does_not_stop_everything_for_good(
    server: FakeDiscordProcess, thread: int
) -> None:
    """Cut off in its sleep for that limit, discord.py would never let a request out again."""
    opening = {"method": "PATCH", "path": f"/channels/{thread}$"}
    body = {"message": "You are being rate limited.", "retry_after": 1.5, "global": True}
    server.fault(kind="status", status=429, times=1, scope="global", body=body, **opening)

    async def scenario(transport: DiscordTransport) -> None:
        created = create(thread)
        answer = await transport.perform(created, ignore)
        server.change_channel(thread, archived=True)
        with pytest.raises(TransientError) as limited:
            await transport.perform(edit(created, answer), ignore)
        assert limited.value.rests is Rests.EVERYTHING
        await asyncio.sleep(limited.value.retry_after)
        await transport.perform(edit(created, answer), ignore)

    talk(server, scenario, timeout=1.0)


def test_a_timeout_is_waited_out_before_a_thread_is_opened(
    server: FakeDiscordProcess, thread: int
) -> None:
    until = timezone.now() + timedelta(seconds=60)

    async def scenario(transport: DiscordTransport) -> None:
        created = create(thread)
        answer = await transport.perform(created, ignore)
        server.change_channel(thread, archived=True)
        transport.timed_out_until = lambda _channel_id: until
        with pytest.raises(TransientError) as waits:
            await transport.perform(delete(created, answer), ignore)
        assert waits.value.code == ErrorCode.TIMED_OUT

    talk(server, scenario)
    assert is_archived(server, thread)


@pytest.mark.parametrize("change", [None, edit])
def test_no_request_goes_out_while_the_bot_is_timed_out(
    server: FakeDiscordProcess, thread: int, change: Callable[[Request, Answer], Request] | None
) -> None:
    until = timezone.now() + timedelta(seconds=60)

    async def scenario(transport: DiscordTransport) -> None:
        request = create(thread)
        if change:
            request = change(request, await transport.perform(request, ignore))
        asked = len(server.requests())
        transport.timed_out_until = lambda _channel_id: until
        with pytest.raises(TransientError) as waits:
            await transport.perform(request, ignore)
        assert waits.value.code == ErrorCode.TIMED_OUT
        assert 50 < waits.value.retry_after <= 60
        assert waits.value.done is False
        assert len(server.requests()) == asked
        if change:
            await transport.perform(delete(request, Answer(request.message_id)), ignore)

    talk(server, scenario)


@pytest.mark.django_db(transaction=True)
def test_a_notice_waits_for_a_timeouts_end_and_uses_no_tries(
    notice: Notice, channel: Channel
) -> None:
    discord = FakeTransport()
    timed_out = TransientError("timed out", code=ErrorCode.TIMED_OUT, retry_after=3600)
    discord.script[channel.pk] = [timed_out]
    waits = notice.deliveries.filter(state="waiting", error_code=ErrorCode.TIMED_OUT).exists
    run_until(waits, discord)
    delivery = notice.deliveries.get()
    assert (delivery.tries, delivery.shown) == (0, None)
    assert delivery.due_at is not None
    assert delivery.due_at > timezone.now() + timedelta(minutes=50)
    # A moderator takes it back.
    Channel.objects.filter(pk=channel.pk).update(guild_id=7)
    assert end_timeouts(8, timezone.now()) == 0
    assert end_timeouts(7, timezone.now()) == 1
    run_until(notice.deliveries.filter(state="sent").exists, discord)
    assert Delivery.objects.get().error_code is None
