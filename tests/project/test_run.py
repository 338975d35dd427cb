"""`make run`, the real processes, in a copy of the project: start, stop, refusals."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from demo import words

pytestmark = pytest.mark.processes

BASE_DIR = Path(__file__).resolve().parents[2]
# The machine may run other tests at the same time.
PATIENCE_SECONDS = 180
NOT_COPIED = shutil.ignore_patterns(".*", "var", "node_modules", "__pycache__", "staticfiles")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listened_on(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(is_so: Callable[[], object], why: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Linux only. A process that has ended, but was not reaped yet, has an empty command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


class Installation:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory.parent / "run.log"
        self.web_port, self.fakediscord_port, self.example_port = (free_port() for _n in "abc")
        ours = (
            "DATABASE_URL", "REDIS_URL", "BOT_TOKEN", "DJANGO_SETTINGS_MODULE", "DEBUG",
            "SECRET_KEY", "ALLOWED_HOSTS", "LANG", "LC_ALL", "LC_MESSAGES",
        )  # fmt: skip
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ours},
            "BOT_API_PORT": str(self.web_port),
            "FAKEDISCORD_PORT": str(self.fakediscord_port),
            "EXAMPLE_PORT": str(self.example_port),
        }
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                cwd=self.directory,
                env={**self.environment, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.started.append(process)
        wait_until(
            lambda: "Stop it with Ctrl-C" in self.said() or process.poll() is not None, self.said
        )
        return process

    def said(self) -> str:
        return self.log.read_text()

    def refusal(self, **environment: str) -> str:
        assert self.start(**environment).wait(PATIENCE_SECONDS) == 1
        return self.said()

    def pid_of(self, name: str) -> int:
        found = re.search(rf"{name} started \(pid=(\d+)\)", self.said())
        assert found, self.said()
        return int(found[1])

    def kept(self) -> dict[str, object]:
        kept: dict[str, object] = json.loads((self.directory / "var/demo.json").read_text())
        return kept

    def rows(self, query: str) -> list[tuple[object, ...]]:
        database = sqlite3.connect(self.directory / "var/studybot.sqlite3")
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def is_listening(self) -> bool:
        ports = (self.web_port, self.fakediscord_port, self.example_port)
        return any(is_listened_on(port) for port in ports)


@pytest.fixture
def folder() -> str:
    return "studybot"


@pytest.fixture
def installation(tmp_path: Path, folder: str) -> Iterator[Installation]:
    directory = tmp_path / folder
    shutil.copytree(BASE_DIR, directory, ignore=NOT_COPIED)
    installation = Installation(directory)
    yield installation
    for process in installation.started:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGINT) -> int:
    # The whole group, as a terminal does it.
    os.killpg(process.pid, how)
    return process.wait(PATIENCE_SECONDS)


def test_it_starts_shows_the_demo_and_keeps_it_for_the_second_run(
    installation: Installation,
) -> None:
    first = installation.start()
    kept = installation.kept()
    for password in kept["passwords"].values():  # type: ignore[attr-defined]
        assert password in installation.said()
    assert post_as_the_banner_says(installation) == 202
    assert "알고리즘 스터디" in studies_of_the_example(installation)
    assert "김민지" in front_page_by_discord(installation, "1180000000000000011")
    assert stop(first) == 0
    assert "Traceback" not in installation.said()
    assert not installation.is_listening()
    assert stop(installation.start(), signal.SIGTERM) == 0
    assert installation.kept() == kept
    assert installation.rows("SELECT count(*) FROM notices_study") == [(2,)]
    statuses = {status for (status,) in installation.rows("SELECT status FROM notices_notice")}
    assert statuses == {"draft", "scheduled", "sent", "failed"}


# Each sign that an address, a shell or make could read otherwise.
@pytest.mark.parametrize("folder", ["C# a%20b?c=d&e;'f 스터디"])
def test_it_runs_in_a_folder_of_any_name(installation: Installation) -> None:
    process = installation.start()
    assert post_as_the_banner_says(installation) == 202
    assert stop(process) == 0
    beside = {path.name for path in installation.directory.parent.iterdir()}
    assert beside == {installation.directory.name, "run.log"}


@pytest.mark.parametrize(
    ("variables", "korean"),
    [
        ({"LANG": "ko_KR.UTF-8"}, True), ({"LC_ALL": "ko_KR.UTF-8", "LANG": "C"}, True),
        ({"LC_ALL": "C", "LANG": "ko_KR.UTF-8"}, False), ({"LANG": "en_US.UTF-8"}, False),
        ({}, False),
    ],
)  # fmt: skip
def test_the_banner_speaks_the_terminals_language(variables: dict[str, str], korean: bool) -> None:
    assert words.is_korean(variables) is korean


def post_as_the_banner_says(installation: Installation) -> int:
    said = installation.said()
    found = re.search(r"curl \S+ -H 'X-API-Key: (\S+)'.*?-d '(.*?)'", said, re.DOTALL)
    assert found, said
    connection = http.client.HTTPConnection("127.0.0.1", installation.web_port)
    headers = {"X-API-Key": found[1], "Content-Type": "application/json"}
    connection.request("POST", "/notice/", found[2].encode(), headers)
    status = connection.getresponse().status
    connection.close()
    query = "SELECT status FROM notices_notice WHERE title = '안녕하세요'"
    wait_until(lambda: installation.rows(query) == [("sent",)], installation.said)
    return status


def studies_of_the_example(installation: Installation) -> list[str]:
    """As its page asks for them, at the address that the banner names."""
    assert f"http://127.0.0.1:{installation.example_port}/" in installation.said()
    connection = http.client.HTTPConnection("127.0.0.1", installation.example_port)
    connection.request("GET", "/api/v1/studies/")
    studies = json.load(connection.getresponse())
    connection.close()
    return [study["name"] for study in studies["results"]]


def front_page_by_discord(installation: Installation, user_id: str) -> str:
    """Press the button of the login page, choose somebody, and return what comes."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    site = f"http://127.0.0.1:{installation.web_port}"
    token = re.search(
        r'name="csrfmiddlewaretoken" value="([^"]+)"', answer_of(browser, f"{site}/admin/login/")
    )
    assert token
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "next": "/admin/"}).encode()
    with browser.open(f"{site}/admin/discord/login/", form) as answer:
        asked = answer.url
    assert asked.startswith(f"http://127.0.0.1:{installation.fakediscord_port}/oauth2/authorize?")
    chosen = f"{urllib.parse.urlsplit(asked).query}&user_id={user_id}"
    return answer_of(browser, asked.partition("?")[0], chosen.encode())


