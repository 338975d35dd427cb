"""Old history goes, in batches; what is under way, undecided or young stays."""

import logging
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Failure, Schedule, Task

from notices import actions, tasks
from notices.delivery.fan_out import fan_out
from notices.files.attached import entries
from notices.files.uploads import Sent, keep
from notices.models import (
    Attempt,
    BotInstance,
    Channel,
    Delivery,
    Notice,
    Study,
    Submission,
    Upload,
)
from notices.upkeep import pruning, schedules

State = Delivery.State
Status = Notice.Status
Facts = dict[str, Any]
SENT: Facts = {"state": State.SENT, "wanted": 1, "shown": 1}
FAILED: Facts = {"state": State.FAILED, "wanted": 1, "error_code": 50013}
WITHDRAWN: Facts = {"state": State.WITHDRAWN}
UNKNOWN: Facts = {"state": State.UNKNOWN, "wanted": 1, "unknown_since": timezone.now()}
WAITING: Facts = {"state": State.WAITING, "wanted": 1, "due_at": timezone.now()}
OLD = 400


@pytest.fixture(autouse=True)
def _keep(settings: Any) -> None:
    settings.KEEP_ATTEMPTS_DAYS = 90
    settings.KEEP_DELIVERIES_DAYS = 365


@pytest.fixture
def old_notice(notice: Notice, channel: Channel) -> Notice:
    """Sent in its one channel more than a year ago."""
    deliver(notice, channel, **SENT)
    return ended(notice)


def deliver(notice: Notice, channel: Channel, *, days: int = OLD, **facts: Any) -> Delivery:
    """A delivery that reached its state so many days ago, with the attempt that led to it."""
    moment = timezone.now() - timedelta(days=days)
    if "shown" in facts:
        facts.setdefault("message_id", 10**18 + Delivery.objects.count())
    delivery = Delivery.objects.create(notice=notice, channel=channel, changed_at=moment, **facts)
    attempt(delivery, days=days)
    return delivery


def attempt(delivery: Delivery, *, days: int, is_open: bool = False) -> Attempt:
    moment = timezone.now() - timedelta(days=days)
    end = {} if is_open else {"ended_at": moment, "outcome": Attempt.Outcome.SHOWN}
    return Attempt.objects.create(
        delivery=delivery, action="create", nonce=delivery.nonce, claim=Attempt.objects.count(),
        begun_at=moment, **end,
    )  # fmt: skip


def ended(notice: Notice, status: str = Status.SENT) -> Notice:
    """Bring it to the state in which the fan-out and the bot leave it."""
    Notice.objects.filter(pk=notice.pk).update(status=status, fanned_out_revision=F("revision"))
    notice.refresh_from_db()
    return notice


def prune_all() -> None:
    assert pruning.prune(timezone.now(), seconds=60)


def is_archived(notice: Notice) -> bool:
    notice.refresh_from_db()
    return notice.archived_at is not None


def facts_of(notice: Notice) -> Facts:
    row = Notice.objects.values("status", "fanned_out_revision").get(pk=notice.pk)
    return dict(row)


# --- attempts ------------------------------------------------------------------------------


def test_attempts_go_when_they_ended_long_ago(notice: Notice, channel: Channel) -> None:
    delivery = deliver(notice, channel, **SENT, days=91)
    young = attempt(delivery, days=89)
    prune_all()
    assert list(Attempt.objects.all()) == [young]
    assert Delivery.objects.get() == delivery


def test_an_open_attempt_stays_however_old(notice: Notice, channel: Channel) -> None:
    held = attempt(deliver(notice, channel, **SENT, days=91), days=91, is_open=True)
    prune_all()
    assert list(Attempt.objects.all()) == [held]


@pytest.mark.parametrize("facts", [WAITING, UNKNOWN], ids=["waiting", "unknown"])
def test_attempts_stay_while_something_is_to_be_done_or_decided(
    notice: Notice, channel: Channel, facts: Facts
) -> None:
    deliver(notice, channel, **facts)
    prune_all()
    assert Attempt.objects.count() == 1


# --- deliveries ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "status"), [(SENT, Status.SENT), (FAILED, Status.FAILED), (WITHDRAWN, "withdrawn")]
)
def test_a_notice_that_ended_long_ago_is_archived_as_it_is(
    notice: Notice, channel: Channel, facts: Facts, status: str
) -> None:
    deliver(notice, channel, **facts)
    ended(notice, status)
    prune_all()
    assert is_archived(notice)
    assert (notice.status, notice.deliveries.count()) == (status, 0)
    assert Attempt.objects.count() == 0


