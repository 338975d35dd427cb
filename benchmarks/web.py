"""Compares the API's cost with a bare view's, by turns in one run."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import setups, wrk
from benchmarks.contenders import BARE_VIEW
from benchmarks.discord_server import channel_ids, discord_server
from benchmarks.frontend import TEXT
from benchmarks.machine import ROOT
from benchmarks.processes import cpu_seconds, family
from benchmarks.result import Result, Row
from benchmarks.stack import STOP_SECONDS, Stack, free_port
from benchmarks.waiting import wait_for

CONNECTIONS = 8
ROUNDS = 5
TURN_SECONDS = 8.0
CHANNELS = 100
# For reading: the number of notices, and the channels of each.
NOTICES, CHANNELS_EACH = 200, 4
# Requests and notices on their way are counted as ever, but none is refused.
COUNTED = {"API_RATE": "100000000/minute", "NOTICES_QUEUED": "10000000"}
WEB = [sys.executable, "-m", "gunicorn", "studybot.wsgi"]


@dataclass(slots=True)
class Contender:
    title: str
    port: int
    pid: int
    headers: Mapping[str, str]
    loads: list[wrk.Load] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def ask(self, path: str, body: str) -> None:
        """Ask for one turn."""
        before = self._used()
        load = wrk.load(
            f"http://127.0.0.1:{self.port}{path}",
            connections=CONNECTIONS, seconds=TURN_SECONDS, headers=self.headers, body=body,
        )  # fmt: skip
        self.loads.append(load)
        self.cpu_ms.append((self._used() - before) / load.requests * 1000)

    def forget(self) -> None:
        self.loads.clear()
        self.cpu_ms.clear()

    def row(self, asked: str, bare_rate: float) -> Row:
        rate = median(load.rate for load in self.loads)
        return {
            "": self.title,
            "asked for": asked,
            "a second": round(rate),
            "of the bare view": round(rate / bare_rate, 2),
            "errors": sum(load.errors for load in self.loads),
            "CPU of the web each (ms)": round(median(self.cpu_ms), 2),
            "each turn": ", ".join(f"{load.rate:.0f}" for load in self.loads),
        }

    def _used(self) -> float:
        return sum(map(cpu_seconds, family(self.pid)))


def run_posting(contenders: list[str], folder: Path) -> Result:
    """Measure the web alone: neither qcluster nor a bot takes of its cores."""
    rows: list[Row] = []
    for title in contenders:
        with _side_by_side(title, folder) as (ours, bare, study):
            body = {
                "channel_id": channel_ids(1)[0], "title": "notice", "study_id": study,
                "content": TEXT, "author": "민지",
            }  # fmt: skip
            _take_turns((ours, bare), "/notice/", json.dumps(body))
            rows += _rows((ours, bare), "POST /notice/")
    return Result("Posting, beside a bare view", _how("posts", "inserts one row"), rows)


def run_reading(contenders: list[str], folder: Path) -> Result:
    rows: list[Row] = []
    for title in contenders:
        with _side_by_side(title, folder, notices=NOTICES) as (ours, bare, _study):
            for asked, path in (
                ("one notice", f"/api/v1/notices/{NOTICES // 2}/"),
                ("a page of 50", "/api/v1/notices/"),
            ):
                _take_turns((ours, bare), path, "")
                rows += _rows((ours, bare), asked)
    how = _how("reads", f"shows the same rows: {NOTICES} notices in {CHANNELS_EACH} channels each")
    return Result("Reading, beside a bare view", how, rows)


def _how(does: str, bare: str) -> str:
    return (
        f"wrk {does} over {CONNECTIONS} connections, each of studybot's requests with a frontend's "
        "key. The bare view is one of Django REST framework in a project without middleware, "
        f"where nobody is asked who he is; it {bare}, in the same database, behind "
        f"the same web server: two processes of gunicorn. Medians of {ROUNDS} turns of "
        f"{TURN_SECONDS:g} s, taken alternately; the web alone runs."
    )


@contextmanager
def _side_by_side(
    title: str, folder: Path, *, notices: int = 0
) -> Iterator[tuple[Contender, Contender, int]]:
    """Run studybot's web and the bare one; yield them and a study's id."""
    with (
        discord_server(folder, CHANNELS) as discord,
        setups.setup(title, folder) as setup,
        Stack(setup, discord, folder, **COUNTED) as stack,
        _bare_web(stack, folder) as bare,
    ):
        study = stack.add_study(channel_ids(CHANNELS))
        if notices:
            deliveries = notices * CHANNELS_EACH
            lay = f"backlog.lay({deliveries}, {CHANNELS}, {CHANNELS_EACH}, 'notice')"
            then = "backlog.analyze()"
            stack.manage("shell", "-c", f"from benchmarks import backlog; {lay}; {then}")
        stack.start("web")
        headers = {"X-API-Key": stack.key, "Content-Type": "application/json"}
        yield Contender(title, stack.port, stack.pid("web"), headers), bare, study


@contextmanager
def _bare_web(stack: Stack, folder: Path) -> Iterator[Contender]:
    port = free_port()
    environment = stack.environment | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.bare.settings",
        "BOT_API_PORT": str(port),
    }
    migrate = [sys.executable, "manage.py", "migrate", "--run-syncdb", "-v0"]
    subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
    with (folder / "bare.log").open("ab") as log:
        web = subprocess.Popen(WEB, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: _listens(port), "the bare web listens")
        yield Contender(BARE_VIEW, port, web.pid, {"Content-Type": "application/json"})
    finally:
        web.terminate()
        web.wait(STOP_SECONDS)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _take_turns(contenders: tuple[Contender, ...], path: str, body: str) -> None:
    for one in contenders:  # at first, every process and thread loads what it needs
        one.ask(path, body)
        one.forget()
    for _round in range(ROUNDS):
        for one in contenders:
            one.ask(path, body)


def _rows(contenders: tuple[Contender, Contender], asked: str) -> list[Row]:
    bare_rate = median(load.rate for load in contenders[1].loads)
    return [one.row(asked, bare_rate) for one in contenders]
