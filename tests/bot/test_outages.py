"""An outage concerns one request, a channel, a guild or everything, and delays nothing else."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notices import actions
from notices.advice.error_codes import Rests
from notices.bot import outages
from notices.bot.engine import Engine
from notices.delivery.due import Shards, oldest_due
from notices.delivery.recovery import TIMEOUT_TOLD_WITHIN, begin_timeouts, note_pauses, pauses
from notices.delivery.request import PermanentError, TransientError, Word
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice, Pause
from tests.engine_driver import run_until, running, until
from tests.fake_transport import FakeTransport

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = TransientError("HTTP 403: <html>", code=ErrorCode.NOT_FROM_DISCORD)
GONE = PermanentError("Unknown Channel", code=10003)
CLOSED = PermanentError("Missing Access", code=50001)
FORBIDDEN = PermanentError("Missing Permissions", code=50013)


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


@pytest.fixture(autouse=True)
def _no_tries(settings: Any) -> None:
    """A delivery that uses up a try fails at once."""
    settings.MAX_SEND_RETRIES = 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels that are away are asked about often."""
    monkeypatch.setattr(outages, "LONGEST_CHANNEL_PAUSE_SECONDS", 0.02)


def is_status(notice: Notice, wanted: str) -> bool:
    return Notice.objects.get(pk=notice.pk).status == wanted


def later(seconds: float, work: Callable[[], object]) -> Callable[[object], None]:
    def begin(_engine: object) -> None:
        asyncio.get_running_loop().call_later(seconds, work)

    return begin


def second_notice(notice: Notice, *channels: Channel) -> Notice:
    other = Notice.objects.create(
        study=notice.study, title="둘째", content="…", publish_at=timezone.now()
    )
    other.channels.set(channels)
    return other


@pytest.mark.parametrize("trouble", [PAGE, TransientError("HTTP 503", code=503, done=None)])
def test_a_channel_with_useless_answers_waits_and_uses_up_no_tries(
    notice: Notice,
    channel: Channel,
    other_notice: Notice,
    discord: FakeTransport,
    trouble: TransientError,
    quick: None,
) -> None:
    discord.closed[channel.pk] = trouble

    def others_are_well() -> bool:
        away = notice.deliveries.filter(setbacks=1)
        return is_status(other_notice, "sent") and away.exists()

    run_until(others_are_well, discord)
    delivery = notice.deliveries.get()
    assert (delivery.tries, delivery.error_code) == (0, trouble.code)
    assert Channel.objects.get(pk=channel.pk).refused_at is None
    run_until(lambda: is_status(notice, "sent"), discord, during=later(0.2, discord.closed.clear))
    assert notice.deliveries.get().error_code is None
    assert not Pause.objects.exists()


