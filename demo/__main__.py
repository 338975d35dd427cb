"""Runs `make run`: starts everything together, and stops it together."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer

from demo import profile
from demo.profile import CannotRunError
from demo.saved_logins import SavedLogins
from notices.parent_death import die_with
from studybot.starting import in_one_sentence

BASE_DIR = Path(__file__).resolve().parent.parent
# It is not resolved, because the virtual environment's python is a link out of it.
BIN_DIR = Path(sys.executable).parent

_STARTED = re.compile(r"(\w+) started \(pid=(\d+)\)")
# honcho itself kills after five.
_BOT_STOPS_SECONDS = 4


class Lines(Printer):  # type: ignore[misc]
    """Prints honcho's lines; remembers the processes' names, and which was the first to end."""

    first_to_end = ""

    def __init__(self) -> None:
        super().__init__()
        self.pids: dict[str, int] = {}

    def write(self, message: Message) -> None:
        if message.name == "system" and " stopped (rc=" in message.data:
            self.first_to_end = self.first_to_end or message.data.strip()
        elif message.name == "system" and (started := _STARTED.match(message.data)):
            self.pids[started[1]] = int(started[2])
        super().write(message)


class BotFirst(Manager):  # type: ignore[misc]
    """Stops the bot before its Discord, whose end the bot would log as errors."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines)
        self._lines = lines

    def terminate(self) -> None:
        if (pid := self._lines.pids.pop("runbot", None)) and _is_running(pid):
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + _BOT_STOPS_SECONDS
            while _is_running(pid) and time.monotonic() < deadline:
                time.sleep(0.02)
        super().terminate()


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def manage(environment: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        told = said.removeprefix("studybot cannot run: ")
        raise CannotRunError(f"`manage.py {' '.join(arguments)}` failed: {told}")


def _saved_logins() -> SavedLogins:
    return SavedLogins.read_or_make(settings.VAR_DIR / "demo.json")


def prepare() -> dict[str, str]:
    """Bring the database up to date, and return the environment for the processes."""
    profile.refuse_what_cannot_run()
    demo = profile.is_demo()
    environment = profile.environment(BIN_DIR, _saved_logins().bot_token if demo else "")
    manage(environment, "migrate", "--verbosity", "0")
    if demo:
        manage(environment, "demo")
    else:
        manage(environment, "demo", "--close")
        manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    return environment


def processes(environment: dict[str, str]) -> dict[str, tuple[str, dict[str, str]]]:
    """Return what is started of the Procfile: by name, each command with its environment."""
    commands = parse_procfile((BASE_DIR / "Procfile").read_text()).processes
    started = {name: (command, environment) for name, command in commands.items()}
    if not profile.is_demo():
        del started["fakediscord"], started["example"]
    elif key := _saved_logins().api_key:
        example = environment | profile.example_environment(key)
        started["example"] = (commands["example"], example)
    else:  # The database had people in it already: there is no demo, and no key.
        del started["example"]
    return started


def run(environment: dict[str, str]) -> int:
    lines = Lines()
    manager = BotFirst(lines)
    for name, (command, own) in processes(environment).items():
        manager.add_process(name, f"exec python -m demo.run_tied {command}", env=own)
    runner_pid = os.getpid()
    os.register_at_fork(after_in_child=lambda: die_with(runner_pid, signal.SIGKILL))
    mode = "demo" if profile.is_demo() else "discord"
    banner = subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", "demo", "--say", mode], env=environment
    )
    manager.loop()
    banner.kill()
    banner.wait()
    if manager.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM):
        return 0
    print(f"{lines.first_to_end}: so everything was stopped.", file=sys.stderr)  # noqa: T201
    return 1


def main() -> int:
    os.chdir(BASE_DIR)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studybot.settings")
    try:
        with in_one_sentence():
            return run(prepare())
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
