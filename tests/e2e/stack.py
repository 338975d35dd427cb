"""The real processes: fakediscord, web, qcluster and runbot over a database of their own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.collected import collect
from tests.e2e import databases
from tests.e2e.databases import ROOT
from tests.fakediscord_driver import FakeDiscordProcess
from tests.forked import Forked

PATIENCE_SECONDS = 90.0


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Ask until the answer is true; a wait is never longer than the condition takes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"within {seconds} s it did not come to this: {what}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Stack:
    """`start`, `kill` and `stop` a process by its name: web, qcluster, runbot, standby."""

    def __init__(
        self, folder: Path, discord: FakeDiscordProcess, *, postgres: str = "", **environment: str
    ) -> None:
        """`postgres`: the address of a server, unless the one that the tests themselves run on."""
        self.discord = discord
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        server = postgres or os.environ.get("DATABASE_URL", "")
        self._server = server if server.startswith("postgres") else ""
        self.is_on_postgres = bool(self._server)
        self._processes: dict[str, Forked] = {}
        self._prepared_by: databases.Commands = databases.MIGRATED
        self._database_is_there = "DATABASE_URL" in environment
        self._own_database = self._address_of_its_own()
        self.environment = databases.environment_for(self._own_database) | {
            "Q_CLUSTER_NAME": f"e2e-{os.getpid()}-{self.port}",
            "BOT_TOKEN": "e2e",
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_APP_URL": discord.url,
            "REQUEST_TIMEOUT": "2",
            **environment,
        }
        if self._database_is_there:
            self.manage("migrate", "-v0")
        if self.environment["DEBUG"] == "0":
            collect(self.environment)

    def _address_of_its_own(self) -> str:
        """The address of a database beside that of the tests: PostgreSQL there, PostgreSQL here."""
        if self._server:
            name = f"/e2e_{os.getpid()}_{self.port}"
            return urlsplit(self._server)._replace(path=name).geturl()
        return f"sqlite:///{self.folder / 'studybot.sqlite3'}"

    def prepare(self, *arguments: str) -> str:
        """As `manage`, before anything runs: stacks that are prepared alike share the work."""
        if self._database_is_there:
            return self.manage(*arguments)
        self._prepared_by += (arguments,)
        return databases.prepared(self._server, self._prepared_by)[1]

    def lay_out(self) -> None:
        """Make the database, unless it is there already. Whatever needs it here does this first."""
        if not self._database_is_there:
            source, _said = databases.prepared(self._server, self._prepared_by)
            databases.copy(source, self._own_database)
            self._database_is_there = True

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py and return what it said."""
        self.lay_out()
        return databases.manage(self.environment, *arguments)

    def start(self, *names: str, arguments: Sequence[str] = ()) -> None:
        """`arguments` are added to the commands. A name that is no other process's is a bot's."""
        self.lay_out()
        commands = {
            "web": ["-m", "gunicorn", "studybot.wsgi", "--threads", "4",
                    "--bind", f"127.0.0.1:{self.port}"],
            "qcluster": ["manage.py", "qcluster"],
        }  # fmt: skip
        runbot = ["manage.py", "runbot"]
        for name in names:
            command = [*commands.get(name, runbot), *arguments]
            log = self.folder / f"{name}.log"
            log.touch()
            self._processes[name] = Forked(
                *command, folder=ROOT, environment=self.environment, log=log
            )
        if "web" in names:
            wait_for(self.is_web_up, "the web answers")

    def is_web_up(self) -> bool:
        try:
            return bool(self.get("/healthz") == {"status": "ok"})
        except OSError:
            return False

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def kill(self, name: str) -> None:
        process = self._processes.pop(name)
        process.kill()
        process.wait()
        if name == "web":
            # gunicorn's worker holds the port until it sees that its master is gone.
            wait_for(lambda: not self.is_web_up(), "the killed web answers no more")

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def kill_child(self, name: str, number: int) -> None:
        """Kill one of the processes that `name` has started; the `number` chooses which."""
        children = self._children(name)
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(children[number % len(children)], signal.SIGKILL)

    def _children(self, name: str) -> list[int]:
        """And theirs. Linux only."""
        found = [self._processes[name].pid]
        for pid in found:
            with contextlib.suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
                found += map(int, children.split())
        return found[1:]

    def is_running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    def stop(self, name: str, seconds: float = 20) -> int:
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def close(self) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for name in list(self._processes):
            try:
                self.stop(name)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{name} did not stop:\n{self.log(name)[-2000:]}") from None
        if self._server:
            databases.drop(self._own_database)

    # --- as a frontend ---------------------------------------------------------------------

    def get(self, path: str, key: str = "") -> Any:
        return self.ask("GET", path, key=key)[1]

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(  # noqa: S310 (always our own loopback address)
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **({"X-API-Key": key} if key else {})},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read())

    def status(self, notice: int, key: str) -> str:
        return str(self.get(f"/api/v1/notices/{notice}/", key)["status"])

    def shown(self, channel: str) -> list[str]:
        """The titles that a channel shows, oldest first."""
        return [
            embed["title"]
            for message in self.discord.messages(channel)
            for embed in message["embeds"]
        ]

    def text_channels(self) -> list[str]:
        return self.discord.text_channels()


def _parsed(body: bytes) -> Any:
    """A mere text where it is no JSON, such as Django's page for an error of ours."""
    try:
        return json.loads(body or b"null")
    except ValueError:
        return body.decode(errors="replace")