@pytest.mark.parametrize("refusal", [GONE, CLOSED, PermanentError("Unknown Guild", code=10004)])
@pytest.mark.parametrize("word", [Word.AWAY, Word.REACHABLE, Word.NONE])
def test_a_guild_that_is_away_makes_its_notices_wait(
    notice: Notice,
    channel: Channel,
    other_notice: Notice,
    discord: FakeTransport,
    refusal: PermanentError,
    word: Word,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However long this machine takes, the guild is back before Discord is believed.
    monkeypatch.setattr(outages, "MOST_DENIALS", 10**6)
    monkeypatch.setattr(outages, "MOST_REFUSALS", dict.fromkeys(outages.MOST_REFUSALS, 10**6))
    discord.closed[channel.pk] = refusal
    discord.words[channel.pk] = word

    def waits() -> bool:
        reason = notice.deliveries.filter(state="waiting", error_code=ErrorCode.SERVER_AWAY)
        return is_status(other_notice, "sent") and reason.exists()

    run_until(waits, discord)
    later_one = second_notice(notice, channel)
    run_until(
        lambda: is_status(notice, "sent") and is_status(later_one, "sent"),
        discord,
        during=later(0.1, discord.closed.clear),
    )
    assert set(Delivery.objects.values_list("tries", flat=True)) == {0}
    assert Channel.objects.get(pk=channel.pk).refused_at is None


def test_one_question_is_asked_in_a_guild_that_the_gateway_calls_away(
    notice: Notice, channel: Channel, second_channel: Channel, discord: FakeTransport, quick: None
) -> None:
    for one in (channel, second_channel):
        discord.closed[one.pk] = GONE
        discord.words[one.pk] = Word.AWAY
    waiting = [second_notice(notice, channel, second_channel) for _n in range(5)]
    run_until(lambda: len(discord.asked) > 2 * outages.MOST_DENIALS, discord)
    assert len(discord.requests) == 2
    assert not Delivery.objects.filter(state="failed").exists()

    async def scenario() -> None:
        async with running(discord) as engine:
            discord.closed.clear()
            engine.guild_is_back(channel.guild_id or 0)
            await until(engine, lambda: all(is_status(one, "sent") for one in waiting))

    asyncio.run(scenario())


def test_the_gateways_word_ends_the_wait_at_once(
    notice: Notice, channel: Channel, discord: FakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "pause_seconds", lambda _tries: 1000)
    monkeypatch.setattr(outages, "LONGEST_CHANNEL_PAUSE_SECONDS", 1000)
    discord.closed[channel.pk] = GONE
    discord.words[channel.pk] = Word.AWAY
    Channel.objects.update(refused_at=timezone.now(), refused_code=50013)

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, lambda: Pause.objects.exists())
            discord.closed.clear()
            engine.guild_is_back(channel.guild_id or 0)
            await until(engine, lambda: is_status(notice, "sent"))

    asyncio.run(scenario())
    assert not Channel.objects.filter(guild_id=channel.guild_id, refused_at__isnull=False).exists()


def test_a_channel_that_is_really_gone_is_believed_to_be(
    notice: Notice, channel: Channel, discord: FakeTransport, quick: None
) -> None:
    discord.closed[channel.pk] = GONE
    discord.words[channel.pk] = Word.NONE
    deleted = later(0.2, lambda: discord.words.update({channel.pk: Word.UNREACHABLE}))
    run_until(lambda: is_status(notice, "failed"), discord, during=deleted)
    assert notice.deliveries.get().error_code == 10003
    assert Channel.objects.get(pk=channel.pk).refused_code == 10003


@pytest.mark.parametrize(("refusal", "word"), [(CLOSED, Word.REACHABLE), (FORBIDDEN, Word.NONE)])
def test_a_history_that_may_not_be_read_leaves_the_decision_to_the_leader_at_once(
    notice: Notice, channel: Channel, discord: FakeTransport, refusal: PermanentError, word: Word
) -> None:
    discord.script[channel.pk] = ["lose", refusal]
    discord.words[channel.pk] = word
    run_until(lambda: notice.deliveries.filter(Delivery.UNDECIDED).exists(), discord, window=0)
    assert notice.deliveries.get().error_code == ErrorCode.NOT_READABLE
    assert len(discord.requests) == 2


def test_a_channels_pause_is_known_to_the_bot_of_its_shard_alone(channel: Channel) -> None:
    now = timezone.now()
    note_pauses([Pause.EVERYTHING, channel.pk], now + timedelta(hours=1))
    assert channel.guild_id is not None
    mine = (channel.guild_id >> 22) % 2
    found = [
        {pause.channel_id for pause in pauses(now, Shards((shard,), 2))}
        for shard in (mine, 1 - mine)
    ]
    assert found == [{Pause.EVERYTHING, channel.pk}, {Pause.EVERYTHING}]
    assert pauses(now + timedelta(hours=2), Shards()) == []


def test_discords_refusal_is_believed_in_the_end_without_the_gateways_word(
    notice: Notice, channel: Channel, discord: FakeTransport, quick: None
) -> None:
    discord.closed[channel.pk] = CLOSED
    discord.words[channel.pk] = Word.REACHABLE
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == 50001


@pytest.mark.parametrize("refusal", [CLOSED, GONE])
def test_a_refusal_to_write_is_believed_in_the_end_though_the_channel_is_readable(
    notice: Notice,
    channel: Channel,
    discord: FakeTransport,
    quick: None,
    refusal: PermanentError,
) -> None:
    discord.script[channel.pk] = [refusal] * 100
    discord.words[channel.pk] = Word.REACHABLE
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == refusal.code
    assert Channel.objects.get(pk=channel.pk).refused_code == refusal.code