def test_one_young_delivery_keeps_the_others(
    notice: Notice, channel: Channel, second_channel: Channel
) -> None:
    deliver(notice, channel, **SENT)
    deliver(notice, second_channel, **SENT, days=364)
    ended(notice)
    prune_all()
    assert not is_archived(notice)
    assert notice.deliveries.count() == 2


@pytest.mark.parametrize("facts", [WAITING, UNKNOWN], ids=["waiting", "unknown"])
def test_one_delivery_that_is_not_settled_keeps_the_others(
    notice: Notice, channel: Channel, second_channel: Channel, facts: Facts
) -> None:
    deliver(notice, channel, **SENT)
    deliver(notice, second_channel, **facts)
    ended(notice, Status.SENDING)
    prune_all()
    assert not is_archived(notice)
    assert notice.deliveries.count() == 2


def test_a_change_that_the_deliveries_do_not_know_yet_keeps_them(old_notice: Notice) -> None:
    Notice.objects.filter(pk=old_notice.pk).update(title="바뀐 제목")
    prune_all()
    assert not is_archived(old_notice)
    fan_out(old_notice.pk)
    assert old_notice.deliveries.get().wanted == 2


def test_a_draft_that_was_once_scheduled_can_still_be_published(
    notice: Notice, channel: Channel
) -> None:
    deliver(notice, channel, **WITHDRAWN)
    Notice.objects.filter(pk=notice.pk).update(publish_at=None)
    ended(notice, Status.DRAFT)
    prune_all()
    assert not is_archived(notice)


def test_zero_days_keep_everything(old_notice: Notice, settings: Any) -> None:
    settings.KEEP_ATTEMPTS_DAYS = settings.KEEP_DELIVERIES_DAYS = 0
    prune_all()
    assert not is_archived(old_notice)
    assert Attempt.objects.count() == 1


# --- what is archived stays as it is -------------------------------------------------------


@pytest.fixture
def archived(old_notice: Notice) -> Notice:
    prune_all()
    assert is_archived(old_notice)
    return old_notice


def test_a_change_of_an_archived_notice_posts_nothing(
    archived: Notice, second_channel: Channel
) -> None:
    def change_and_fan_out() -> None:
        assert fan_out(archived.pk)
        assert archived.deliveries.count() == 0
        facts = facts_of(archived)
        assert facts == {"status": Status.SENT, "fanned_out_revision": archived.revision}

    archived.title = "고친 제목"
    archived.save()
    change_and_fan_out()
    Notice.objects.filter(pk=archived.pk).update(content="고친 내용")
    archived.refresh_from_db()
    change_and_fan_out()
    Notice.objects.filter(pk=archived.pk).update(withdrawn_at=timezone.now())
    change_and_fan_out()
    archived.channels.add(second_channel)
    change_and_fan_out()


def test_an_archived_notice_is_neither_withdrawn_nor_sent_again(archived: Notice) -> None:
    assert not actions.withdraw(archived)
    assert not actions.send_again(archived)
    archived.refresh_from_db()
    assert (archived.withdrawn_at, archived.status) == (None, Status.SENT)
    assert archived not in Notice.objects.not_fanned_out()


def test_the_copy_of_an_archived_notice_is_sent(archived: Notice, leader: Any) -> None:
    copy = actions.duplicate(archived, by=leader)
    copy.publish_at = timezone.now()
    copy.save()
    fan_out(copy.pk)
    assert copy.archived_at is None
    assert copy.deliveries.get().state == State.WAITING


# --- batches -------------------------------------------------------------------------------


def many(study: Study, channel: Channel, count: int) -> None:
    moment = timezone.now() - timedelta(days=OLD)
    notices = Notice.objects.bulk_create(
        Notice(
            study=study, title=f"{n}", content="…", publish_at=moment, status=Status.SENT,
            fanned_out_revision=1,
        )
        for n in range(count)
    )  # fmt: skip
    deliveries = Delivery.objects.bulk_create(
        Delivery(notice=notice, channel=channel, message_id=notice.pk, changed_at=moment, **SENT)
        for notice in notices
    )
    Attempt.objects.bulk_create(
        Attempt(
            delivery=delivery, action="create", nonce="N", claim=1, begun_at=moment,
            ended_at=moment, outcome="shown",
        )
        for delivery in deliveries
    )  # fmt: skip


