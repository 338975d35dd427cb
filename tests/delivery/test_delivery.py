"""Claim, send, record: what the channel shows in the end is what the leader wanted last."""

import asyncio
from datetime import timedelta
from functools import partial
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from notices import actions
from notices.bot.engine import Engine
from notices.delivery import counters, outcomes
from notices.delivery.due import Shards
from notices.delivery.exchange import exchange
from notices.delivery.fan_out import fan_out
from notices.delivery.recovery import take_over
from notices.delivery.request import PermanentError, Request, TransientError
from notices.models import Attempt, Channel, Delivery, ErrorCode, Notice
from notices.retry import pause_seconds
from notices.tables.limits import DETAIL_LIMIT
from tests.api.conftest import client_with, key_for
from tests.engine_driver import run_until
from tests.fake_transport import FakeTransport

pytestmark = pytest.mark.django_db(transaction=True)


def status(notice: Notice) -> str:
    return Notice.objects.get(pk=notice.pk).status


def is_status(notice: Notice, wanted: str) -> bool:
    return status(notice) == wanted and not Notice.objects.not_fanned_out().exists()


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport's lost creates take effect at once, so no test need wait for seconds."""
    monkeypatch.setattr(outcomes, "LOOK_AFTER", timedelta(seconds=0.1))
    monkeypatch.setattr(outcomes, "pause_seconds", partial(pause_seconds, first=0.05))


@pytest.fixture
def discord() -> FakeTransport:
    return FakeTransport()


