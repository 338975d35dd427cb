"""Makes qcluster run our own tasks alone, whoever wrote the row in its queue.

django-q2 calls whatever a row names and unpickles whatever it holds, so that a row could run any
code. It has no setting against that, so `install` replaces the functions that read rows.
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

# The classes that django-q2's rows and its cluster's statistics need besides plain values.
_CLASSES = {
    ("datetime", "datetime"),
    ("datetime", "timedelta"),
    ("datetime", "timezone"),
    ("uuid", "UUID"),
    ("django_q.status", "Stat"),
}
# The options of our tasks' rows. Others would make django-q2 call, store or chain something more.
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
    def find_class(self, module: str, name: str) -> object:
        if (module, name) in _CLASSES:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no plain value")


def loads(data: bytes) -> object:
    """Unpickle plain values. Raises UnpicklingError for anything else, without calling it."""
    return _PlainUnpickler(io.BytesIO(data)).load()


class GatedPackage(signing.SignedPackage):  # type: ignore[misc]
    @staticmethod
    def loads(obj: str | bytes) -> dict[str, Any]:
        """Raise BadSignature, on which django-q2 drops the row, unless it is a task of ours."""
        try:
            task = signing.SignedPackage.loads(obj)
        except Exception as error:
            raise _refused(f"it cannot be read: {error!r}") from error
        if reason := objection(task):
            raise _refused(reason)
        found: dict[str, Any] = task
        return found


def objection(task: object) -> str:
    """Say why qcluster must not run a row; empty for a task of ours."""
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
    """Replace django-q2's functions, once, before anything reads a row."""
    signing.PickleSerializer.loads = staticmethod(loads)
    picklefield.fields.loads = loads
    # The pusher reads rows for the workers, and `tasks` those that ask to run synchronously.
    pusher.SignedPackage = tasks.SignedPackage = GatedPackage
    # This signal would call the hook that a stored result names; our tasks have none.
    post_save.disconnect(signals.call_hook, sender=Task)