def test_a_batch_that_is_cut_off_leaves_whole_notices(study: Study, channel: Channel) -> None:
    many(study, channel, 2 * pruning.NOTICES_BATCH)
    assert not pruning.prune(timezone.now(), seconds=0)
    bare = Notice.objects.filter(deliveries=None)
    assert bare.count() == pruning.NOTICES_BATCH
    assert set(bare) == set(Notice.objects.exclude(archived_at=None))
    assert Attempt.objects.count() == Delivery.objects.count() == pruning.NOTICES_BATCH
    prune_all()
    assert Delivery.objects.count() == 0


def test_attempts_go_in_batches_too(study: Study, channel: Channel, settings: Any) -> None:
    settings.KEEP_DELIVERIES_DAYS = 0
    many(study, channel, pruning.BATCH + 1)
    assert not pruning.prune(timezone.now(), seconds=0)
    assert Attempt.objects.count() == 1
    prune_all()
    assert Attempt.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_the_task_queues_itself_again_for_the_rest(study: Study, channel: Channel) -> None:
    broker = get_broker()
    broker.purge_queue()
    many(study, channel, 2 * pruning.NOTICES_BATCH)
    assert not tasks.prune(seconds=0)
    assert broker.queue_size() == 1
    assert tasks.prune(seconds=60)
    assert broker.queue_size() == 1
    broker.purge_queue()