@pytest.mark.parametrize("word", [Word.REACHABLE, Word.NONE])
@pytest.mark.parametrize("guild_id", [7, None])
def test_a_missing_permission_is_believed_at_once(
    notice: Notice, channel: Channel, discord: FakeTransport, word: Word, guild_id: int | None
) -> None:
    Channel.objects.update(guild_id=guild_id)
    discord.script[channel.pk] = [FORBIDDEN]
    discord.words[channel.pk] = word
    run_until(lambda: is_status(notice, "failed"), discord)
    assert len(discord.requests) == 1


@pytest.mark.parametrize("refusal", [FORBIDDEN, PermanentError("archived", code=50083)])
def test_a_refusal_by_a_timeout_that_is_told_later_waits_for_its_end(
    notice: Notice, channel: Channel, discord: FakeTransport, refusal: PermanentError
) -> None:
    discord.script[channel.pk] = [refusal]
    run_until(lambda: is_status(notice, "failed"), discord)
    long_after = timezone.now() + TIMEOUT_TOLD_WITHIN * 2
    assert begin_timeouts([channel.pk], long_after) == 0
    assert begin_timeouts([channel.pk + 1], timezone.now()) == 0
    assert begin_timeouts([channel.pk], timezone.now()) == 1
    assert notice.deliveries.get().error_code is None
    run_until(lambda: is_status(notice, "sent"), discord)


def test_a_leader_is_asked_in_the_end_when_a_channel_only_fails(
    notice: Notice,
    channel: Channel,
    discord: FakeTransport,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "MOST_FAILURES", 3)
    discord.closed[channel.pk] = PAGE
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == ErrorCode.NOT_FROM_DISCORD
    discord.closed.clear()
    actions.send_again(notice)
    run_until(lambda: is_status(notice, "sent"), discord)


