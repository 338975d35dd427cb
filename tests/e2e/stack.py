"""The real processes: fakediscord, web, qcluster and runbot over a database of their own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.collected import collect
from tests.fakediscord_driver import FakeDiscordProcess

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0


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
        self._postgres = postgres or os.environ.get("DATABASE_URL", "")
        self.is_on_postgres = self._postgres.startswith("postgres")
        self._database = f"e2e_{os.getpid()}_{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {
            "DEBUG": "1",
            "DJANGO_SETTINGS_MODULE": "studybot.settings",
            "DATABASE_URL": self._make_database(),
            "Q_CLUSTER_NAME": f"e2e-{os.getpid()}-{self.port}",
            "BOT_TOKEN": "e2e",
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_APP_URL": discord.url,
            "REQUEST_TIMEOUT": "2",
            **environment,
        }
        self.manage("migrate", "-v0")
        if self.environment["DEBUG"] == "0":
            collect(self.environment)

    def _make_database(self) -> str:
        """A new one beside the one that the tests run on: PostgreSQL there, PostgreSQL here."""
        if not self.is_on_postgres:
            return f"sqlite:///{self.folder / 'studybot.sqlite3'}"
        self._administer(f'CREATE DATABASE "{self._database}"')
        return urlsplit(self._postgres)._replace(path=f"/{self._database}").geturl()

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self._postgres, autocommit=True) as session:
            session.execute(statement.encode())

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py; its standard output."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def start(self, *names: str, arguments: Sequence[str] = ()) -> None:
        """`arguments` are added to the commands. A name that is no other process's is a bot's."""
        commands = {
            "web": [sys.executable, "-m", "gunicorn", "studybot.wsgi", "--threads", "4",
                    "--bind", f"127.0.0.1:{self.port}"],
            "qcluster": [sys.executable, "manage.py", "qcluster"],
        }  # fmt: skip
        runbot = [sys.executable, "manage.py", "runbot"]
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    [*commands.get(name, runbot), *arguments],
                    cwd=ROOT, env=self.environment, stdout=log, stderr=log,
                )  # fmt: skip
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
        for name in list(self._processes):
            try:
                self.stop(name)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{name} did not stop:\n{self.log(name)[-2000:]}") from None
        if self.is_on_postgres:
            self._administer(f'DROP DATABASE "{self._database}" WITH (FORCE)')

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
