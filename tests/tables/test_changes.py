"""Each change of a notice is recorded with its author, the old values and the new ones."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from notices import actions
from notices.models import Change, Channel, Notice, Study

Deed = Change.Deed


def test_a_change_holds_the_old_and_the_new_value(notice: Notice, leader: User) -> None:
    with Change.objects.recording([notice.pk], by=leader):
        notice.title = "8주차 모임"
        notice.save()
    change = Change.objects.get()
    assert (change.deed, change.user, change.key, change.revision) == (
        Deed.CHANGED, leader, None, 2,
    )  # fmt: skip
    assert change.differences == {"title": ["7주차 모임", "8주차 모임"]}


def test_it_compares_with_the_database_and_not_with_the_loaded_notice(
    notice: Notice, leader: User
) -> None:
    stale = Notice.objects.get(pk=notice.pk)
    Notice.objects.filter(pk=notice.pk).update(title="그새 바뀐 제목")
    Change.objects.all().delete()
    with Change.objects.recording([notice.pk], by=leader):
        stale.save()
    assert Change.objects.get().differences == {"title": ["그새 바뀐 제목", "7주차 모임"]}


def test_channels_and_moments_are_recorded(
    notice: Notice, leader: User, channel: Channel, second_channel: Channel
) -> None:
    until = timezone.now() + timedelta(days=1)
    with Change.objects.recording([notice.pk], by=leader):
        notice.channels.set([second_channel])
        notice.expires_at = until
        notice.save()
    assert Change.objects.get().differences == {
        "channels": [[channel.pk], [second_channel.pk]],
        "expires_at": [None, until.isoformat()],
    }


def test_saving_without_a_change_records_nothing(notice: Notice, leader: User) -> None:
    with Change.objects.recording([notice.pk], by=leader):
        notice.save()
    assert not Change.objects.exists()


def test_a_change_that_is_rolled_back_is_not_recorded(notice: Notice, leader: User) -> None:
    def fail_midway() -> None:
        with Change.objects.recording([notice.pk], by=leader):
            notice.title = "8주차 모임"
            notice.save()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert not Change.objects.exists()
    assert Notice.objects.get().title == "7주차 모임"


def test_a_bulk_change_is_recorded_without_a_name(notice: Notice, other_notice: Notice) -> None:
    Notice.objects.filter(title=notice.title).update(title="새 제목")
    Notice.objects.update(publish_at=F("publish_at") + timedelta(hours=1))
    found = Change.objects.filter(notice=notice)
    assert [sorted(change.differences) for change in found] == [["title"], ["publish_at"]]
    assert found[0].differences == {"title": ["7주차 모임", "새 제목"]}
    assert all(change.user is None and change.key is None for change in found)
    assert Change.objects.filter(notice=other_notice).count() == 1


def test_a_bulk_move_to_another_study_is_recorded(notice: Notice, other_study: Study) -> None:
    before = notice.study_id
    Notice.objects.filter(pk=notice.pk).update(study=other_study)
    assert Change.objects.get().differences == {"study_id": [before, other_study.pk]}


def test_the_engines_own_writes_are_not_recorded(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(fanned_out_revision=0)
    Notice.objects.filter(pk=notice.pk).update(archived_at=timezone.now())
    assert not Change.objects.exists()


def test_a_withdrawal_names_who_did_it_once(notice: Notice, leader: User) -> None:
    assert actions.withdraw(notice, by=leader)
    assert not actions.withdraw(notice, by=leader)
    change = Change.objects.get()
    assert (change.deed, change.user) == (Deed.WITHDRAWN, leader)
