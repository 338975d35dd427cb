"""The transport turns discord.py's errors and pauses into ours; it talks to a real server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import discord
import pytest
from django.utils import timezone

from notices.advice.error_codes import Rests
from notices.advice.permissions import EMBED_LINKS
from notices.bot.discord_client import StudyBotClient
from notices.bot.discord_transport import DiscordTransport
from notices.delivery.request import Answer, PermanentError, Request, TransientError
from notices.models import ErrorCode
from tests.fakediscord_driver import FakeDiscordProcess

NONCE = "23456789AB"
ALL_PERMISSIONS = (1 << 53) - 1
Scenario = Callable[[DiscordTransport], Awaitable[None]]


@pytest.fixture
def server() -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess() as process:
        yield process


@pytest.fixture
def channel(server: FakeDiscordProcess) -> int:
    return int(server.text_channels()[0])


def create(channel: int, nonce: str = NONCE, revision: int = 1) -> Request:
    embed = {"title": "공지", "footer": {"text": f"스터디 · {nonce}-{revision}"}}
    payload = {
        "embeds": [embed], "nonce": nonce, "enforce_nonce": True, "allowed_mentions": {"parse": []},
    }  # fmt: skip
    return Request(1, 1, 1, "create", channel, nonce, payload=payload)


def ignore(_told: object) -> None:
    pass


def talk(
    server: FakeDiscordProcess, scenario: Scenario, *, timeout: float = 5, stale: float = 30
) -> None:
    async def run() -> None:
        transport = DiscordTransport(rate=50, request_timeout=timeout, stale=stale)
        discord.http.Route.BASE = server.api_url
        client = StudyBotClient(
            echo=lambda *_seen: None, trace=transport.trace, shards=None, count=None
        )
        try:
            await client.login("token")
            transport.http = client.http
            transport.permissions_in = lambda _channel: ALL_PERMISSIONS
            await scenario(transport)
        finally:
            await client.http.close()

    asyncio.run(run())


def test_a_create_answers_with_the_message_and_its_revision(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        answer = await transport.perform(create(channel, revision=3), ignore)
        assert answer.revision == 3
        again = await transport.perform(create(channel, revision=4), ignore)
        assert again == answer  # Discord's answer to the same nonce: the first message

    talk(server, scenario)
    assert len(server.messages(channel)) == 1


def test_the_answer_is_told_before_the_sleep_for_the_bucket_is_over(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        for number in range(4):
            await transport.perform(create(channel, f"23456789A{number + 2}"), ignore)
        told = asyncio.Event()
        fifth = asyncio.create_task(transport.perform(create(channel), lambda _answer: told.set()))
        await told.wait()
        assert not fifth.done()
        fifth.cancel()
        await asyncio.gather(fifth, return_exceptions=True)

    talk(server, scenario)
    assert len(server.messages(channel)) == 5


@pytest.mark.parametrize(("status", "kind"), [(403, PermanentError), (500, TransientError)])
def test_an_error_is_told_before_the_sleep_for_the_bucket_is_over(
    server: FakeDiscordProcess, channel: int, status: int, kind: type[Exception]
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        for number in range(4):
            await transport.perform(create(channel, f"23456789A{number + 2}"), ignore)
        used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "4"}
        server.fault(kind="status", path="/messages$", status=status, code=50013, headers=used_up)
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        fifth = asyncio.create_task(transport.perform(create(channel), told.set_result))
        assert isinstance(await told, kind)
        assert not fifth.done()
        assert await transport.trouble() is None
        with pytest.raises(kind):
            await fifth

    talk(server, scenario)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_5xx_is_raised_at_once_and_not_repeated_by_discord_py(
    server: FakeDiscordProcess, channel: int, status: int
) -> None:
    server.fault(kind="status", method="POST", path="/messages$", status=status, times=1)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert (caught.value.code, caught.value.done) == (status, None)

    talk(server, scenario)
    assert sum(r["method"] == "POST" for r in server.requests()) == 1


@pytest.mark.parametrize("kind", ["lost_reply", "reset"])
def test_an_ended_connection_leaves_the_outcome_unknown(
    server: FakeDiscordProcess, channel: int, kind: str
) -> None:
    server.fault(kind=kind, method="POST", path="/messages$", times=1)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert (caught.value.code, caught.value.done) == (0, None)

    talk(server, scenario)


def test_a_hanging_request_is_cut_off(server: FakeDiscordProcess, channel: int) -> None:
    server.fault(kind="hang", method="POST", path="/messages$", times=1)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert caught.value.done is None
        await transport.perform(create(channel), ignore)

    talk(server, scenario, timeout=0.3)
    assert len(server.messages(channel)) == 1


def test_a_refused_connection_is_a_transient_error_and_an_outage(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        await asyncio.to_thread(server.stop)
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert caught.value.done is not True
        assert await transport.trouble() is not None

    talk(server, scenario)


@pytest.mark.parametrize(("status", "code"), [(403, 50013), (404, 10003), (400, 50035)])
def test_a_refusal_is_final_with_discords_code(
    server: FakeDiscordProcess, channel: int, status: int, code: int
) -> None:
    server.fault(kind="status", method="POST", path="/messages$", status=status, code=code, times=1)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(PermanentError) as caught:
            await transport.perform(create(channel), ignore)
        assert caught.value.code == code

    talk(server, scenario)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413])
@pytest.mark.parametrize("action", ["create", "edit", "delete", "look_up"])
def test_a_page_in_place_of_discords_answer_is_waited_out(
    server: FakeDiscordProcess, channel: int, status: int, action: str
) -> None:
    server.fault(kind="status", path="/messages", status=status, body="<!DOCTYPE html> blocked")
    request = replace(
        create(channel), action=action, message_id=None if action == "create" else 77,
        unknown_since=timezone.now(),
    )  # fmt: skip

    async def scenario(transport: DiscordTransport) -> None:
        told: list[object] = []
        with pytest.raises(TransientError) as caught:
            await transport.perform(request, told.append)
        assert caught.value.done is False
        assert caught.value.code == (401 if status == 401 else ErrorCode.NOT_FROM_DISCORD)
        assert [getattr(one, "code", None) for one in told] == [caught.value.code]

    talk(server, scenario)


@pytest.mark.parametrize(
    "answer", [{"body": "<html>404</html>"}, {"code": 10003}, {"code": 10004}, {}]
)
def test_only_discords_word_says_that_a_message_is_gone(
    server: FakeDiscordProcess, channel: int, answer: dict[str, object]
) -> None:
    server.fault(kind="status", method="DELETE", path="/messages/", status=404, times=1, **answer)

    async def scenario(transport: DiscordTransport) -> None:
        made = await transport.perform(create(channel), ignore)
        delete = Request(1, 1, 3, "delete", channel, NONCE, made.message_id)
        with pytest.raises((TransientError, PermanentError)):
            await transport.perform(delete, ignore)
        assert not (await transport.perform(delete, ignore)).shown

    talk(server, scenario)
    assert server.messages(channel) == []


def test_a_page_that_answers_the_login_does_not_say_that_the_token_is_wrong(
    server: FakeDiscordProcess,
) -> None:
    server.fault(kind="status", path="/users/@me$", status=401, body="<html>sign in</html>")

    async def never(_transport: DiscordTransport) -> None:
        raise AssertionError("it logged in")

    with pytest.raises(TransientError):
        talk(server, never)


@pytest.mark.parametrize("body", [[], "x", {"id": "x"}, {"id": str(2**70)}, {"embeds": 5}, 7])
def test_an_answer_that_makes_no_sense_leaves_the_outcome_unknown(
    server: FakeDiscordProcess, channel: int, body: object
) -> None:
    server.fault(kind="status", method="POST", path="/messages$", status=200, body=body)

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert caught.value.done is None

    talk(server, scenario)


@pytest.mark.parametrize("text", ["\ud800", "half of \udfff a pair"])
def test_text_that_cannot_be_written_is_refused_and_nothing_goes_out(
    server: FakeDiscordProcess, channel: int, text: str
) -> None:
    request = replace(create(channel), payload={"content": "", "embeds": [{"title": text}]})

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(PermanentError) as caught:
            await transport.perform(request, ignore)
        assert caught.value.code == ErrorCode.UNSENDABLE
        assert transport.waiting == 0

    talk(server, scenario)
    assert [r for r in server.requests() if r["method"] == "POST"] == []


def test_the_history_of_a_channel_that_the_gateway_does_not_list_is_read(
    server: FakeDiscordProcess, channel: int
) -> None:
    """The gateway lists no archived thread: one message in it proves that the bot may read."""
    server.write(channel, "잡담")
    begun = timezone.now() + timedelta(minutes=20)  # all messages there are older
    look_up = Request(1, 1, 1, "look_up", channel, NONCE, unknown_since=begun)

    async def scenario(transport: DiscordTransport) -> None:
        transport.permissions_in = lambda _channel: None
        assert not (await transport.perform(look_up, ignore)).shown

    talk(server, scenario)


def test_a_message_is_edited_deleted_and_its_absence_is_no_error(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        made = await transport.perform(create(channel), ignore)
        edit = create(channel, revision=2)
        edit = Request(1, 1, 2, "edit", channel, NONCE, made.message_id, edit.payload)
        assert (await transport.perform(edit, ignore)).revision == 2
        delete = Request(1, 1, 3, "delete", channel, NONCE, made.message_id)
        assert not (await transport.perform(delete, ignore)).shown
        assert not (await transport.perform(delete, ignore)).shown
        with pytest.raises(PermanentError) as caught:
            await transport.perform(edit, ignore)
        assert caught.value.code == 10008

    talk(server, scenario)


def test_the_history_finds_a_lost_message_by_its_marker(
    server: FakeDiscordProcess, channel: int
) -> None:
    # Our clock is minutes before Discord's.
    begun = timezone.now() + timedelta(minutes=9)
    look_up = Request(1, 1, 1, "look_up", channel, NONCE, unknown_since=begun)

    async def scenario(transport: DiscordTransport) -> None:
        assert not (await transport.perform(look_up, ignore)).shown
        made = await transport.perform(create(channel), ignore)
        for number in range(3):
            server.write(channel, f"잡담 {number}")
        assert await transport.perform(look_up, ignore) == made

    talk(server, scenario)


@pytest.mark.parametrize(
    ("body", "kind"), [("", "text/html"), ("<html></html>", "text/html"), ({}, "application/json")]
)
def test_an_unreadable_history_is_not_taken_for_an_empty_channel(
    server: FakeDiscordProcess, channel: int, body: object, kind: str
) -> None:
    look_up = Request(1, 1, 1, "look_up", channel, NONCE, unknown_since=timezone.now())
    headers = {"Content-Type": kind}
    server.fault(kind="status", method="GET", path="/messages$", status=200, body=body,
                 headers=headers)  # fmt: skip

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(look_up, ignore)
        assert caught.value.done is None

    talk(server, scenario)


def test_a_page_of_a_proxy_deletes_nothing(server: FakeDiscordProcess, channel: int) -> None:
    server.fault(kind="status", method="DELETE", path="/messages/", status=200, body="<html>")

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(Request(1, 1, 1, "delete", channel, NONCE, 77), ignore)
        assert caught.value.done is None

    talk(server, scenario)


def test_a_history_that_may_not_be_read_is_not_taken_for_empty(
    server: FakeDiscordProcess, channel: int
) -> None:
    look_up = Request(1, 1, 1, "look_up", channel, NONCE, unknown_since=timezone.now())

    async def scenario(transport: DiscordTransport) -> None:
        transport.permissions_in = lambda _channel: 1 << 10
        with pytest.raises(PermanentError):
            await transport.perform(look_up, ignore)
        transport.permissions_in = lambda _channel: None
        with pytest.raises(TransientError):
            await transport.perform(look_up, ignore)

    talk(server, scenario)


def test_a_ping_or_an_edit_without_its_embed_is_not_sent(
    server: FakeDiscordProcess, channel: int
) -> None:
    made: list[Answer] = []

    async def scenario(transport: DiscordTransport) -> None:
        made.append(await transport.perform(pinging(create(channel)), ignore))
        transport.permissions_in = lambda _channel: ALL_PERMISSIONS & ~EMBED_LINKS
        edit = replace(create(channel), action="edit", message_id=made[0].message_id)
        for request in (pinging(create(channel, "23456789AC")), pinging(edit), edit):
            with pytest.raises(PermanentError) as caught:
                await transport.perform(request, ignore)
            assert caught.value.code == 50013
        assert transport.waiting == 0

    talk(server, scenario)
    assert [request["method"] for request in server.requests()].count("POST") == 1
    [message] = server.messages(channel)
    assert message["edited_timestamp"] is None


def test_it_asks_discord_when_there_is_no_ping_or_no_known_permission(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        transport.permissions_in = lambda _channel: ALL_PERMISSIONS & ~EMBED_LINKS
        assert (await transport.perform(create(channel), ignore)).shown  # the cache was old
        transport.permissions_in = lambda _channel: None
        other = pinging(create(channel, "23456789AC"))
        assert (await transport.perform(other, ignore)).shown

    talk(server, scenario)


def pinging(request: Request) -> Request:
    return replace(request, payload={**(request.payload or {}), "content": "@everyone"})


def test_an_answer_without_its_embeds_is_still_the_message_that_was_sent(
    server: FakeDiscordProcess, channel: int
) -> None:
    bare: dict[str, object] = {"id": "77", "channel_id": str(channel), "embeds": []}
    server.fault(kind="status", method="POST", path="/messages$", status=200, body=bare, times=1)

    async def scenario(transport: DiscordTransport) -> None:
        answer = await transport.perform(create(channel, revision=5), ignore)
        assert answer == Answer(77, 5, is_emptied=True)

    talk(server, scenario)


def test_a_429_is_waited_out_and_costs_no_error(server: FakeDiscordProcess, channel: int) -> None:
    server.fault(**too_many(0.2))

    async def scenario(transport: DiscordTransport) -> None:
        assert (await transport.perform(create(channel), ignore)).shown

    talk(server, scenario)


def test_a_429_without_via_is_no_refusal(server: FakeDiscordProcess, channel: int) -> None:
    server.fault(**too_many(3, body="banned", via=False))

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert (caught.value.code, caught.value.done) == (429, False)

    talk(server, scenario)


def test_a_429_of_minutes_is_told_before_the_sleep_for_the_bucket_is_over(
    server: FakeDiscordProcess, channel: int
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        for number in range(4):
            await transport.perform(create(channel, f"23456789A{number + 2}"), ignore)
        server.fault(**too_many(90))
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        fifth = asyncio.create_task(transport.perform(create(channel), told.set_result))
        error = await told
        assert isinstance(error, TransientError)
        assert (error.retry_after, error.rests) == (90, Rests.CHANNEL)
        assert not fifth.done()
        fifth.cancel()
        await asyncio.gather(fifth, return_exceptions=True)

    talk(server, scenario)


def test_a_global_pause_holds_every_request_and_even_the_question(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.fault(**too_many(90, scope="global"))

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError):
            await transport.perform(create(channel), ignore)
        asked = len(server.requests())
        trouble = await transport.trouble()
        assert isinstance(trouble, TransientError)
        assert trouble.rests is Rests.EVERYTHING
        assert 80 < trouble.retry_after <= 90
        with pytest.raises(TransientError):
            await transport.perform(create(channel), ignore)
        assert len(server.requests()) == asked

    talk(server, scenario)


def test_it_gives_back_a_request_that_cannot_go_out(
    server: FakeDiscordProcess, channel: int
) -> None:
    """A bucket that is reset in an hour would hold its channel in "sending" for as long."""
    used_up = {
        "X-RateLimit-Limit": "1", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "3600",
    }  # fmt: skip
    server.fault(kind="status", method="POST", path="/messages$", status=400, code=50035, times=1,
                 headers=used_up)  # fmt: skip

    async def scenario(transport: DiscordTransport) -> None:
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        first = asyncio.create_task(transport.perform(create(channel), told.set_result))
        await told
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel, "23456789AC"), ignore)
        assert caught.value.done is False
        assert transport.waiting == 0
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    talk(server, scenario, stale=0.3)


@pytest.mark.parametrize("via", [True, False])
def test_a_429_of_minutes_is_raised_with_its_pause(
    server: FakeDiscordProcess, channel: int, via: bool
) -> None:
    server.fault(**too_many(90, via=via))

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert (caught.value.code, caught.value.done) == (429, False)
        assert caught.value.retry_after == 90

    talk(server, scenario)


def test_a_bucket_that_is_reset_in_minutes_can_be_used_up(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.settings(bucket_limit=3, bucket_seconds=90, bucket_window="fixed")

    async def scenario(transport: DiscordTransport) -> None:
        for number in (2, 3):
            assert (await transport.perform(create(channel, f"23456789A{number}"), ignore)).shown

    talk(server, scenario)


def test_a_request_that_waited_too_long_does_not_go_out(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.fault(**too_many(0.5))

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(create(channel), ignore)
        assert caught.value.done is False

    talk(server, scenario, stale=0.1)
    assert server.messages(channel) == []


def test_a_create_is_not_repeated_when_discord_may_have_forgotten_its_nonce(
    server: FakeDiscordProcess, channel: int
) -> None:
    late = replace(create(channel), resend_until=timezone.now())

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError) as caught:
            await transport.perform(late, ignore)
        assert caught.value.done is False

    talk(server, scenario)
    assert server.messages(channel) == []


def too_many(seconds: float, **more: object) -> dict[str, object]:
    return {
        "kind": "status", "method": "POST", "path": "/messages$", "status": 429, "times": 1,
        "headers": {"Retry-After": str(seconds)},
        "body": {"message": "You are being rate limited.", "retry_after": seconds, "global": False},
        **more,
    }  # fmt: skip


def test_the_question_whether_discord_is_up_answers_no_request(
    server: FakeDiscordProcess, channel: int
) -> None:
    server.fault(kind="status", method="POST", path="/messages$", status=500, times=1)
    told: list[object] = []

    async def scenario(transport: DiscordTransport) -> None:
        with pytest.raises(TransientError):
            await transport.perform(create(channel), told.append)
        assert await transport.trouble() is None  # in the same task, as a lane asks it

    talk(server, scenario)
    assert [type(one) for one in told] == [TransientError]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": '{"id": "11', "headers": {"Content-Type": "application/json"}},
        {"status": 200, "body": "<html>a proxy's own page</html>"},
        {"status": 429, "retry_after": 60},
        {"status": 502},
    ],
)
def test_it_goes_on_after_any_answer_about_discords_trouble(
    server: FakeDiscordProcess, channel: int, answer: dict[str, object]
) -> None:
    async def scenario(transport: DiscordTransport) -> None:
        server.fault(kind="status", method="GET", path="/users/@me$", times=1, **answer)
        async with asyncio.timeout(4):
            assert await transport.trouble() is not None
            assert await transport.trouble() is None
            assert (await transport.perform(create(channel), ignore)).shown

    talk(server, scenario, timeout=1)


def test_refusals_are_counted_against_discords_ban(
    server: FakeDiscordProcess, channel: int
) -> None:
    """401, 403 and 429 count, but not a 429 for what others do in the same channel."""
    for status, code in ((401, 0), (403, 50013)):
        server.fault(
            kind="status", method="POST", path="/messages$", status=status, code=code, times=1
        )

    async def scenario(transport: DiscordTransport) -> None:
        for kind in (TransientError, PermanentError):
            with pytest.raises(kind):
                await transport.perform(create(channel), ignore)
        assert transport.brake.refusals == 2
        await transport.perform(create(channel), ignore)
        assert transport.brake.refusals == 2

    talk(server, scenario)
