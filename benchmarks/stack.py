"""Runs studybot's own processes around a fakediscord: web, qcluster and runbot."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.collected import collect
from benchmarks.discord_server import WARM_UP_CHANNEL, DiscordServer
from benchmarks.frontend import Frontend
from benchmarks.machine import ROOT
from benchmarks.setups import Setup
from benchmarks.waiting import wait_for

EVERYTHING = ("web", "qcluster", "runbot")
STOP_SECONDS = 20.0
WARM_UP_NOTICES = 12
COMMANDS = {
    "web": ["-m", "gunicorn", "studybot.wsgi"],
    "qcluster": ["manage.py", "qcluster"],
    "runbot": ["manage.py", "runbot"],
}


class Stack:
    """The processes: `with Stack(setup, discord, folder) as stack: stack.start("runbot")`."""

    def __init__(self, setup: Setup, discord: DiscordServer, folder: Path, **more: str) -> None:
        name = f"bench-{os.getpid()}-{secrets.token_hex(4)}"
        self.setup = setup
        self.discord = discord
        self._logs = folder / name
        self._logs.mkdir()
        self.port = free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "studybot.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "BOT_TOKEN": "bench",
            "BOT_API_HOST": "127.0.0.1",
            "BOT_API_PORT": str(self.port),
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_APP_URL": discord.url,
            "Q_CLUSTER_NAME": name,
            **setup.environment,
            **more,
        }
        self.manage("migrate", "-v0")
        if self.environment["DEBUG"] == "0":
            collect(self.environment)
        self.key = self.manage("createapikey", "bench")

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py and return its standard output."""
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True, check=True,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return ran.stdout.strip()

    def add_study(self, channels: list[str]) -> int:
        return int(self.manage("addstudy", "bench", "--channel", *channels))

    def start(self, *names: str) -> None:
        """Start processes; return when all are warm and the bot has seen its channels."""
        for name in names:
            with (self._logs / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    [sys.executable, *COMMANDS[name]],
                    cwd=ROOT, env=self.environment, stdout=log, stderr=log,
                )  # fmt: skip
        try:
            self._wait_until_warm(names)
        except TimeoutError as error:
            error.add_note("\n".join(self._log(name) for name in names))
            raise

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def frontend(self) -> Frontend:
        return Frontend(self.port, self.key)

    def count_unsettled(self) -> int:
        """Return how many deliveries are not recorded as sent."""
        ((count,),) = self.setup.query(
            "SELECT count(*) FROM notices_delivery WHERE state != 'sent'"
        )
        return int(count)

    def count_waiting(self) -> int:
        """Return how many notices have a change that their deliveries do not know."""
        ((count,),) = self.setup.query(
            "SELECT count(*) FROM notices_notice WHERE revision > fanned_out_revision"
        )
        return int(count)

    def count_in_logs(self, words: str) -> int:
        """Return how many lines of the processes' logs hold these words."""
        logs = [log.read_text(encoding="utf-8", errors="replace") for log in self._logs.iterdir()]
        return sum(words in line for log in logs for line in log.splitlines())

    def _wait_until_warm(self, names: tuple[str, ...]) -> None:
        if "runbot" in names:
            wait_for(self._has_bot_seen_channels, "the bot has seen its channels")
        if "web" in names:
            wait_for(self._is_web_up, "the web answers")
        if set(EVERYTHING) <= set(names):
            self._warm_up()

    def _log(self, name: str) -> str:
        """Return the log's end, because the file itself goes with the benchmark."""
        text = (self._logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return f"--- {name}\n{text[-3000:]}"

    def _has_bot_seen_channels(self) -> bool:
        ((seen,),) = self.setup.query(
            "SELECT count(*) FROM notices_channel WHERE seen_at IS NOT NULL"
        )
        return bool(seen) and self.discord.is_gateway_up()

    def _is_web_up(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self.port}/healthz"
            return bool(urllib.request.urlopen(address, timeout=5).status == 200)
        except OSError:
            return False

    def _warm_up(self) -> None:
        """Send the first notices, at which every process loads what it needs."""
        study = self.add_study([WARM_UP_CHANNEL])
        for number in range(WARM_UP_NOTICES):
            # Each notice has a connection of its own, so that each web process has its share.
            self.frontend().post_notice(study, WARM_UP_CHANNEL, f"warm-up {number}")
        wait_for(lambda: not self.count_unsettled(), "the first notices are shown", 60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
