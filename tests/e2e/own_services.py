"""A PostgreSQL and a Redis of the tests' own, which they may stop, kill and start again."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg
import redis

from tests.e2e.stack import free_port, wait_for
from tests.services import pgbouncer_program, postgres_programs, redis_program

START_SECONDS = 30.0
STOP_SECONDS = 30.0
# initdb and postgres refuse to run as root.
UNPRIVILEGED_USER = "postgres"


class OwnServer:
    """One server process on a port of its own: `stop`, `kill`, and `start` on the same data."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process is None:
            self._process = self._launch()
        try:
            wait_for(self._is_up, f"{self!r} answers", START_SECONDS)
        except AssertionError:
            self.kill()
            raise

    def stop(self) -> None:
        """At once, but in good order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As when the power fails."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It takes connections, as its machine does that for it, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def close(self) -> None:
        self.kill()

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        children = children_of(self._process.pid)
        self._signal(number)
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None
        if number == signal.SIGKILL:
            _kill_all(children)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _launch(self) -> "subprocess.Popen[bytes]":
        raise NotImplementedError

    def _is_up(self) -> bool:
        raise NotImplementedError


class OwnPostgres(OwnServer):
    """`settings` are the server's, such as `log_statement="all"`; what it says is in `log()`."""

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self._programs = postgres_programs()
        assert self._programs is not None, "PostgreSQL's programs are not installed"
        # Not pytest's folder, into which another user may not look.
        self._folder = Path(tempfile.mkdtemp(prefix="studybot-postgres-"))
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self._folder, self._user)
        self._settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            # A killed process loses nothing that the operating system already has.
            "fsync": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            **settings,
        }
        self._initialise()

    def __repr__(self) -> str:
        return f"PostgreSQL on port {self.port}"

    @property
    def url(self) -> str:
        return f"postgres://studybot@127.0.0.1:{self.port}/postgres"

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Its rows, if it has any."""
        with psycopg.connect(self.url, autocommit=True) as session:
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder)

    def _initialise(self) -> None:
        assert self._programs is not None
        ran = subprocess.run(
            [
                str(self._programs / "initdb"), "--pgdata", str(self._folder / "data"),
                "--username", "studybot", "--auth", "trust", "--encoding", "UTF8",
                "--locale", "C.UTF-8", "--no-sync",
            ],
            cwd=self._folder, user=self._user, group=self._group(), extra_groups=self._no_groups(),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr

    def _launch(self) -> "subprocess.Popen[bytes]":
        assert self._programs is not None
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data")]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self._folder, user=self._user, group=self._group(),
                extra_groups=self._no_groups(), stdout=log, stderr=log,
            )  # fmt: skip

    def _group(self) -> int | None:
        return pwd.getpwnam(self._user).pw_gid if self._user else None

    def _no_groups(self) -> list[str] | None:
        return [] if self._user else None

    def _is_up(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class OwnRedis(OwnServer):
    """It keeps nothing: killed, it comes back empty."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="studybot-redis-"))

    def __repr__(self) -> str:
        return f"Redis on port {self.port}"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder)

    def _launch(self) -> "subprocess.Popen[bytes]":
        program = redis_program()
        assert program is not None, "redis-server is not installed"
        return subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""],
            cwd=self._folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def _is_up(self) -> bool:
        client = redis.Redis(port=self.port)
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
        finally:
            client.close()


class OwnPgBouncer(OwnServer):
    """In front of a PostgreSQL, with Debian's settings but for how it pools."""

    def __init__(self, postgres: OwnPostgres, pool_mode: str) -> None:
        super().__init__()
        self._user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="studybot-pgbouncer-"))
        (self._folder / "users").write_text('"studybot" ""\n')
        (self._folder / "pgbouncer.ini").write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={postgres.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {self._folder}/users\npool_mode = {pool_mode}\n"
        )
        if self._user:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, self._user)

    def __repr__(self) -> str:
        return f"PgBouncer on port {self.port}"

    def url(self, database: str) -> str:
        return f"postgres://studybot@127.0.0.1:{self.port}/{database}"

    def close(self) -> None:
        super().close()
        shutil.rmtree(self._folder)

    def _launch(self) -> "subprocess.Popen[bytes]":
        program = pgbouncer_program()
        assert program is not None, "pgbouncer is not installed"
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [program, str(self._folder / "pgbouncer.ini")],
                cwd=self._folder, user=self._user, extra_groups=[] if self._user else None,
                stdout=log, stderr=log,
            )  # fmt: skip

    def _is_up(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def children_of(pid: int) -> list[int]:
    """The processes that this one started and that are still there."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in listed.split()]


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _kill_all(pids: list[int]) -> None:
    """PostgreSQL's processes end by themselves once its first one is gone, but not at once."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(is_running, pids)), "the server's processes are gone")
