"""Processes that start fast: forked from one that has imported the libraries already.

A stack is five Python processes, and each spends most of its start on importing the same libraries.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

# None that reads Django's settings when it is imported: each process has settings of its own.
LIBRARIES = (
    "aiohttp.web", "discord.ext.tasks", "django.contrib.admin.sites",
    "django.core.management.commands.shell", "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base", "django.db.migrations.executor",
    "django.template.backends.django", "django.utils.translation.trans_real", "django.views.debug",
    "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "jsonschema", "orjson", "PIL.Image",
    "redis.asyncio", "requests", "rest_framework.fields", "whitenoise.middleware", "yaml",
)  # fmt: skip
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(LIBRARIES))


class Forked:
    """As `subprocess.Popen`, for a Python script, a module or `-c`: `Forked("-m", "gunicorn", …)`.

    What it writes is appended to the file `log`; what it writes as an error, to `errors` if given.
    """

    def __init__(
        self,
        *command: str,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        errors: Path | None = None,
    ) -> None:
        self._process = _forks.Process(
            target=_run, args=(command, folder, dict(environment), log, errors or log)
        )
        # multiprocessing would wait at its end for a process that a broken test has left running.
        atexit.register(self.kill)
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        self._process.join(seconds)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), seconds or 0)
        atexit.unregister(self.kill)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(
    *command: str, folder: Path, environment: Mapping[str, str], seconds: float = 60
) -> "subprocess.CompletedProcess[str]":
    """As `subprocess.run` with all output captured, for what a `Forked` takes."""
    with tempfile.TemporaryDirectory() as told:
        out, errors = Path(told, "out"), Path(told, "errors")
        process = Forked(*command, folder=folder, environment=environment, log=out, errors=errors)
        try:
            code = process.wait(seconds)
        finally:
            process.kill()
        return subprocess.CompletedProcess(
            command, code, out.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8")
        )


def _run(
    command: Sequence[str], folder: Path, environment: dict[str, str], log: Path, errors: Path
) -> None:
    for number, path in ((1, log), (2, errors)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    first, *arguments = command
    if first == "-c":
        exec(arguments[0], {"__name__": "__main__"})  # noqa: S102 (a test's own words)
    elif first == "-m":
        sys.argv = arguments
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [first, *arguments]
        runpy.run_path(first, run_name="__main__")
