"""Runs django-q2's cluster so that a signal to its whole group, or kill -9, stops it cleanly."""

import os
import signal
from threading import Timer
from types import FrameType
from typing import Any

from django.core.management.base import CommandError
from django_q import cluster as django_q_cluster
from django_q.brokers import get_broker
from django_q.cluster import Cluster
from django_q.management.commands import qcluster
from redis import RedisError

from notices.parent_death import die_with
from notices.upkeep import schedules
from notices.upkeep.migrations_applied import refuse_unapplied_migrations

STOP_SECONDS = 10.0

_pid = os.getpid()


def _lead_a_life_of_its_own() -> None:
    # Only the main process may be told to stop: it stops the others in order. If a signal to the
    # group (honcho, systemd, a terminal) reached the sentinel first, the cluster would hang.
    global _pid
    os.setpgrp()
    die_with(_pid, signal.SIGKILL)
    _pid = os.getpid()


class _BoundedCluster(Cluster):  # type: ignore[misc]
    is_told = False

    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Stop within a time limit, and leave the rest to the sweep.

        django-q2 itself waits for ever if its queue is full while a worker restarts. A second
        signal must not interrupt the first, because django-q2 would wait for its own lock.
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if self.is_told:
            return
        self.is_told = True
        if self.sentinel is None:
            raise SystemExit(0)  # nothing was started yet
        deadline = Timer(STOP_SECONDS, self.sentinel.kill)
        deadline.daemon = True
        deadline.start()
        super().sig_handler(signum, frame)


def _refuse_absent_broker() -> None:
    try:
        get_broker().ping()
    except RedisError as error:
        raise CommandError(
            f"Redis does not answer ({error}): start it, or look at REDIS_URL."
        ) from error


class Command(qcluster.Command):  # type: ignore[misc]
    def handle(self, *args: Any, **options: Any) -> None:
        _refuse_absent_broker()
        refuse_unapplied_migrations()
        os.register_at_fork(after_in_child=_lead_a_life_of_its_own)
        django_q_cluster.scheduler = schedules.run_due
        if name := options["cluster_name"]:
            os.environ["Q_CLUSTER_NAME"] = name
        cluster = _BoundedCluster()
        cluster.start()
        if options["run_once"]:
            cluster.stop()
        cluster.sentinel.join()
        if code := cluster.sentinel.exitcode:
            raise CommandError(
                f"The cluster's sentinel ended with exit code {code}; its workers were stopped. "
                "Start qcluster again."
            )
