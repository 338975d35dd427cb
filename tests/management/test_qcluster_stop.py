"""qcluster, the real process: how it stops, and what it leaves behind when it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]

# The attacks of somebody who can write to the queue and also knows the secret key.
ENQUEUE_FOREIGN = """
import os
from django_q.brokers import get_broker
from django_q.signing import SignedPackage
from django_q.tasks import async_task

class Payload:
    def __reduce__(self):
        return os.system, ({command!r},)

async_task("os.system", {command!r})
get_broker().enqueue(SignedPackage.dumps(Payload()))
async_task("notices.tasks.fan_out_notice", 0, hook="os.system")
async_task("notices.tasks.fan_out_notice", 0)
"""


class Cluster:
    def __init__(self, directory: Path, *program: str) -> None:
        self.log = directory / "qcluster.log"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "studybot.settings",
            "DEBUG": "1",
            "DATABASE_URL": f"sqlite:///{directory / 'cluster.sqlite3'}",
            "REDIS_URL": "",
            "LOG_LEVEL": "DEBUG",  # at this level django-q logs each task
        }
        self.manage("migrate", "--verbosity", "0")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *(program or ("manage.py",)), "qcluster"],
                cwd=BASE_DIR,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        # Sentinel, worker, monitor, pusher.
        self.wait_for("running.")
        wait_until(lambda: len(descendants(self.process.pid)) == 4)

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        subprocess.run(command, cwd=BASE_DIR, env=self.environment, check=True)

    def succeeds(self, *arguments: str) -> bool:
        command = [sys.executable, "manage.py", *arguments]
        ran = subprocess.run(
            command, cwd=BASE_DIR, env=self.environment, capture_output=True, check=False
        )
        return ran.returncode == 0

    def wait_for(self, words: str) -> None:
        wait_until(lambda: words in self.log.read_text())


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def stat_of(pid: int) -> list[str]:
    """State, parent and so on; empty once the process is gone or only waits to be reaped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    fields = text.rpartition(")")[2].split()
    return [] if fields[0] in "ZX" else fields


def descendants(pid: int) -> set[int]:
    parents = {int(p.name): stat_of(int(p.name)) for p in Path("/proc").glob("[0-9]*")}
    found: set[int] = set()
    frontier = {pid}
    while frontier:
        frontier = {child for child, stat in parents.items() if stat and int(stat[1]) in frontier}
        found |= frontier
    return found


def gone(pids: set[int]) -> bool:
    return not any(stat_of(pid) for pid in pids)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("qcluster")


@pytest.fixture
def cluster(directory: Path) -> Iterator[Cluster]:
    yield from ended(Cluster(directory))


@pytest.fixture
def hasty_cluster(tmp_path: Path) -> Iterator[Cluster]:
    yield from ended(Cluster(tmp_path, "-m", "tests.hasty_qcluster"))


def ended(cluster: Cluster) -> Iterator[Cluster]:
    pids = {cluster.process.pid} | descendants(cluster.process.pid)
    yield cluster
    for pid in pids:
        if stat_of(pid):
            os.kill(pid, signal.SIGKILL)
    cluster.process.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_stops_it_cleanly(
    cluster: Cluster, how: signal.Signals
) -> None:
    children = descendants(cluster.process.pid)
    os.killpg(cluster.process.pid, how)
    assert cluster.process.wait(PATIENCE_SECONDS) == 0
    assert gone(children)
    assert "has stopped" in cluster.log.read_text()


def test_no_second_signal_hangs_it(cluster: Cluster) -> None:
    children = descendants(cluster.process.pid)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while cluster.process.poll() is None:  # so fast that one comes during the first one's work
        assert time.monotonic() < deadline, "it hangs"
        cluster.process.send_signal(signal.SIGINT)
        cluster.process.send_signal(signal.SIGTERM)
    assert cluster.process.returncode == 0
    assert gone(children)


def test_kill_9_of_the_main_process_leaves_no_orphans(cluster: Cluster) -> None:
    children = descendants(cluster.process.pid)
    cluster.process.kill()
    wait_until(lambda: gone(children))


def test_the_death_of_the_sentinel_ends_all_and_is_said(cluster: Cluster) -> None:
    children = descendants(cluster.process.pid)
    sentinel = next(pid for pid in children if int(stat_of(pid)[1]) == cluster.process.pid)
    os.kill(sentinel, signal.SIGKILL)
    assert cluster.process.wait(PATIENCE_SECONDS) == 1
    wait_until(lambda: gone(children))
    assert "sentinel ended with exit code -9" in cluster.log.read_text()


def test_a_task_over_its_time_costs_its_worker_only(hasty_cluster: Cluster) -> None:
    before = descendants(hasty_cluster.process.pid)
    enqueue = "from django_q.tasks import async_task; async_task('time.sleep', 600)"
    hasty_cluster.manage("shell", "--no-imports", "-c", enqueue)
    hasty_cluster.wait_for("Task exceeded maximum timeout value")
    wait_until(lambda: len(descendants(hasty_cluster.process.pid) - before) == 1)
    wait_until(lambda: len(descendants(hasty_cluster.process.pid)) == 4)
    os.killpg(hasty_cluster.process.pid, signal.SIGTERM)
    assert hasty_cluster.process.wait(PATIENCE_SECONDS) == 0


def test_it_runs_nothing_but_studybots_own_tasks(cluster: Cluster, tmp_path: Path) -> None:
    mark = tmp_path / "was run"
    cluster.manage("shell", "--no-imports", "-c", ENQUEUE_FOREIGN.format(command=f"touch '{mark}'"))
    cluster.wait_for("'os.system' is no task of studybot")
    cluster.wait_for("posix.system is no plain value")
    cluster.wait_for("hook='os.system'")
    cluster.wait_for("Processed 'notices.tasks.fan_out_notice'")
    rows = "from django_q.models import OrmQ; assert not OrmQ.objects.exists()"
    wait_until(lambda: cluster.succeeds("shell", "--no-imports", "-c", rows))
    assert not mark.exists()
