"""A published notice that moved to another study names the channels it brought to nobody there."""

import html
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices import actions
from notices.callbacks import sending
from notices.delivery.fan_out import fan_out
from notices.models import Attempt, Change, Channel, Notice, Study
from tests.api.conftest import client_with, key_for
from tests.callback_server import CallbackServer
from tests.callbacks.test_callbacks import listen
from tests.callbacks.test_rights import make_key
from tests.delivery.test_taken_channels import outcome, show, step
from tests.desk.conftest import logged_in

DESK = "/admin/notices/notice/"
API = "/api/v1/notices/"


@pytest.fixture
def _moved(notice: Notice, channel: Channel, second_channel: Channel, other_study: Study) -> None:
    """It stands in one channel of its old study, and was never sent to the other."""
    show(notice)
    notice.channels.add(second_channel)
    move(notice, other_study)


def move(notice: Notice, study: Study) -> None:
    Notice.objects.filter(pk=notice.pk).update(study=study)
    fan_out(notice.pk)


def correct(notice: Notice) -> Attempt.Action:
    """Change the title as the new leader; return the request that it caused."""
    Notice.objects.filter(pk=notice.pk).update(title="이달의 책")
    fan_out(notice.pk)
    (request,) = step()
    step(outcome(request, Attempt.Outcome.SHOWN))
    return Attempt.Action(request.action)


def names(notice: Notice, channel: Channel, second_channel: Channel) -> list[str]:
    delivery = notice.deliveries.get(channel=channel)
    return [
        str(channel.pk), str(second_channel.pk), str(delivery.message_id), "알고리즘",
        f"#{second_channel.name}",
    ]  # fmt: skip


def told_to_key(address: str, *studies: Study) -> str:
    answer: Any = client_with(key_for(*studies)).get(API + address)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()


ADDRESSES = ["", "{pk}/", "{pk}/attempts/", "{pk}/events/"]


@pytest.mark.usefixtures("_moved")
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_new_studys_key_is_not_told_of_the_old_channels(
    notice: Notice, channel: Channel, second_channel: Channel, other_study: Study, settings: Any,
    address: str,
) -> None:  # fmt: skip
    settings.EVENT_STREAM_SECONDS = 0
    assert correct(notice) == Attempt.Action.EDIT
    told = told_to_key(address.format(pk=notice.pk), other_study)
    assert [name for name in names(notice, channel, second_channel) if name in told] == []


@pytest.mark.usefixtures("_moved")
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_key_for_both_studies_is_told_of_the_old_channels(
    notice: Notice, channel: Channel, study: Study, other_study: Study, settings: Any, address: str
) -> None:
    settings.EVENT_STREAM_SECONDS = 0
    correct(notice)
    assert str(channel.pk) in told_to_key(address.format(pk=notice.pk), study, other_study)


@pytest.mark.usefixtures("_moved")
@pytest.mark.parametrize("knows_both", [False, True])
def test_only_a_key_for_both_studies_finds_the_notice_by_an_old_channel(
    channel: Channel, study: Study, other_study: Study, knows_both: bool
) -> None:
    studies = (study, other_study) if knows_both else (other_study,)
    found = client_with(key_for(*studies)).get(API, {"channel_id": str(channel.pk)}).json()
    assert len(found["results"]) == knows_both


@pytest.mark.usefixtures("_moved")
def test_a_channel_that_the_new_study_has_too_is_told(
    notice: Notice, channel: Channel, other_study: Study
) -> None:
    other_study.channels.add(channel)
    told = client_with(key_for(other_study)).get(f"{API}{notice.pk}/").json()
    assert [one["channel_id"] for one in told["deliveries"]] == [str(channel.pk)]
    assert told["channel_ids"] == [str(channel.pk)]


@pytest.mark.usefixtures("_moved")
def test_a_channel_that_was_taken_without_a_move_is_told_as_before(
    notice: Notice, study: Study, other_study: Study, channel: Channel
) -> None:
    Change.objects.all().delete()
    Notice.objects.filter(pk=notice.pk).update(study=study)
    Change.objects.all().delete()
    study.channels.remove(channel)
    told = client_with(key_for(study)).get(f"{API}{notice.pk}/").json()
    assert str(channel.pk) in {one["channel_id"] for one in told["deliveries"]}


@pytest.mark.usefixtures("_moved")
def test_the_new_studys_key_cannot_pick_an_old_channel(
    notice: Notice, channel: Channel, other_study: Study
) -> None:
    frontend = client_with(key_for(other_study))
    answer = frontend.patch(f"{API}{notice.pk}/", {"channel_ids": [str(channel.pk)]}, format="json")
    assert answer.status_code == 400
    assert "is not connected to study" in answer.content.decode()


@pytest.mark.usefixtures("_moved")
def test_the_new_studys_key_withdraws_it_everywhere(notice: Notice, other_study: Study) -> None:
    frontend = client_with(key_for(other_study))
    assert frontend.post(f"{API}{notice.pk}/withdraw/").status_code == 200
    fan_out(notice.pk)
    (removal,) = step()
    assert removal.action == Attempt.Action.DELETE


