"""An outage has a size: a request, a channel, a guild, everything. The others are not hurt."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notices import ledger, outages
from notices.codes import Rests
from notices.delivery import Engine
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice, Pause
from notices.transport import PermanentError, TransientError, Word
from tests.engine_driver import run_until, running, until
from tests.fake_transport import FakeTransport

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = TransientError("HTTP 403: <html>", code=ErrorCode.NOT_FROM_DISCORD)
GONE = PermanentError("Unknown Channel", code=10003)
CLOSED = PermanentError("Missing Access", code=50001)


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


@pytest.fixture(autouse=True)
def _no_tries(settings: Any) -> None:
    """Whatever uses up a try fails at once."""
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
def test_a_channel_that_answers_nothing_of_use_waits_and_uses_up_no_tries(
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
    monkeypatch.setattr(outages, "MOST_DENIALS", 10**6)
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


def test_while_the_gateway_calls_the_guild_away_nobody_else_asks_there(
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


def test_a_history_that_may_not_be_read_leaves_the_decision_to_the_leader_at_once(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose", CLOSED]
    discord.words[channel.pk] = Word.REACHABLE
    run_until(lambda: notice.deliveries.filter(Delivery.UNDECIDED).exists(), discord, window=0)
    assert notice.deliveries.get().error_code == ErrorCode.NOT_READABLE


def test_the_bot_of_other_shards_leaves_alone_what_is_its_own(channel: Channel) -> None:
    now = timezone.now()
    ledger.note_pauses([Pause.EVERYTHING, channel.pk], now + timedelta(hours=1))
    assert channel.guild_id is not None
    mine = (channel.guild_id >> 22) % 2
    found = [
        {pause.channel_id for pause in ledger.pauses(now, ledger.Shards((shard,), 2))}
        for shard in (mine, 1 - mine)
    ]
    assert found == [{Pause.EVERYTHING, channel.pk}, {Pause.EVERYTHING}]
    assert ledger.pauses(now + timedelta(hours=2), ledger.Shards()) == []


def test_without_the_gateways_word_discord_is_believed_in_the_end(
    notice: Notice, channel: Channel, discord: FakeTransport, quick: None
) -> None:
    discord.closed[channel.pk] = CLOSED
    discord.words[channel.pk] = Word.REACHABLE
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == 50001


@pytest.mark.parametrize("refusal", [CLOSED, GONE])
def test_a_channel_that_can_be_read_but_never_written_to_is_believed_in_the_end(
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


def test_a_leader_is_asked_in_the_end_where_a_channel_only_fails(
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
    notice.send_again()
    run_until(lambda: is_status(notice, "sent"), discord)


def test_a_withdrawal_is_not_over_while_the_channel_is_away(
    notice: Notice, channel: Channel, discord: FakeTransport, quick: None
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.script[channel.pk] = [GONE, PAGE]
    discord.words[channel.pk] = Word.REACHABLE
    notice.withdraw()
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


def test_a_pause_of_a_channel_rests_all_that_waits_there_and_nobody_else(
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
    assert ledger.oldest_due(timezone.now() + timedelta(seconds=50)) is None


def test_a_pause_of_creates_holds_up_no_change(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.script[channel.pk] = [paused(60, Rests.CHANNEL)]
    other = second_notice(notice, channel)
    run_until(lambda: other.deliveries.filter(error_code=429).exists(), discord)
    notice.withdraw()

    async def scenario() -> None:
        async with running(discord) as engine:
            await until(engine, lambda: is_status(notice, "withdrawn"))

    asyncio.run(scenario())
    assert not is_status(other, "sent")


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


def test_a_pause_of_one_message_is_its_own(
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
            await asyncio.sleep(1.5)  # thrice as long as to the next question otherwise
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


def test_where_discord_answers_but_carries_nothing_out_it_is_asked_less_and_less(
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
    pauses: list[bool] = []

    def watch(engine: Engine) -> None:
        def look() -> None:
            pauses.append(engine.paused_since is not None)
            asyncio.get_running_loop().call_later(0.05, look)

        look()

    run_until(lambda: len(pauses) > 80, discord, during=watch)
    assert len(discord.requests) < 30
    assert not Delivery.objects.filter(state="failed").exists()
