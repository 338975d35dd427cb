"""The bot takes note of messages and embeds that people remove in Discord."""

import asyncio
from collections.abc import Iterator
from typing import Any

import discord as discord_py
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from notices import actions
from notices.advice.permissions import SEND_MESSAGES, VIEW_CHANNEL
from notices.advice.reasons import explain
from notices.bot.engine import Engine
from notices.delivery.recovery import record_removals
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice
from tests.engine_driver import run_until, running, until
from tests.fake_transport import FakeTransport
from tests.fakediscord_driver import FakeDiscordProcess
from tests.live_bot import PATIENCE_SECONDS, Bot, live

pytestmark = pytest.mark.django_db(transaction=True)

DELETED, EMPTIED = ErrorCode.MESSAGE_DELETED, ErrorCode.MESSAGE_EMPTIED


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


@pytest.fixture
def shown(notice: Notice, discord: FakeTransport) -> Delivery:
    run_until(lambda: is_state(notice, "sent"), discord)
    return notice.deliveries.get()


def is_state(notice: Notice, wanted: str) -> bool:
    state = notice.deliveries.values_list("state", flat=True)
    return list(state) == [wanted] and not Notice.objects.not_fanned_out().exists()


def tell(discord: FakeTransport, delivery: Delivery, code: int, ends: str) -> None:
    def removed(engine: Any) -> None:
        assert delivery.message_id
        if code == DELETED:
            discord.shown[delivery.channel_id].pop(delivery.message_id)
        engine.removed(delivery.channel_id, [5, delivery.message_id, 6], code)

    run_until(lambda: is_state(delivery.notice, ends), discord, during=removed)
    delivery.refresh_from_db()


def test_a_deleted_message_is_told_and_not_posted_anew(
    shown: Delivery, discord: FakeTransport
) -> None:
    nonce = shown.nonce
    tell(discord, shown, DELETED, "failed")
    assert (shown.error_code, shown.message_id, shown.shown) == (DELETED, None, None)
    assert shown.nonce != nonce
    assert Notice.objects.get(pk=shown.notice_id).status == "failed"
    assert [request.action for request in discord.requests] == ["create"]


def test_a_leader_sends_a_deleted_message_again(shown: Delivery, discord: FakeTransport) -> None:
    tell(discord, shown, DELETED, "failed")
    notice = Notice.objects.get(pk=shown.notice_id)
    notice.title = "고친 제목"
    notice.save()
    run_until(lambda: not Notice.objects.not_fanned_out().exists(), discord)
    assert is_state(notice, "failed")  # an edit does not post the message anew
    assert actions.send_again(notice) == 1
    run_until(lambda: is_state(notice, "sent"), discord)
    assert list(discord.shown[shown.channel_id].values()) == [2]


def test_a_leader_withdraws_a_notice_whose_message_was_deleted(
    shown: Delivery, discord: FakeTransport
) -> None:
    tell(discord, shown, DELETED, "failed")
    actions.withdraw(shown.notice)
    run_until(lambda: is_state(shown.notice, "withdrawn"), discord)
    assert [request.action for request in discord.requests] == ["create"]


def test_a_deletion_by_ourselves_is_not_taken_for_somebodys(
    shown: Delivery, discord: FakeTransport
) -> None:
    async def scenario() -> None:
        answer = asyncio.Event()
        discord.script[shown.channel_id] = [answer]
        async with running(discord) as engine:
            await engine.in_database(actions.withdraw, shown.notice)
            await until(engine, lambda: is_state(shown.notice, "sending"))
            # The gateway is quicker than the answer.
            engine.removed(shown.channel_id, [shown.message_id or 0], DELETED)
            await engine.in_database(Delivery.objects.count)
            answer.set()
            await until(engine, lambda: is_state(shown.notice, "withdrawn"))

    asyncio.run(scenario())
    assert Attempt.objects.get(action="delete").outcome == "gone"


def test_a_deletion_during_an_edit_is_told_after_it(
    shown: Delivery, discord: FakeTransport
) -> None:
    async def scenario() -> None:
        answer = asyncio.Event()
        discord.script[shown.channel_id] = [answer]
        async with running(discord) as engine:
            await engine.in_database(change, shown.notice)
            await until(engine, lambda: is_state(shown.notice, "sending"))
            engine.removed(shown.channel_id, [shown.message_id or 0], DELETED)
            await engine.in_database(Delivery.objects.count)
            answer.set()  # the edit came first, and was answered with the message
            await until(engine, lambda: is_state(shown.notice, "failed"))

    asyncio.run(scenario())
    shown.refresh_from_db()
    assert (shown.error_code, shown.message_id) == (DELETED, None)