def test_a_withdrawal_is_not_over_while_the_channel_is_away(
    notice: Notice, channel: Channel, discord: FakeTransport, quick: None
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.script[channel.pk] = [GONE, PAGE]
    discord.words[channel.pk] = Word.REACHABLE
    actions.withdraw(notice)
    run_until(lambda: is_status(notice, "withdrawn"), discord)
    assert discord.shown[channel.pk] == {}
    assert [r.action for r in discord.requests] == ["create", "delete", "delete", "delete"]


def test_a_successful_send_leaves_no_mark(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    now = timezone.now()
    Channel.objects.filter(pk=channel.pk).update(
        gone_at=now, permissions=0, refused_at=now, refused_code=10003
    )
    run_until(lambda: is_status(notice, "sent"), discord)
    channel.refresh_from_db()
    assert (channel.gone_at, channel.permissions) == (None, None)
    assert (channel.refused_at, channel.refused_code) == (None, None)


# --- named pauses --------------------------------------------------------------------------


def paused(seconds: float, rests: Rests) -> TransientError:
    return TransientError("rate limited", code=429, retry_after=seconds, rests=rests)


def test_a_pause_of_a_channel_holds_its_deliveries_and_no_others(
    notice: Notice, channel: Channel, second_channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [paused(60, Rests.CHANNEL)]
    waiting = [second_notice(notice, channel, second_channel) for _n in range(5)]

    def others_are_sent() -> bool:
        sent = Delivery.objects.filter(state="sent", channel=second_channel)
        return sent.count() == len(waiting)

    run_until(others_are_sent, discord)
    assert [r.channel_id for r in discord.requests].count(channel.pk) == 1
    assert discord.asked == []
    assert oldest_due(timezone.now() + timedelta(seconds=50)) is None


def test_a_pause_of_creates_holds_up_no_change(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.script[channel.pk] = [paused(60, Rests.CHANNEL)]
    other = second_notice(notice, channel)
    run_until(lambda: other.deliveries.filter(error_code=429).exists(), discord)
    actions.withdraw(notice)

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, lambda: is_status(notice, "withdrawn"))

    asyncio.run(scenario())
    assert not is_status(other, "sent")


def test_a_pause_of_a_guild_that_nobody_knows_holds_one_channel_alone(
    notice: Notice, channel: Channel, second_channel: Channel, discord: FakeTransport
) -> None:
    Channel.objects.update(guild_id=None)
    discord.script[channel.pk] = [paused(60, Rests.GUILD)]
    run_until(lambda: Pause.objects.exists(), discord)
    second = second_notice(notice, second_channel)
    run_until(lambda: is_status(second, "sent"), discord)
    assert set(Pause.objects.values_list("channel_id", flat=True)) == {channel.pk}


@pytest.mark.parametrize("rests", [Rests.CHANNEL, Rests.GUILD, Rests.EVERYTHING])
def test_a_pause_survives_a_restart(
    notice: Notice,
    channel: Channel,
    second_channel: Channel,
    other_notice: Notice,
    discord: FakeTransport,
    rests: Rests,
) -> None:
    discord.script[channel.pk] = [paused(60, rests)]
    Notice.objects.filter(pk=other_notice.pk).update(publish_at=None)
    run_until(lambda: Pause.objects.exists(), discord)
    waiting = second_notice(notice, channel, second_channel)
    Notice.objects.filter(pk=other_notice.pk).update(publish_at=timezone.now())
    reached = {Rests.CHANNEL: {"second", "other"}, Rests.GUILD: {"other"}}.get(rests, set())

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, lambda: waiting.deliveries.count() == 2)
            await until(engine, lambda: shown_elsewhere() == reached)

    def shown_elsewhere() -> set[str]:
        names = {second_channel.pk: "second", channel.pk: "first"}
        sent = Delivery.objects.filter(state="sent").values_list("channel_id", flat=True)
        return {names.get(pk, "other") for pk in sent}

    asyncio.run(scenario())
    assert [r.channel_id for r in discord.requests].count(channel.pk) == 1
    if rests is Rests.EVERYTHING:
        assert 50 < discord.rests_for <= 60


def test_a_pause_of_one_message_holds_no_other(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [paused(60, Rests.MESSAGE)]
    other = second_notice(notice, channel)
    run_until(lambda: is_status(other, "sent") and notice.deliveries.exists(), discord)
    assert not Pause.objects.exists()
    assert notice.deliveries.get().due_at is not None


def test_the_pause_of_an_outage_is_as_long_as_discord_asks(
    notice: Notice, discord: FakeTransport, channel: Channel
) -> None:
    discord.up = False
    discord.down = paused(60, Rests.EVERYTHING)
    discord.script[channel.pk] = [TransientError("HTTP 503", code=503, done=None)]
    run_until(lambda: notice.deliveries.filter(setbacks=1).exists(), discord)

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, lambda: engine.paused_since is not None)
            asked = len(discord.asked)
            await asyncio.sleep(1.5)  # three times the usual time between questions
            assert len(discord.asked) == asked

    discord.script[channel.pk] = [TransientError("HTTP 503", code=503, done=None)]
    Delivery.objects.update(due_at=timezone.now())
    asyncio.run(scenario())


def test_a_stop_does_not_wait_for_a_pause(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [paused(3600, Rests.EVERYTHING)]

    async def scenario() -> None:
        async with running(discord, patience=5) as engine:
            await until(engine, lambda: engine.paused_since is not None)

    asyncio.run(scenario())
    assert Attempt.objects.get().outcome == "transient"


def test_the_bot_asks_less_and_less_while_discord_carries_nothing_out(
    notice: Notice,
    channel: Channel,
    second_channel: Channel,
    other_notice: Notice,
    discord: FakeTransport,
) -> None:
    """Each refusal counts towards a ban of the address."""
    third = Channel.objects.create(id=1100000000000000013, guild_id=channel.guild_id)
    notice.study.channels.add(third)
    notice.channels.add(second_channel, third)
    for one in Channel.objects.all():
        discord.script[one.pk] = [PAGE] * 1000
    paused: list[bool] = []

    def watch(engine: Engine) -> None:
        def look() -> None:
            paused.append(engine.paused_since is not None)
            asyncio.get_running_loop().call_later(0.05, look)

        look()

    run_until(lambda: len(paused) > 80, discord, during=watch)
    assert len(discord.requests) < 30
    assert not Delivery.objects.filter(state="failed").exists()