def test_a_moved_draft_is_published_without_the_old_channels(
    notice: Notice, second_channel: Channel, other_study: Study, other_channel: Channel
) -> None:
    Notice.objects.filter(pk=notice.pk).update(publish_at=None, status="draft", study=other_study)
    frontend = client_with(key_for(other_study))
    moment = {"publish_at": timezone.now().isoformat()}
    refused = frontend.patch(f"{API}{notice.pk}/", moment, format="json")
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == ["channel_ids"]

    notice.channels.add(other_channel)
    taken = frontend.patch(f"{API}{notice.pk}/", moment, format="json")
    assert taken.status_code == 200
    assert list(notice.channels.all()) == [other_channel]


# --- callbacks -------------------------------------------------------------------------------


@pytest.fixture
def server(settings: Any) -> Iterator[CallbackServer]:
    settings.CALLBACK_ALLOW_PRIVATE = True
    with CallbackServer() as server:
        yield server


@pytest.mark.usefixtures("_moved")
def test_a_callback_of_the_new_study_does_not_name_the_old_channels(
    notice: Notice, channel: Channel, second_channel: Channel, other_study: Study,
    server: CallbackServer,
) -> None:  # fmt: skip
    listen(server.url, other_study, key=make_key(other_study))
    notice.refresh_from_db()
    notice.title = "이달의 책"
    notice.save()
    correct(notice)
    sending.send_due()

    told = "".join(received.body.decode() for received in server.received)
    assert "이달의 책" in told
    assert [name for name in names(notice, channel, second_channel) if name in told] == []


# --- the desk --------------------------------------------------------------------------------


@pytest.fixture
def desk(other_leader: User) -> Client:
    client = logged_in(other_leader)
    client.cookies["django_language"] = "en"
    return client


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


PAGES = ["", "{pk}/change/", "{pk}/outcome/", "{pk}/effects/", "{pk}/history/"]


@pytest.mark.usefixtures("_moved")
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_the_new_leader_reads_of_no_old_channel(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel, page: str,
    is_withdrawn: bool,
) -> None:  # fmt: skip
    correct(notice)
    notice.refresh_from_db()
    if is_withdrawn:
        actions.withdraw(notice)
        fan_out(notice.pk)
    told = read(desk, DESK + page.format(pk=notice.pk))
    assert [name for name in names(notice, channel, second_channel) if name in told] == []


@pytest.mark.usefixtures("_moved")
def test_the_new_leader_is_told_that_a_withdrawal_reaches_old_channels(
    desk: Client, notice: Notice
) -> None:
    page = read(desk, f"{DESK}{notice.pk}/change/")
    assert "It has channels of the study that it came from" in page
    assert "Withdraw it to have it removed there as well" in page
    assert "Removes the message from channels of another study" in page


@pytest.mark.usefixtures("_moved")
def test_neither_a_withdrawal_nor_a_copy_names_the_old_channels(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    asked = desk.post(f"{DESK}{notice.pk}/do/withdraw/")
    copied = desk.post(f"{DESK}{notice.pk}/do/duplicate/", follow=True)
    for answer in (asked, copied):
        assert answer.status_code == 200
        told = html.unescape(answer.content.decode())
        assert [name for name in names(notice, channel, second_channel) if name in told] == []


@pytest.mark.usefixtures("_moved")
@pytest.mark.parametrize("choice", ["send_again", "look_again", "leave"])
def test_the_new_leader_decides_nothing_in_an_old_channel(
    desk: Client, notice: Notice, second_channel: Channel, choice: str
) -> None:
    answer = desk.post(f"{DESK}{notice.pk}/channel/{second_channel.pk}/{choice}/")
    assert answer.status_code == 404


@pytest.mark.usefixtures("_moved")
def test_the_history_names_no_channel_that_she_took_off(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel,
    other_channel: Channel,
) -> None:  # fmt: skip
    form = {
        "title": "이달의 책", "content": "소년이 온다", "channels": [other_channel.pk],
        "author": "", "ping": "none", "url": "", "image": "", "expires_at": "", "_save": "1",
    }  # fmt: skip
    hidden = names(notice, channel, second_channel)
    assert desk.post(f"{DESK}{notice.pk}/change/", form).status_code == 302
    assert list(notice.channels.all()) == [other_channel]
    told = read(desk, f"{DESK}{notice.pk}/history/")
    assert "channels of another study" in told
    assert [name for name in hidden if name in told] == []


@pytest.mark.usefixtures("_moved")
def test_a_leader_of_both_studies_sees_all(
    notice: Notice, leader: User, other_study: Study, site_admin: User
) -> None:
    other_study.accounts.add(leader)
    for user in (leader, site_admin):
        assert "#공지 (알고리즘)" in read(logged_in(user), f"{DESK}{notice.pk}/change/")