@pytest.mark.django_db(transaction=True)
def test_two_prunings_at_once_do_not_disturb_each_other(study: Study, channel: Channel) -> None:
    many(study, channel, 3 * pruning.NOTICES_BATCH)
    start, failures = Barrier(2), []

    def worker() -> None:
        try:
            start.wait()
            prune_all()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    workers = [Thread(target=worker) for _n in range(2)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    assert failures == []
    assert (Delivery.objects.count(), Attempt.objects.count()) == (0, 0)
    assert Notice.objects.filter(archived_at=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_a_change_that_holds_the_notice_goes_before_the_pruning(old_notice: Notice) -> None:
    def prune() -> None:
        prune_all()
        connection.close()

    thread = Thread(target=prune)
    with transaction.atomic():
        Notice.objects.select_for_update().get(pk=old_notice.pk)
        Notice.objects.filter(pk=old_notice.pk).update(title="바뀐 제목")
        thread.start()
        while connection.vendor == "postgresql" and not somebody_waits():
            assert thread.is_alive()
    thread.join()
    assert not is_archived(old_notice)
    assert old_notice.deliveries.count() == 1


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_it_logs_in_one_line_how_much_was_pruned(
    old_notice: Notice, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="notices.upkeep.pruning"):
        prune_all()
    assert caplog.messages == [
        "pruned: notices 1, deliveries 1, attempts 1, tasks 0, bots 0, answers 0, callbacks 0, "
        "uploads 0, submissions 0, failed_logins 0, sessions 0"
    ]


# --- what else is left behind --------------------------------------------------------------


def test_failed_tasks_go_with_the_attempts_of_their_time(db: None) -> None:
    for number, days in enumerate((91, 89)):
        moment = timezone.now() - timedelta(days=days)
        Task.objects.create(
            id=f"{number:032}", name=f"{days}", func="f", started=moment, stopped=moment,
            success=False,
        )  # fmt: skip
    prune_all()
    assert [task.name for task in Failure.objects.all()] == ["89"]


def test_a_sent_form_is_known_as_long_as_somebody_may_go_back_to_it(leader: User) -> None:
    for days in (31, 29):
        moment = timezone.now() - timedelta(days=days)
        Submission.objects.create(
            user=leader, writing=f"{days:016}", digest="", led_to="/", submitted_at=moment
        )
    prune_all()
    assert [one.writing for one in Submission.objects.all()] == [f"{29:016}"]


def test_a_bot_dead_for_more_than_a_day_is_forgotten(db: None) -> None:
    for name, hours in (("dead", 25), ("stopped", 23)):
        moment = timezone.now() - timedelta(hours=hours)
        BotInstance.objects.create(name=name, started_at=moment, heartbeat_at=moment)
    prune_all()
    assert [bot.name for bot in BotInstance.objects.all()] == ["stopped"]


# --- the schedule --------------------------------------------------------------------------


def kept() -> list[tuple[str | None, str, str, int]]:
    rows = Schedule.objects.order_by("pk")
    return list(rows.values_list("name", "func", "schedule_type", "repeats"))


KEPT = [
    ("prune", "notices.tasks.prune", Schedule.DAILY, -1),
    ("callbacks", "notices.tasks.send_callbacks", Schedule.MINUTES, -1),
]


def test_migrating_keeps_one_schedule(db: None) -> None:
    assert kept() == KEPT
    Schedule.objects.all().delete()
    for _n in range(2):
        call_command("migrate", verbosity=0)
    assert kept() == KEPT


def test_schedules_of_an_older_version_are_put_right(db: None) -> None:
    moment = timezone.now() + timedelta(hours=7)
    pruning_one = Schedule.objects.filter(name="prune")
    pruning_one.update(func="notices.tasks.old_name", schedule_type="W", next_run=moment)
    Schedule.objects.create(name="old name", func=pruning.SCHEDULED_TASK)
    other = Schedule.objects.create(name="somebody's own", func="somewhere.else")
    schedules.keep()
    assert kept() == [*KEPT, (other.name, other.func, other.schedule_type, -1)]
    assert Schedule.objects.get(name="prune").next_run == moment


def test_it_runs_at_night_for_the_first_time(db: None) -> None:
    Schedule.objects.all().delete()
    schedules.keep()
    next_run = Schedule.objects.get(name="prune").next_run
    assert next_run is not None
    assert timezone.now() < next_run <= timezone.now() + timedelta(days=1)
    assert timezone.localtime(next_run).hour == schedules.PRUNING_HOUR


@pytest.mark.django_db(transaction=True)
def test_two_machines_that_migrate_at_once_make_one_schedule() -> None:
    Schedule.objects.all().delete()
    start = Barrier(2)

    def machine() -> None:
        start.wait()
        schedules.keep()
        connection.close()

    machines = [Thread(target=machine) for _n in range(2)]
    for thread in machines:
        thread.start()
    for thread in machines:
        thread.join()
    assert kept() == KEPT


# --- uploads -------------------------------------------------------------------------------


def upload(name: str, *, days: float, holder: Notice | None = None) -> Upload:
    made = keep(Sent(name, b"data"), by=None)
    moment = timezone.now() - timedelta(days=days)
    Upload.objects.filter(pk=made.pk).update(uploaded_at=moment)
    if holder is not None:
        holder.attachments = [*holder.attachments, *entries(None, [made])]
        holder.save()
        actions.hold_uploads(holder)
    return made


def test_uploads_that_no_notice_holds_go_after_a_day(notice: Notice) -> None:
    young, held = upload("young", days=0.9), upload("held", days=300, holder=notice)
    upload("old", days=1.1)
    prune_all()
    assert set(Upload.objects.all()) == {young, held}


def test_uploads_go_with_the_notice_that_is_archived_unless_another_holds_them(
    notice: Notice, channel: Channel, other_notice: Notice
) -> None:
    alone, shared = (upload(name, days=OLD, holder=notice) for name in ("alone", "shared"))
    other_notice.uploads.add(shared)
    deliver(notice, channel, state=State.SENT, wanted=3, shown=3)
    ended(notice)
    prune_all()
    assert is_archived(notice)
    assert list(Upload.objects.all()) == [shared]
    assert [one["name"] for one in notice.attachments] == ["alone", "shared"]
    assert not Upload.objects.filter(pk=alone.pk).exists()


def test_a_notice_that_keeps_its_deliveries_keeps_its_files(
    notice: Notice, channel: Channel, settings: Any
) -> None:
    settings.KEEP_DELIVERIES_DAYS = 0
    upload("a", days=OLD, holder=notice)
    deliver(notice, channel, state=State.SENT, wanted=2, shown=2)
    ended(notice)
    prune_all()
    assert Upload.objects.count() == 1


def test_many_uploads_go_in_batches_and_none_of_their_bytes_are_read(
    db: None,
) -> None:
    for n in range(pruning.UPLOADS_BATCH + 1):
        upload(f"{n}", days=2)
    with CaptureQueriesContext(connection) as queries:
        prune_all()
    assert not Upload.objects.exists()
    assert not [query["sql"] for query in queries if '"data"' in query["sql"]]
