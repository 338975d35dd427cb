"""/api/v1/notices/: a notice is made, read, changed, withdrawn and sent again."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices import actions
from notices.delivery.fan_out import fan_out
from notices.models import Change, Channel, Delivery, Notice, Study
from tests.api.conftest import fields_refused


def in_hours(hours: float) -> str:
    return (timezone.now() + timedelta(hours=hours)).isoformat()


def address(notice: Notice, action: str = "") -> str:
    return f"/api/v1/notices/{notice.pk}/{action}"


@pytest.fixture
def scheduled(notice: Notice) -> Notice:
    notice.publish_at = timezone.now() + timedelta(hours=1)
    notice.save()
    return notice


@pytest.fixture
def draft(notice: Notice) -> Notice:
    notice.publish_at = None
    notice.save()
    return notice


def test_a_new_notice_goes_at_once_into_every_channel_of_its_study(
    frontend: APIClient, post: dict[str, Any], channel: Channel, second_channel: Channel
) -> None:
    answer = frontend.post("/api/v1/notices/", post, format="json")

    made = answer.json()
    assert answer.status_code == 201
    assert made["status"] == "queued"
    assert sorted(made["channel_ids"]) == [str(channel.pk), str(second_channel.pk)]
    assert datetime.fromisoformat(made["publish_at"]) <= timezone.now()
    assert made["deliveries"] == []
    assert frontend.get(f"/api/v1/notices/{made['id']}/").json() == made


def test_a_notice_holds_all_that_was_sent(
    frontend: APIClient, post: dict[str, Any], second_channel: Channel
) -> None:
    post |= {
        "place": "스터디룸 3",
        "author": "민지",
        "url": "https://example.com/8",
        "image": "https://example.com/8.png",
        "ping": "here",
        "channel_ids": [str(second_channel.pk), second_channel.pk],
        "publish_at": "2030-03-02T20:00:00+09:00",
        "expires_at": "2030-03-03T20:00:00+09:00",
    }

    made = frontend.post("/api/v1/notices/", post, format="json").json()

    assert made["channel_ids"] == [str(second_channel.pk)]
    assert made["publish_at"] == "2030-03-02T11:00:00Z"
    assert made["expires_at"] == "2030-03-03T11:00:00Z"
    assert made["status"] == "scheduled"
    same = ("study_id", "title", "content", "place", "author", "url", "image", "ping")
    assert {name: made[name] for name in same} == {name: post[name] for name in same}


def test_an_explicit_null_makes_a_draft(frontend: APIClient, post: dict[str, Any]) -> None:
    made = frontend.post("/api/v1/notices/", post | {"publish_at": None}, format="json").json()

    assert (made["status"], made["publish_at"]) == ("draft", None)


@pytest.mark.parametrize("publish_at", [None, in_hours(2)], ids=["at once", "later"])
def test_a_notice_cannot_expire_before_it_is_published(
    frontend: APIClient, post: dict[str, Any], publish_at: str | None
) -> None:
    expires_at = in_hours(1) if publish_at else in_hours(-1)
    post |= {"publish_at": publish_at, "expires_at": expires_at}

    answer = frontend.post("/api/v1/notices/", post, format="json")

    assert answer.status_code == 400
    assert "send a later one" in answer.json()["expires_at"][0]


def test_every_channel_that_is_not_connected_is_named(
    frontend: APIClient, post: dict[str, Any], channel: Channel, other_channel: Channel
) -> None:
    post["channel_ids"] = [str(channel.pk), str(other_channel.pk), "77"]

    answer = frontend.post("/api/v1/notices/", post, format="json")

    assert answer.status_code == 400
    told = answer.json()["channel_ids"][0]
    assert told.startswith(f"{other_channel.pk}, 77 is not connected")
    assert not Notice.objects.exists()


def test_a_study_without_channels_is_refused(
    frontend: APIClient, post: dict[str, Any], study: Study
) -> None:
    study.channels.clear()

    answer = frontend.post("/api/v1/notices/", post, format="json")

    assert answer.status_code == 400
    assert "manage.py addstudy" in answer.json()["channel_ids"][0]


def test_a_failed_delivery_tells_reason_and_remedy(
    frontend: APIClient, failed_delivery: Delivery
) -> None:
    (delivery,) = frontend.get(address(failed_delivery.notice)).json()["deliveries"]

    assert delivery["state"] == "failed"
    assert delivery["channel_id"] == str(failed_delivery.channel_id)
    assert delivery["channel_name"] == "공지"
    assert (delivery["message_id"], delivery["message_url"]) == (None, None)
    assert delivery["error"]["code"] == 50013
    assert "lacks a permission" in delivery["error"]["reason"]
    assert "Send Messages" in delivery["error"]["remedy"]


def test_the_remedy_of_a_final_failure_promises_no_other_try(
    frontend: APIClient, notice: Notice, failed_delivery: Delivery
) -> None:
    Delivery.objects.filter(pk=failed_delivery.pk).update(error_code=500)
    (delivery,) = frontend.get(f"/api/v1/notices/{notice.pk}/").json()["deliveries"]
    assert delivery["error"]["remedy"] == "Send it again."


def test_a_shown_delivery_links_to_its_message(
    frontend: APIClient, notice: Notice, channel: Channel
) -> None:
    Delivery.objects.create(
        notice=notice,
        channel=channel,
        wanted=1,
        shown=1,
        message_id=1100000000000000777,
        state=Delivery.State.SENT,
    )

    (delivery,) = frontend.get(address(notice)).json()["deliveries"]

    assert delivery["message_id"] == "1100000000000000777"
    assert delivery["message_url"].endswith(
        f"/channels/{channel.guild_id}/{channel.pk}/1100000000000000777"
    )
    assert (delivery["wanted"], delivery["shown"], delivery["error"]) == (1, 1, None)


def test_a_change_counts_the_revision_up(frontend: APIClient, notice: Notice) -> None:
    changed = frontend.patch(address(notice), {"title": "8주차 모임"}, format="json").json()

    assert (changed["title"], changed["content"]) == ("8주차 모임", "화요일 20시")
    assert changed["revision"] == 2


def test_a_change_of_nothing_changes_nothing(frontend: APIClient, notice: Notice) -> None:
    before = frontend.get(address(notice)).json()

    assert frontend.patch(address(notice), {}, format="json").json() == before


def test_a_change_of_channels_is_to_be_fanned_out(
    frontend: APIClient, notice: Notice, second_channel: Channel
) -> None:
    Notice.objects.update(fanned_out_revision=1)

    changed = frontend.patch(
        address(notice), {"channel_ids": [str(second_channel.pk)]}, format="json"
    ).json()

    assert changed["channel_ids"] == [str(second_channel.pk)]
    assert Notice.objects.not_fanned_out().filter(pk=notice.pk).exists()


def test_a_refused_change_leaves_the_notice_as_it_was(
    frontend: APIClient, notice: Notice, other_channel: Channel
) -> None:
    before = frontend.get(address(notice)).json()

    answer = frontend.patch(
        address(notice), {"title": "new", "channel_ids": [str(other_channel.pk)]}, format="json"
    )

    assert answer.status_code == 400
    assert frontend.get(address(notice)).json() == before


def test_a_notice_stays_with_its_study(frontend: APIClient, notice: Notice) -> None:
    answer = frontend.patch(address(notice), {"study_id": notice.study_id}, format="json")

    assert answer.status_code == 400
    assert "leave study_id out" in answer.json()["study_id"][0]


@pytest.mark.parametrize("moment", [None, in_hours(1)], ids=["draft", "later"])
def test_a_published_notice_cannot_be_published_at_another_moment(
    frontend: APIClient, notice: Notice, moment: str | None
) -> None:
    answer = frontend.patch(address(notice), {"publish_at": moment}, format="json")

    assert answer.status_code == 400
    assert "withdraw the notice" in answer.json()["publish_at"][0]


def test_a_published_notice_may_be_sent_back_with_the_moment_it_came_with(
    frontend: APIClient, notice: Notice
) -> None:
    publish_at = frontend.get(address(notice)).json()["publish_at"]

    answer = frontend.patch(address(notice), {"publish_at": publish_at}, format="json")

    assert answer.status_code == 200


def test_a_scheduled_notice_can_move_and_become_a_draft(
    frontend: APIClient, scheduled: Notice
) -> None:
    moved = frontend.patch(address(scheduled), {"publish_at": in_hours(5)}, format="json").json()
    draft = frontend.patch(address(scheduled), {"publish_at": None}, format="json").json()

    assert moved["status"] == "scheduled"
    assert draft["status"] == "draft"


def test_a_draft_is_published_by_its_moment(frontend: APIClient, draft: Notice) -> None:
    now = timezone.now().isoformat()

    changed = frontend.patch(address(draft), {"publish_at": now}, format="json").json()

    assert changed["status"] == "queued"


def test_a_notice_cannot_be_made_to_expire_before_its_moment(
    frontend: APIClient, scheduled: Notice
) -> None:
    for change in ({"expires_at": in_hours(0.5)}, {"expires_at": in_hours(-1)}):
        answer = frontend.patch(address(scheduled), change, format="json")
        assert answer.status_code == 400
        assert fields_refused(answer) == ["expires_at"]


def test_withdrawing_twice_is_withdrawing_once(frontend: APIClient, notice: Notice) -> None:
    first = frontend.post(address(notice, "withdraw/"))
    second = frontend.post(address(notice, "withdraw/"))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["withdrawn_at"] is not None
    assert second.json() == first.json()


def test_a_draft_cannot_be_withdrawn(frontend: APIClient, draft: Notice) -> None:
    answer = frontend.post(address(draft, "withdraw/"))

    assert answer.status_code == 409
    assert "is a draft" in answer.json()["detail"]


def test_a_withdrawn_notice_cannot_change(frontend: APIClient, notice: Notice) -> None:
    actions.withdraw(notice)

    answer = frontend.patch(address(notice), {"title": "again"}, format="json")

    assert answer.status_code == 409
    assert str(notice.pk) in answer.json()["detail"]


def test_a_failed_delivery_is_sent_again(frontend: APIClient, failed_delivery: Delivery) -> None:
    answer = frontend.post(address(failed_delivery.notice, "send-again/"))

    assert answer.status_code == 200
    (delivery,) = answer.json()["deliveries"]
    assert (delivery["state"], delivery["error"]) == ("waiting", None)


def test_each_deed_of_a_key_is_recorded_with_its_name(
    frontend: APIClient, post: dict[str, Any], channel: Channel
) -> None:
    made = frontend.post("/api/v1/notices/", post, format="json").json()
    notice = Notice.objects.get(pk=made["id"])
    changes = {"title": "9주차 모임", "channel_ids": [str(channel.pk)]}
    frontend.patch(address(notice), changes, format="json")
    Delivery.objects.create(notice=notice, channel=channel, wanted=1, state="failed", error_code=1)
    frontend.post(address(notice, "send-again/"))
    frontend.post(address(notice, "withdraw/"))

    assert notice.created_with is not None
    assert notice.created_with.name == "algorithm site"
    done = Change.objects.filter(notice=notice, user=None, key=notice.created_with)
    assert [change.deed for change in done] == ["changed", "sent_again", "withdrawn"]
    assert done[0].differences["title"] == ["8주차 모임", "9주차 모임"]
    assert done[0].differences["channels"][1] == [channel.pk]
    assert done[1].channel_ids == [channel.pk]


def test_nothing_to_send_again_is_said(frontend: APIClient, notice: Notice) -> None:
    answer = frontend.post(address(notice, "send-again/"))

    assert answer.status_code == 409
    assert "nothing to send again" in answer.json()["detail"]


@pytest.mark.parametrize("number", ["0", "x", "9" * 18])
def test_an_unknown_notice_is_not_found(frontend: APIClient, number: str) -> None:
    assert frontend.get(f"/api/v1/notices/{number}/").status_code == 404


def test_deleting_is_refused_with_the_way_to_withdraw(frontend: APIClient, notice: Notice) -> None:
    answer = frontend.delete(address(notice))

    assert answer.status_code == 405
    assert "withdraw/" in answer.json()["detail"]
    assert Notice.objects.filter(pk=notice.pk).exists()


# --- channels that the study no longer has ---------------------------------------------------


@pytest.fixture
def old_draft(study: Study, channel: Channel) -> Notice:
    """Written while the study had the channel."""
    draft = Notice.objects.create(study=study, title="초안", content="…")
    draft.channels.set([channel])
    study.channels.remove(channel)
    return draft


@pytest.mark.parametrize("moment", ["2020-01-01T00:00:00Z", "2035-01-01T00:00:00Z"])
def test_a_draft_is_not_published_in_a_channel_that_its_study_has_lost(
    frontend: APIClient, old_draft: Notice, channel: Channel, second_channel: Channel, moment: str
) -> None:
    address = f"/api/v1/notices/{old_draft.pk}/"
    refused = frontend.patch(address, {"publish_at": moment}, format="json")

    assert (refused.status_code, fields_refused(refused)) == (400, ["channel_ids"])
    assert str(channel.pk) in refused.json()["detail"]
    old_draft.refresh_from_db()
    assert old_draft.publish_at is None
    body = {"publish_at": moment, "channel_ids": [str(second_channel.pk)]}
    assert frontend.patch(address, body, format="json").status_code == 200


def test_a_draft_with_a_lost_channel_can_still_be_changed(
    frontend: APIClient, old_draft: Notice
) -> None:
    answer = frontend.patch(f"/api/v1/notices/{old_draft.pk}/", {"title": "t"}, format="json")
    assert answer.status_code == 200


def test_a_lost_channel_can_be_kept_only_if_the_notice_is_shown_there(
    frontend: APIClient, notice: Notice, study: Study, channel: Channel, second_channel: Channel
) -> None:
    fan_out(notice.pk)
    study.channels.remove(channel)
    both = {"channel_ids": [str(channel.pk), str(second_channel.pk)]}
    address = f"/api/v1/notices/{notice.pk}/"
    assert frontend.patch(address, both, format="json").status_code == 400

    Delivery.objects.update(shown=1, message_id=7, state="sent", due_at=None)
    assert frontend.patch(address, both, format="json").status_code == 200
