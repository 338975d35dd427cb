"""Before a notice is changed or withdrawn the desk says what will happen, channel by channel."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notices.desk import withdrawal
from notices.models import Channel, Delivery, ErrorCode, Notice, Study
from tests.desk.conftest import logged_in

LIST = "/admin/notices/notice/"
STATE = Delivery.State
SHOWN = {"state": STATE.SENT, "shown": 1, "message_id": 7}
NEW, FAILED = {"due_at": timezone.now()}, {"state": STATE.FAILED, "error_code": 50013}
SENDING = {"state": STATE.SENDING, "due_at": timezone.now(), "claim": 1}
UNKNOWN = {"state": STATE.UNKNOWN, "unknown_since": timezone.now()}
LEFT = FAILED | {"unknown_since": timezone.now(), "error_code": ErrorCode.LEFT}
DELETED = FAILED | {"error_code": ErrorCode.MESSAGE_DELETED}
GONE = {"state": STATE.WITHDRAWN, "wanted": None}


@pytest.fixture(autouse=True)
def _in_english(desk: Client) -> None:
    desk.cookies["django_language"] = "en"


def delivered(notice: Notice, channel: Channel, facts: dict[str, Any]) -> Delivery:
    return Delivery.objects.create(notice=notice, channel=channel, **({"wanted": 1} | facts))


def effects(client: Client, notice: Notice, *picked: Channel) -> list[str]:
    address = f"{LIST}{notice.pk}/effects/"
    answer = client.get(address, {"channels": [channel.pk for channel in picked]})
    assert answer.status_code == 200
    return list(answer.context["effects"])


# --- saving --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "kept", "dropped"),
    [
        (None, "Sends it to", "Not shown in"),
        (NEW, "Sends it to", "Not shown in"),
        (SHOWN, "Changes the message in", "Removes the message from"),
        (SENDING, "Changes the message in", "Removes the message from"),
        (UNKNOWN, "Looks first whether", "Looks first whether"),
        (LEFT, "Looks first whether", "Looks first whether"),
        (FAILED, "If you change what is shown: tries again in", "Not shown in"),
        (DELETED, "Sends nothing to", "Not shown in"),
        (GONE, "Sends it to", None),
    ],
)
def test_the_page_foretells_what_a_save_does_to_a_delivery(
    desk: Client,
    notice: Notice,
    channel: Channel,
    facts: dict[str, Any] | None,
    kept: str,
    dropped: str | None,
) -> None:
    if facts is not None:
        delivered(notice, channel, facts)
    (said,) = effects(desk, notice, channel)
    assert said.startswith(kept)
    assert str(channel) in said
    said_of_none = effects(desk, notice)
    assert len(said_of_none) == (dropped is not None)
    assert all(sentence.startswith(str(dropped)) for sentence in said_of_none)


def test_channels_with_the_same_effect_share_a_sentence(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    delivered(notice, channel, SHOWN)
    delivered(notice, second_channel, SHOWN | {"message_id": 8})
    assert effects(desk, notice, channel, second_channel) == [
        f"Changes the message in {channel}, {second_channel}."
    ]
    assert effects(desk, notice, second_channel) == [
        f"Changes the message in {second_channel}.",
        f"Removes the message from {channel}.",
    ]


def test_the_form_of_a_published_notice_says_it_without_javascript(
    desk: Client, notice: Notice, channel: Channel
) -> None:
    delivered(notice, channel, SHOWN)
    html = desk.get(f"{LIST}{notice.pk}/change/").content.decode()
    assert f"Changes the message in {channel}." in html
    draft = Notice.objects.create(study=notice.study, title="초안", content="초안")
    assert "What saving does" not in desk.get(f"{LIST}{draft.pk}/change/").content.decode()


@pytest.mark.parametrize("junk", ["x", "-1", "9" * 40, "١"])
def test_a_malformed_channel_id_is_ignored(desk: Client, notice: Notice, junk: str) -> None:
    answer = desk.get(f"{LIST}{notice.pk}/effects/", {"channels": [junk]})
    assert answer.status_code == 200


def test_no_channel_of_another_study_is_named(
    desk: Client, notice: Notice, channel: Channel, other_channel: Channel, other_study: Study
) -> None:
    assert str(other_channel) not in "".join(effects(desk, notice, channel, other_channel))


def test_another_leader_is_not_told_of_the_notice(
    other_leader: User, other_study: Study, notice: Notice
) -> None:
    answer = logged_in(other_leader).get(f"{LIST}{notice.pk}/effects/")
    assert answer.status_code == 404


# --- withdrawing ---------------------------------------------------------------------------


def test_the_button_asks_first_and_says_where(
    desk: Client, notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    notice.channels.add(second_channel)
    delivered(notice, channel, SHOWN)
    address = f"{LIST}{notice.pk}/do/withdraw/"
    answer = desk.post(address)
    html = answer.content.decode()
    assert f"Removes the message from {channel}." in html
    assert f"Not shown in {second_channel}: it will not be sent there." in html
    assert f'href="{LIST}{notice.pk}/change/"' in html
    notice.refresh_from_db()
    assert notice.withdrawn_at is None

    sent = {"action": "withdraw", "confirmed": "yes", "_selected_action": notice.pk}
    assert desk.post(address, sent)["Location"] == f"{LIST}{notice.pk}/change/"
    notice.refresh_from_db()
    assert notice.withdrawn_at is not None


def test_the_list_asks_for_all_that_are_chosen(
    desk: Client, notice: Notice, channel: Channel, study: Study
) -> None:
    delivered(notice, channel, SHOWN)
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    chosen = {"action": "withdraw", "_selected_action": [notice.pk, draft.pk]}
    answer = desk.post(f"{LIST}?status=queued", chosen)
    assert [one for one, _effects in answer.context["removals"]] == [notice]
    assert f'href="{LIST}?status=queued"' in answer.content.decode()
    notice.refresh_from_db()
    assert notice.withdrawn_at is None

    answer = desk.post(LIST, chosen | {"confirmed": "yes"}, follow=True)
    assert len(answer.context["messages"]) == 2
    notice.refresh_from_db()
    assert notice.withdrawn_at is not None


def test_a_leader_is_not_asked_when_nothing_can_be_taken_back(desk: Client, study: Study) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    sent = {"action": "withdraw", "_selected_action": [draft.pk]}
    answer = desk.post(LIST, sent, follow=True)
    (told,) = answer.context["messages"]
    assert "nothing to take back" in str(told)


def test_it_refuses_to_withdraw_too_many_notices_at_once(
    desk: Client, notice: Notice, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawal, "MOST_NOTICES", 1)
    other = Notice.objects.create(study=study, title="x", content="x", publish_at=timezone.now())
    sent = {"action": "withdraw", "_selected_action": [notice.pk, other.pk]}
    answer = desk.post(LIST, sent, follow=True)
    (told,) = answer.context["messages"]
    assert "More than 1 notices are chosen" in str(told)
    assert not Notice.objects.filter(withdrawn_at__isnull=False).exists()


def test_the_page_costs_the_same_queries_however_many_notices(
    desk: Client, study: Study, channel: Channel
) -> None:
    chosen = []
    costs = set()
    for number in range(20):
        made = Notice.objects.create(
            study=study, title=f"{number}", content="x", publish_at=timezone.now()
        )
        made.channels.add(channel)
        delivered(made, channel, SHOWN | {"message_id": number})
        chosen.append(made.pk)
        with CaptureQueriesContext(connection) as queries:
            desk.post(LIST, {"action": "withdraw", "_selected_action": chosen})
        costs.add(len(queries))
    assert len(costs) == 1


def test_no_page_asks_about_another_studys_notice(
    desk: Client, notice: Notice, other_notice: Notice
) -> None:
    sent = {"action": "withdraw", "_selected_action": [notice.pk, other_notice.pk]}
    html = desk.post(LIST, sent).content.decode()
    assert other_notice.title not in html
    desk.post(LIST, sent | {"confirmed": "yes"})
    other_notice.refresh_from_db()
    assert other_notice.withdrawn_at is None
    assert desk.post(f"{LIST}{other_notice.pk}/do/withdraw/").status_code == 404