def test_a_deletion_that_comes_before_the_creates_answer_is_told(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    async def scenario() -> None:
        async with running(discord) as engine:

            def delete_at_once() -> None:
                """Delete the message after it was made and before Discord answers."""
                [message_id] = discord.shown[channel.pk]
                engine.removed(channel.pk, [message_id], DELETED)

            discord.made = delete_at_once
            await until(engine, lambda: is_state(notice, "failed"))

    asyncio.run(scenario())
    assert notice.deliveries.get().error_code == DELETED


def change(notice: Notice) -> None:
    notice.title = "고친 제목"
    notice.save()


def test_a_removed_embed_is_a_failure_until_the_next_edit_brings_it_back(
    shown: Delivery, discord: FakeTransport
) -> None:
    tell(discord, shown, EMPTIED, "failed")
    assert (shown.error_code, shown.shown) == (EMPTIED, 1)
    assert shown.message_id
    change(shown.notice)
    run_until(lambda: is_state(shown.notice, "sent"), discord)
    assert [request.action for request in discord.requests] == ["create", "edit"]
    shown.refresh_from_db()
    assert shown.error_code is None


def test_an_answer_without_an_embed_is_a_failure(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    """Discord drops the embed if, for instance, the bot may not embed links."""
    discord.emptied.add(channel.pk)
    run_until(lambda: is_state(notice, "failed"), discord)
    delivery = notice.deliveries.get()
    assert (delivery.error_code, delivery.shown) == (EMPTIED, 1)
    channel.permissions = VIEW_CHANNEL | SEND_MESSAGES
    with translation.override("en"):
        assert "embed links" in explain(EMPTIED, channel).reason
    discord.emptied.clear()
    actions.send_again(notice)
    run_until(lambda: is_state(notice, "sent"), discord)
    assert [request.action for request in discord.requests] == ["create", "edit"]


def test_an_answer_that_shows_no_embed_counts_though_the_echo_came_first(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.emptied.add(channel.pk)

    def tell_first(engine: Engine) -> None:
        def echo() -> None:
            [(nonce, message_id)] = discord.by_nonce.items()
            engine.echo(nonce, message_id, 1)

        discord.made = echo

    run_until(lambda: is_state(notice, "failed"), discord, during=tell_first)
    assert notice.deliveries.get().error_code == EMPTIED


def test_a_leader_has_a_removed_embed_shown_again(shown: Delivery, discord: FakeTransport) -> None:
    tell(discord, shown, EMPTIED, "failed")
    assert actions.send_again(shown.notice) == 1
    run_until(lambda: is_state(shown.notice, "sent"), discord)
    assert [request.action for request in discord.requests] == ["create", "edit"]


def test_an_embed_that_a_moderator_brings_back_is_shown(
    shown: Delivery, discord: FakeTransport
) -> None:
    async def scenario() -> None:
        async with running(discord) as engine:
            engine.removed(shown.channel_id, [shown.message_id or 0], EMPTIED)
            await until(engine, lambda: is_state(shown.notice, "failed"))
            engine.echo(shown.nonce, shown.message_id or 0, 1)
            await until(engine, lambda: is_state(shown.notice, "sent"))

    asyncio.run(scenario())
    assert [request.action for request in discord.requests] == ["create"]


def test_the_removal_of_a_foreign_message_changes_nothing(shown: Delivery) -> None:
    before = list(Delivery.objects.values())
    with CaptureQueriesContext(connection) as queries:
        codes = dict.fromkeys(range(1, 100), DELETED)
        assert record_removals(codes, timezone.now()) == 0
    assert len(queries) == 1
    assert list(Delivery.objects.values()) == before


@pytest.mark.parametrize("code", [DELETED, EMPTIED])
def test_the_reason_offers_to_send_again(code: int) -> None:
    with translation.override("en"):
        assert explain(code).remedy.startswith("Send it again")


@pytest.fixture
def server() -> Iterator[FakeDiscordProcess]:
    with FakeDiscordProcess() as process:
        yield process


def test_the_gateway_tells_of_deleted_messages_and_removed_embeds(
    server: FakeDiscordProcess,
) -> None:
    told: list[tuple[int, list[int], int]] = []
    channel = server.text_channels()[0]

    async def wait_for(*expected: tuple[int, list[int], int]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while told != list(expected):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        told.clear()

    async def scenario(bot: Bot) -> None:
        await bot.in_step(Channel.objects.filter(pk=channel).exists)
        send = bot.client.get_partial_messageable(int(channel)).send
        embed = discord_py.Embed(title="공지").set_footer(text="스터디 · 23456789AB-1")
        one, two, three = [await send(embed=embed) for _n in range(3)]
        theirs = await asyncio.to_thread(server.write, channel, "남의 글")
        at = int(channel)
        await asyncio.to_thread(server.suppress_embeds, channel, one.id)
        await wait_for((at, [one.id], EMPTIED))
        await asyncio.to_thread(server.suppress_embeds, channel, theirs["id"])
        await asyncio.to_thread(server.delete_message, channel, one.id)
        await wait_for((at, [one.id], DELETED))
        await asyncio.to_thread(server.delete_messages, channel, two.id, three.id)
        await wait_for((at, [two.id, three.id], DELETED))
        # Discord used to send only the fields that had changed.
        change = {"id": "7", "channel_id": channel, "embeds": [], "flags": 4}
        await asyncio.to_thread(server.gateway, "event", event="MESSAGE_UPDATE", data=change)
        await wait_for((at, [7], EMPTIED))

    live(server, scenario, removed=lambda *one: told.append(one))