def test_one_process_that_dies_ends_all_and_is_named(installation: Installation) -> None:
    runner = installation.start()
    os.kill(installation.pid_of("runbot"), signal.SIGKILL)
    assert runner.wait(PATIENCE_SECONDS) == 1
    assert "runbot stopped (rc=-9): so everything was stopped." in installation.said()
    assert not installation.is_listening()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can do this")
def test_kill_9_of_the_runner_leaves_nothing_behind(installation: Installation) -> None:
    runner = installation.start()
    pids = [installation.pid_of(name) for name in ("web", "qcluster", "fakediscord", "runbot")]
    runner.kill()
    runner.wait(PATIENCE_SECONDS)
    wait_until(lambda: not installation.is_listening(), installation.said)
    wait_until(lambda: not any(is_running(pid) for pid in pids), installation.said)


def test_with_a_token_there_is_no_demo_and_its_logins_are_closed(
    installation: Installation,
) -> None:
    stop(installation.start())
    # Nobody listens there: the bot waits for Discord, and web works.
    process = installation.start(
        BOT_TOKEN="a.real.token", DISCORD_API_URL=f"http://127.0.0.1:{free_port()}/api/v10"
    )
    said = installation.said()
    assert f"http://127.0.0.1:{installation.web_port}/first-admin/" in said
    assert "There is no site admin yet. Open this link" in said
    assert "fakediscord started" not in said
    assert "example started" not in said
    assert installation.rows("SELECT count(*) FROM auth_user WHERE is_active") == [(0,)]
    assert installation.rows("SELECT count(*) FROM notices_apikey") == [(0,)]
    assert installation.rows("SELECT count(*) FROM socialaccount_socialaccount") == [(0,)]
    a_person_logs_in(installation)
    assert stop(process) == 0
    open_to_others = [
        path for path in installation.directory.rglob("var/**/*") if path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def a_person_logs_in(installation: Installation) -> None:
    """Log in as in production over plain HTTP from this machine; the page has its own files."""
    made = subprocess.run(
        [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username", "somebody",
         "--email", ""],
        cwd=installation.directory, check=True, capture_output=True,
        env={**installation.environment, "DJANGO_SUPERUSER_PASSWORD": "a-real-persons-password"},
    )  # fmt: skip
    assert b"Superuser created" in made.stdout
    site = f"http://127.0.0.1:{installation.web_port}"
    # As browsers do, it sends no Secure cookie over plain HTTP.
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    page = answer_of(browser, f"{site}/admin/login/")
    style = re.search(r'href="(/static/[^"]+[.]css)"', page)
    assert style, page
    assert answer_of(browser, site + style[1])
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token, page
    form = {"username": "somebody", "password": "a-real-persons-password", "next": "/admin/",
            "csrfmiddlewaretoken": token[1]}  # fmt: skip
    filled = urllib.parse.urlencode(form).encode()
    assert "somebody" in answer_of(browser, f"{site}/admin/login/", filled)
    with pytest.raises(urllib.error.HTTPError) as missing:
        browser.open(f"{site}/admin/no/such/page/")
    assert "DEBUG" not in missing.value.read().decode()
    missing.value.close()


def answer_of(browser: urllib.request.OpenerDirector, url: str, form: bytes | None = None) -> str:
    with browser.open(url, form) as answer:
        read: bytes = answer.read()
        return read.decode()


def test_a_bad_setting_is_refused_in_one_sentence(installation: Installation) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        said = installation.refusal(BOT_API_PORT=str(port))
        assert f"127.0.0.1:{port} cannot be listened on (Address already in use)" in said
        assert "BOT_API_PORT=" in said
    assert "BOT_API_HOST='192.0.2.1'" in installation.refusal(BOT_API_HOST="192.0.2.1")
    said = installation.refusal(BOT_API_HOST="192.0.2.1", BOT_TOKEN="a.token")
    assert "set BOT_API_HOST to an address of this machine" in said
    assert "FAKEDISCORD_PORT='x'" in installation.refusal(FAKEDISCORD_PORT="x")
    assert "EXAMPLE_PORT='0'" in installation.refusal(EXAMPLE_PORT="0")
    both = installation.refusal(EXAMPLE_PORT=str(installation.web_port))
    assert "BOT_API_PORT and EXAMPLE_PORT are both" in both
    assert "TIME_ZONE='Mars'" in installation.refusal(TIME_ZONE="Mars")
    assert "DATABASE_URL" in installation.refusal(DATABASE_URL="sqlite:////no/such/place/db")
    kept = installation.directory / "var/demo.json"
    kept.write_text("{")
    assert "var/demo.json is damaged: delete it" in installation.refusal()
    kept.unlink()
    (installation.directory / ".env").write_text("BOT_TOKEN abc\n")
    said = installation.refusal()
    assert ".env, line 1: what is written there for BOT_TOKEN" in said
    assert "abc" not in said
    assert "Traceback" not in said
    assert said.count("\n") == 1