def test_a_notice_is_shown_once_and_its_status_comes_back(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    delivery = notice.deliveries.get()
    assert discord.shown[channel.pk] == {delivery.message_id: 1}
    attempt = Attempt.objects.get()
    assert (attempt.action, attempt.outcome) == ("create", "shown")
    assert attempt.ended_at is not None


def test_an_edit_changes_the_message(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    notice.title = "바뀐 제목"
    notice.save()
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [2]


def test_a_place_that_a_frontend_sends_is_put_into_the_message(
    notice: Notice, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    frontend = client_with(key_for(notice.study))
    for place, fields in (("스터디룸 3", [{"name": "장소", "value": "스터디룸 3"}]), ("", None)):
        frontend.patch(f"/api/v1/notices/{notice.pk}/", {"place": place}, format="json")
        run_until(lambda: is_status(notice, "sent"), discord)
        edit = discord.requests[-1]
        assert edit.action == "edit"
        assert (edit.payload or {})["embeds"][0].get("fields") == fields


def test_a_withdrawn_notice_is_taken_away(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    actions.withdraw(notice)
    run_until(lambda: is_status(notice, "withdrawn"), discord)
    assert discord.shown[channel.pk] == {}


def test_an_edit_during_the_first_send_is_shown_too(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    def edit_in_web() -> None:
        Notice.objects.filter(pk=notice.pk).update(title="그 사이에")
        fan_out(notice.pk)
        connection.close()

    def edit(_request: Request) -> None:
        if len(discord.requests) == 1:
            web = Thread(target=edit_in_web)
            web.start()
            web.join()

    discord.on_request = edit
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [2]


def test_a_lost_reply_is_settled_by_the_same_nonce(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose"]
    run_until(lambda: is_status(notice, "sent"), discord)
    assert len(discord.shown[channel.pk]) == 1
    assert [r.action for r in discord.requests] == ["create", "create"]
    assert len({r.nonce for r in discord.requests}) == 1


def test_past_the_window_the_history_is_read_first(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose"]
    run_until(lambda: is_status(notice, "sent"), discord, window=0)
    assert [r.action for r in discord.requests] == ["create", "look_up"]
    assert len(discord.shown[channel.pk]) == 1


@pytest.mark.parametrize(("withdrawn", "ends"), [(False, "failed"), (True, "withdrawn")])
def test_the_gone_channel_of_an_unknown_message_settles_it(
    notice: Notice, channel: Channel, discord: FakeTransport, withdrawn: bool, ends: str
) -> None:
    discord.script[channel.pk] = ["lose", PermanentError("Unknown Channel", code=10003)]
    run_until(lambda: notice.deliveries.filter(state="unknown").exists(), discord)
    if withdrawn:
        actions.withdraw(notice)
    run_until(lambda: is_status(notice, ends), discord, window=0)
    assert [r.action for r in discord.requests] == ["create", "look_up"]
    delivery = notice.deliveries.get()
    assert delivery.unknown_since is None
    assert delivery.error_code == (None if withdrawn else 10003)


def test_a_notice_edited_while_unknown_ends_as_last_written(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose"]
    run_until(lambda: notice.deliveries.filter(state="unknown").exists(), discord)
    notice.title = "나중 제목"
    notice.save()
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [2]


def test_a_notice_withdrawn_while_unknown_is_looked_up_and_deleted(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose"]
    run_until(lambda: notice.deliveries.filter(state="unknown").exists(), discord)
    actions.withdraw(notice)
    run_until(lambda: is_status(notice, "withdrawn"), discord)
    assert [r.action for r in discord.requests] == ["create", "look_up", "delete"]
    assert discord.shown[channel.pk] == {}


@pytest.fixture
def undecided(notice: Notice, channel: Channel, discord: FakeTransport) -> Delivery:
    """The message is there, but its reply was lost and the bot may not read the channel."""
    discord.script[channel.pk] = ["lose", PermanentError("Missing Access", code=50001)]
    lost = notice.deliveries.filter(Delivery.UNDECIDED)
    run_until(lambda: lost.exists(), discord, window=0)
    assert len(discord.shown[channel.pk]) == 1
    return lost.get()


def test_a_message_that_a_leader_found_and_left_is_never_posted_twice(
    undecided: Delivery, discord: FakeTransport
) -> None:
    notice, channel_id = undecided.notice, undecided.channel_id
    assert actions.leave_in(notice, channel_id)
    run_until(lambda: is_status(notice, "failed"), discord, window=0)
    assert notice.deliveries.get().error_code == ErrorCode.LEFT
    assert actions.send_again(notice) == 0

    discord.script[channel_id] = [PermanentError("Missing Access", code=50001)]
    notice.title = "나중 제목"
    notice.save()
    run_until(lambda: notice.deliveries.filter(Delivery.UNDECIDED).exists(), discord, window=0)
    assert actions.leave_in(notice, channel_id)
    run_until(lambda: is_status(notice, "failed"), discord, window=0)

    # Now the bot may read the history: it finds the message and edits it.
    assert actions.look_again_in(notice, channel_id)
    run_until(lambda: is_status(notice, "sent"), discord, window=0)
    assert list(discord.shown[channel_id].values()) == [2]


def test_a_message_that_a_leader_did_not_find_is_sent(
    undecided: Delivery, discord: FakeTransport
) -> None:
    discord.shown[undecided.channel_id].clear()
    discord.by_nonce.clear()  # Discord remembers a nonce for minutes only
    assert actions.send_again(undecided.notice, undecided=False) == 0
    assert actions.send_again_in(undecided.notice, undecided.channel_id)
    run_until(lambda: is_status(undecided.notice, "sent"), discord, window=0)
    assert len(discord.shown[undecided.channel_id]) == 1


def test_a_message_that_a_leader_deleted_herself_is_withdrawn(
    undecided: Delivery, discord: FakeTransport
) -> None:
    notice, channel_id = undecided.notice, undecided.channel_id
    discord.script[channel_id] = [PermanentError("Missing Access", code=50001)]
    actions.withdraw(notice)
    looked = Attempt.objects.filter(action="look_up", outcome="refused")
    run_until(lambda: looked.count() == 2, discord, window=0)
    discord.shown[channel_id].clear()
    assert actions.leave_in(notice, channel_id)
    run_until(lambda: is_status(notice, "withdrawn"), discord, window=0)


def test_the_echo_settles_a_lost_reply(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = ["lose"]

    def echo_late(request: Request) -> None:
        if request.action == "create" and len(discord.requests) > 1:
            raise AssertionError("it was asked again although the echo had settled it")

    run_until(lambda: notice.deliveries.filter(state="unknown").exists(), discord)
    discord.on_request = echo_late
    delivery = notice.deliveries.get()
    message_id = discord.by_nonce[delivery.nonce]
    run_until(
        lambda: is_status(notice, "sent"),
        discord,
        during=lambda engine: engine.echo(delivery.nonce, message_id, 1),
    )
    assert notice.deliveries.get().message_id == message_id


def test_an_echo_of_an_older_text_counts_while_the_lane_still_rests(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    """A request of a bot that was cut off takes effect late, over a newer one."""
    run_until(lambda: is_status(notice, "sent"), discord)
    notice.title = "새 제목"
    notice.save()
    delivery = notice.deliveries.get()
    message_id = delivery.message_id
    assert message_id is not None

    def overwrite(engine: Engine) -> None:
        def in_its_rest() -> None:
            discord.shown[channel.pk] = {message_id: 1}
            engine.echo(delivery.nonce, message_id, 1)

        discord.rests[channel.pk] = in_its_rest

    edits = Attempt.objects.filter(action="edit", outcome="shown")
    run_until(lambda: edits.count() == 2 and is_status(notice, "sent"), discord, during=overwrite)
    assert discord.shown[channel.pk] == {message_id: 2}


def test_a_refusal_is_final_and_says_why(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [PermanentError("Missing Permissions", code=50013)]
    run_until(lambda: is_status(notice, "failed"), discord)
    delivery = notice.deliveries.get()
    assert (delivery.error_code, len(discord.requests)) == (50013, 1)
    channel.refresh_from_db()
    assert channel.refused_code == 50013
    assert actions.send_again(notice) == 1
    run_until(lambda: is_status(notice, "sent"), discord)
    channel.refresh_from_db()
    assert channel.refused_code is None


def test_tries_of_this_message_are_counted(
    notice: Notice, channel: Channel, discord: FakeTransport, settings: object
) -> None:
    settings.MAX_SEND_RETRIES = 1  # type: ignore[attr-defined]
    discord.script[channel.pk] = [TransientError("HTTP 500", code=500)] * 2
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == 500
    assert len(discord.requests) == 2


FORBIDDEN = PermanentError("Missing Permissions", code=50013)
NO_ANSWER = TransientError("HTTP 500", code=500, done=None)


@pytest.mark.parametrize("then", [[FORBIDDEN], [NO_ANSWER, NO_ANSWER]])
def test_a_message_with_a_lost_reply_is_looked_up_before_it_counts_as_failed(
    notice: Notice,
    channel: Channel,
    discord: FakeTransport,
    settings: object,
    then: list[Exception],
) -> None:
    settings.MAX_SEND_RETRIES = 1  # type: ignore[attr-defined]
    a_lost_look = NO_ANSWER
    discord.script[channel.pk] = ["lose", *then, a_lost_look]
    run_until(lambda: is_status(notice, "sent"), discord, patience=20)
    assert discord.shown[channel.pk] == {notice.deliveries.get().message_id: 1}


@pytest.mark.parametrize("last", [FORBIDDEN, NO_ANSWER])
def test_a_create_that_made_no_message_fails_for_discords_last_reason(
    notice: Notice, channel: Channel, discord: FakeTransport, settings: object, last: Exception
) -> None:
    settings.MAX_SEND_RETRIES = 1  # type: ignore[attr-defined]
    discord.script[channel.pk] = [NO_ANSWER, last]
    run_until(lambda: is_status(notice, "failed"), discord, patience=20)
    assert [r.action for r in discord.requests] == ["create", "create", "look_up"]
    delivery = notice.deliveries.get()
    assert delivery.error_code == getattr(last, "code", None)
    assert delivery.unknown_since is None


def test_a_text_that_was_corrected_is_sent_though_an_earlier_one_was_refused(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    refusal = PermanentError("Invalid Form Body", code=50035)
    discord.script[channel.pk] = [NO_ANSWER, refusal]
    run_until(lambda: notice.deliveries.filter(state="unknown", error_code=50035).exists(), discord)
    notice.title = "고친 제목"
    notice.save()
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [2]


def test_an_outage_costs_nobody_a_try(
    notice: Notice, channel: Channel, discord: FakeTransport, settings: object
) -> None:
    settings.MAX_SEND_RETRIES = 0  # type: ignore[attr-defined]
    discord.script[channel.pk] = [TransientError("HTTP 503", code=503)]
    discord.up = False

    def comes_back(_engine: object) -> None:
        asyncio.get_running_loop().call_later(0.3, setattr, discord, "up", True)

    run_until(lambda: is_status(notice, "sent"), discord, during=comes_back)
    assert notice.deliveries.get().tries == 0


def test_a_lost_token_fails_no_notice(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.up = False
    discord.script[channel.pk] = [TransientError("401: Unauthorized", code=401)]
    run_until(lambda: Attempt.objects.filter(outcome="transient").exists(), discord)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.error_code) == ("waiting", 0, 401)
    discord.up = True
    run_until(lambda: is_status(notice, "sent"), discord)


def test_a_401_for_one_message_alone_is_waited_out(
    notice: Notice, channel: Channel, discord: FakeTransport, settings: object
) -> None:
    settings.MAX_SEND_RETRIES = 0  # type: ignore[attr-defined]
    discord.script[channel.pk] = [TransientError("401: Unauthorized", code=401)]
    run_until(lambda: is_status(notice, "sent"), discord)
    assert Attempt.objects.filter(outcome="transient", code=401).count() == 1


def test_a_pause_beyond_any_date_becomes_a_long_one(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [TransientError("rate limited", code=429, retry_after=1e300)]
    run_until(lambda: notice.deliveries.filter(state="waiting", setbacks=1).exists(), discord)
    assert notice.deliveries.filter(due_at__gt=timezone.now() + timedelta(hours=1)).exists()


def test_an_outage_is_counted_when_it_ends(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.up = False
    discord.script[channel.pk] = [TransientError("no connection")]

    def comes_back(_engine: object) -> None:
        asyncio.get_running_loop().call_later(0.3, setattr, discord, "up", True)

    run_until(lambda: is_status(notice, "sent"), discord, during=comes_back)
    assert counters.read()[counters.PAUSES, ""] == 1
    assert counters.read()[counters.PAUSED_MILLISECONDS, ""] > 0


def test_a_hanging_channel_delays_no_other(
    notice: Notice, channel: Channel, second_channel: Channel, discord: FakeTransport
) -> None:
    hang = asyncio.Event()
    discord.script[channel.pk] = [hang]
    notice.channels.add(second_channel)
    reached = []

    def both() -> bool:
        if notice.deliveries.filter(state="sent", channel=second_channel).exists():
            reached.append(notice.deliveries.get(channel=channel).state)
        return bool(reached)

    def release(_engine: object) -> None:
        asyncio.get_running_loop().call_later(1.0, hang.set)

    run_until(both, discord, during=release)
    assert reached == ["sending"]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_channel_given_back_after_a_lost_removal_shows_the_notice_again(
    notice: Notice, channel: Channel, discord: FakeTransport, arrives: bool
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    lost = "lose" if arrives else TransientError("no answer", done=None)
    discord.script[channel.pk] = [lost]
    notice.channels.clear()
    run_until(lambda: notice.deliveries.filter(wanted=None, setbacks=1).exists(), discord)
    notice.channels.add(channel)
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [1]


def test_an_expired_notice_is_not_sent(notice: Notice, discord: FakeTransport) -> None:
    Notice.objects.filter(pk=notice.pk).update(
        publish_at=timezone.now() - timedelta(hours=2),
        expires_at=timezone.now() - timedelta(hours=1),
    )
    run_until(lambda: is_status(notice, "failed"), discord)
    assert discord.requests == []
    assert notice.deliveries.get().error_code == ErrorCode.EXPIRED


@pytest.mark.parametrize("arrives", [True, False])
def test_a_notice_that_expired_while_unknown_is_looked_up_and_not_sent_again(
    notice: Notice, channel: Channel, discord: FakeTransport, arrives: bool
) -> None:
    discord.script[channel.pk] = ["lose" if arrives else TransientError("no answer", done=None)]
    discord.on_request = lambda _request: expire(notice)
    run_until(lambda: is_status(notice, "sent" if arrives else "failed"), discord)
    assert [r.action for r in discord.requests] == ["create", "look_up"]
    assert notice.deliveries.get().error_code == (None if arrives else ErrorCode.EXPIRED)


def expire(notice: Notice) -> None:
    """Let the last moment of its deliveries pass."""

    def in_web() -> None:
        Delivery.objects.filter(notice=notice).update(expires_at=timezone.now())
        connection.close()

    web = Thread(target=in_web)
    web.start()
    web.join()


def test_a_message_deleted_in_discord_is_posted_anew_only_when_asked(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.shown[channel.pk].clear()
    notice.title = "바뀐 제목"
    notice.save()
    run_until(lambda: is_status(notice, "failed"), discord)
    notice.title = "또 바뀐 제목"
    notice.save()
    run_until(lambda: is_status(notice, "failed"), discord)
    assert discord.shown[channel.pk] == {}
    assert actions.send_again(notice) == 1
    run_until(lambda: is_status(notice, "sent"), discord)
    assert list(discord.shown[channel.pk].values()) == [3]


def test_a_bot_killed_with_the_request_out_is_taken_over(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    fan_out(notice.pk)
    (request,) = exchange(
        [],
        timezone.now(),
        limit=5,
        busy_channels=[],
        shards=Shards(),
        window=timedelta(seconds=60),
    )
    discord._carry_out(request)  # it arrived; the bot died before it could write so
    assert take_over(timezone.now(), Shards()) == 1
    assert Delivery.objects.get().state == "unknown"
    run_until(lambda: is_status(notice, "sent"), discord)
    assert len(discord.shown[channel.pk]) == 1


def test_a_removal_that_was_refused_can_be_tried_again(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    run_until(lambda: is_status(notice, "sent"), discord)
    discord.script[channel.pk] = [PermanentError("Missing Access", code=50001)]
    actions.withdraw(notice)
    run_until(lambda: is_status(notice, "failed"), discord)
    assert len(discord.shown[channel.pk]) == 1
    assert actions.send_again(notice) == 1
    run_until(lambda: is_status(notice, "withdrawn"), discord)
    assert discord.shown[channel.pk] == {}


def test_discords_words_of_any_length_are_stored(
    notice: Notice, channel: Channel, discord: FakeTransport
) -> None:
    discord.script[channel.pk] = [PermanentError("\0" + "x" * 5000, code=50035)]
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_detail == "x" * DETAIL_LIMIT


def test_a_fault_of_our_own_ends_as_a_failure_that_is_told(
    notice: Notice, channel: Channel, discord: FakeTransport, settings: object
) -> None:
    settings.MAX_SEND_RETRIES = 0  # type: ignore[attr-defined]
    discord.script[channel.pk] = [RuntimeError("ours")]
    run_until(lambda: is_status(notice, "failed"), discord)
    assert notice.deliveries.get().error_code == 0
