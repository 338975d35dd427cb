"""A row of the queue, of its schedules or of its results is no way to have something else run."""

import logging
import os
from collections.abc import Iterator
from multiprocessing import Event
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_q.brokers import Broker, get_broker
from django_q.models import Schedule, Task
from django_q.pusher import pusher
from django_q.queues import Queue
from django_q.signing import BadSignature, SignedPackage
from django_q.tasks import async_chain, async_iter, async_task
from picklefield.fields import dbsafe_encode

from notices import tasks
from notices.callbacks import queueing
from notices.tasks import FAN_OUT, TAKES
from notices.upkeep import schedules

PRUNE = "notices.tasks.prune"


@pytest.fixture
def queue(transactional_db: None) -> Iterator[Broker]:
    broker = get_broker()
    broker.purge_queue()
    yield broker
    broker.purge_queue()


def taken(broker: Broker) -> list[dict[str, Any]]:
    """Empty the queue, and return what the workers would be given of it."""
    once, inbox = Event(), Queue()
    once.set()
    while broker.queue_size():
        pusher(inbox, once, broker=broker)
    return [inbox.get(timeout=5) for _n in range(inbox.qsize())]


def package(**changes: Any) -> dict[str, Any]:
    """A task of ours, as django-q2 packs it, with something else in it."""
    ours = {
        "id": "0" * 32,
        "name": "a-task",
        "func": FAN_OUT,
        "args": (1,),
        "kwargs": {},
        "started": timezone.now(),
    }
    return ours | changes


