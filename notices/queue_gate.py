"""What qcluster takes from its queue: our own tasks, and nothing else, whoever wrote the row.

django-q2 calls whatever a row names and unpickles whatever it holds, so that a row is as good as a
shell. It has no setting for that: `install` changes the places where it reads rows.
"""

import io
import logging
import pickle
from datetime import datetime
from typing import Any

import picklefield.fields
from django.db.models.signals import post_save
from django_q import pusher, signals, signing, tasks
from django_q.models import Task

from notices import tasks as our_tasks

log = logging.getLogger(__name__)

# Of what django-q2 packs, all that is no plain value: moments, and the cluster's own numbers.
_CLASSES = {
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("uuid", "UUID"),
    ("django_q.status", "Stat"),
}
# How a row of ours is packed. Any other option has django-q2 call, keep or chain something more.
_OPTIONS = {
    "id": str,
    "name": str,
    "func": str,
    "args": tuple,
    "kwargs": dict,
    "started": datetime,
    "group": str,
    "cluster": str | None,
}
_REQUIRED = _OPTIONS.keys() - {"group", "cluster"}
_SHOWN_LENGTH = 200


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CLASSES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


def loads(data: bytes) -> Any:
    """Unpickle plain values; anything else raises, and nothing of it is called."""
    return _PlainUnpickler(io.BytesIO(data)).load()


class GatedPackage(signing.SignedPackage):  # type: ignore[misc]
    @staticmethod
    def loads(obj: Any) -> dict[str, Any]:
        """Raise BadSignature, on which django-q2 drops the row, unless it is a task of ours."""
        try:
            task = signing.SignedPackage.loads(obj)
        except Exception as error:
            raise _refused(f"it cannot be read: {error!r}") from error
        if reason := objection(task):
            raise _refused(reason)
        found: dict[str, Any] = task
        return found


def objection(task: Any) -> str:
    """Why qcluster does not run what a row holds; empty for a task of ours."""
    if not isinstance(task, dict) or not task.keys() >= _REQUIRED:
        return f"it is no task: {task!r}"
    for option, value in task.items():
        if option not in _OPTIONS or not isinstance(value, _OPTIONS[option]):
            return f"{task['func']!r} with {option}={value!r}, which no task of studybot has"
    takes = our_tasks.TAKES.get(task["func"])
    if takes is None:
        return f"{task['func']!r} is no task of studybot"
    if task["kwargs"] or tuple(map(type, task["args"])) != takes:
        return f"{task['func']!r} does not take {task['args']!r}, {task['kwargs']!r}"
    return ""


def _refused(reason: str) -> Exception:
    log.error("queue: a row is refused and dropped: %s", reason[:_SHOWN_LENGTH])
    error: Exception = signing.BadSignature("not a task of studybot")
    return error


def install() -> None:
    """Called once, before anything reads a row."""
    signing.PickleSerializer.loads = staticmethod(loads)
    picklefield.fields.loads = loads
    # The pusher takes rows to the workers; `tasks` runs those that ask to be run on the spot.
    pusher.SignedPackage = tasks.SignedPackage = GatedPackage
    # No task of ours has a hook; a row that has one would have it called.
    post_save.disconnect(signals.call_hook, sender=Task)