class Runs:
    """Unpickled, it calls what it was told."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.reduced = call, arguments

    def __repr__(self) -> str:
        """For the name of its test, which is the same in each process."""
        return f"Runs({self.reduced[0].__name__})"

    def __reduce__(self) -> Any:
        return self.reduced


FOREIGN = [
    package(func="os.system", args=("true",)),
    package(func="subprocess.run", args=(["true"],)),
    package(func="builtins.exec", args=("1",)),
    package(func="notices.delivery.fan_out.fan_out"),
    package(func="notices.tasks.pruning.prune"),
    package(func=f"{FAN_OUT}.__globals__"),
    package(func=f" {FAN_OUT}"),
    package(func=os.system, args=("true",)),
    package(func=len, args=("ab",)),
    package(func=tasks.fan_out_notice),
    package(func=None),
    package(func=["os.system"]),
    package(args=("1",)),
    package(args=(True,)),
    package(args=(1, 2)),
    package(args=()),
    package(args=[1]),
    package(args=(Runs(os.system, "true"),)),
    package(func=PRUNE, args=(1e9,)),
    package(kwargs={"notice_id": 1}),
    package(kwargs={"q_options": {}}),
    package(hook="os.system"),
    package(hook=None),
    package(chain=[("os.system", ("true",))]),
    package(sync=True),
    package(cached=True, iter_count=1, group="g"),
    package(save=True),
    package(timeout=10**9),
    package(ack_failure=True),
    package(name=7),
    package(id=None),
    package(group=("g",)),
    {"func": FAN_OUT},
    {},
    [FAN_OUT],
    "os.system",
    None,
    Runs(os.system, "true"),
]


@pytest.mark.parametrize("content", FOREIGN, ids=lambda content: repr(content)[:60])
def test_a_foreign_row_is_dropped_with_a_word_and_the_next_one_is_taken(
    queue: Broker, caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    queue.enqueue(SignedPackage.dumps(content))
    async_task(FAN_OUT, 5, group="fan out")
    with caplog.at_level(logging.ERROR, "notices.queue_gate"):
        found = taken(queue)
    assert [(task["func"], task["args"]) for task in found] == [(FAN_OUT, (5,))]
    assert len([one for one in caplog.messages if "a row is refused and dropped" in one]) == 1
    assert queue.queue_size() == 0


@pytest.mark.parametrize("text", ["", "x", "a:b:c", "\x01", "gAN9:1:2"])
def test_an_unsigned_task_is_dropped(queue: Broker, text: str) -> None:
    queue.enqueue(text)
    async_task(FAN_OUT, 5)
    assert [task["args"] for task in taken(queue)] == [(5,)]


def test_unpickling_a_row_calls_nothing(queue: Broker, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    queue.enqueue(SignedPackage.dumps(package(args=(Runs(os.system, f"touch {mark}"),))))
    assert taken(queue) == []
    assert not mark.exists()


def test_chains_and_groups_of_foreign_tasks_are_dropped(queue: Broker) -> None:
    async_iter("os.system", ["true", "true"])
    async_iter(FAN_OUT, [1, 2])
    async_chain([("os.system", ("true",)), (FAN_OUT, (1,))])
    async_chain([(FAN_OUT, (1,)), ("os.system", ("true",))])
    assert queue.queue_size() == 6
    assert taken(queue) == []


def test_nothing_foreign_is_run_on_the_spot(queue: Broker, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    with pytest.raises(BadSignature):
        async_task("os.system", f"touch {mark}", sync=True)
    assert not mark.exists()


def test_every_task_of_ours_may_be_queued(queue: Broker) -> None:
    ours = {
        f"{name.__module__}.{name.__qualname__}"
        for name in vars(tasks).values()
        if getattr(name, "__module__", None) == "notices.tasks"
    }
    assert set(TAKES) == ours
    for name, types in TAKES.items():
        async_task(name, *(kind(1) for kind in types), group="any")
    assert {task["func"] for task in taken(queue)} == ours


# --- schedules -----------------------------------------------------------------------------


def due(**values: Any) -> Schedule:
    return Schedule.objects.create(**{"next_run": timezone.now(), "repeats": -1} | values)


FOREIGN_SCHEDULES: list[dict[str, Any]] = [
    {"func": "os.system", "args": "'true'"},
    {"func": "os.system", "args": "'true'", "name": "prune"},
    {"func": "os.system", "args": "'true'", "schedule_type": "I", "minutes": 1, "name": None},
    {"func": "os.system", "kwargs": "{'q_options': {'sync': True}, 'command': 'true'}"},
    {"func": "os.system", "args": "'true'", "cluster": "another"},
    {"func": FAN_OUT, "args": "1"},
    {"func": FAN_OUT, "args": "not a literal"},
    {"func": PRUNE, "args": "1e9"},
    {"func": PRUNE, "hook": "os.system"},
    {"func": PRUNE, "name": "prune", "schedule_type": "D", "hook": "os.system"},
    {"func": PRUNE, "name": "prune", "schedule_type": "D", "kwargs": "seconds=1e9"},
    {"func": PRUNE, "name": "prune", "schedule_type": "D", "intended_date_kwarg": "seconds"},
    {"func": PRUNE, "name": "prune", "schedule_type": "D", "cluster": "another"},
    {"func": PRUNE, "schedule_type": "C", "cron": "* * * * *"},
    {"func": ""},
]


@pytest.mark.parametrize("values", FOREIGN_SCHEDULES, ids=str)
def test_a_foreign_schedule_is_put_out_and_ours_run(
    queue: Broker, caplog: pytest.LogCaptureFixture, values: dict[str, Any]
) -> None:
    if values.get("schedule_type") == "C":
        Schedule.objects.bulk_create([Schedule(next_run=timezone.now(), **values)])
    else:
        due(**values)
    Schedule.objects.filter(name="callbacks").update(next_run=timezone.now())
    for _n in range(2):
        schedules.run_due()
    assert [task["func"] for task in taken(queue)] == [queueing.TASK]
    assert len([one for one in caplog.messages if "is refused and put out" in one]) == 1
    ours = Schedule.objects.exclude(repeats=0)
    assert sorted(ours.values_list("name", "func", "hook", "args", "cluster")) == [
        ("callbacks", "notices.tasks.send_callbacks", None, None, None),
        ("prune", PRUNE, None, None, None),
    ]


def test_a_changed_schedule_of_ours_is_put_right(queue: Broker) -> None:
    pruning = Schedule.objects.filter(name="prune")
    pruning.update(hook="os.system", args="1", cluster="x", next_run=timezone.now())
    schedules.run_due()
    assert PRUNE in [task["func"] for task in taken(queue)]
    assert pruning.values_list("hook", "args", "cluster", "repeats").get() == (None, None, None, -1)


# --- results -------------------------------------------------------------------------------


def saved(**values: Any) -> Task:
    now = timezone.now()
    row = {"id": "1" * 32, "name": "a", "func": "f", "started": now, "stopped": now}
    return Task.objects.create(**row | {"success": False} | values)


def test_a_saved_result_unpickles_to_nothing_that_runs(db: None, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    stored = dbsafe_encode(Runs(os.system, f"touch {mark}"), copy=False)
    kept = saved(args=stored, kwargs=stored, result=stored)
    assert Task.objects.get(pk=kept.pk).result == stored
    Task.objects.filter(pk=kept.pk).update(result="why it failed")
    assert Task.objects.get(pk=kept.pk).result == "why it failed"
    assert not mark.exists()


def test_the_hook_of_a_saved_result_is_not_called(db: None) -> None:
    kept = saved(hook=f"{__name__}.note_hook")
    kept.result = "another"
    kept.save()
    assert HOOKED == []


HOOKED: list[Task] = []


def note_hook(task: Task) -> None:
    HOOKED.append(task)
