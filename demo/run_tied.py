"""Ends a process of `make run` when `make run` itself is killed."""

import os
import signal
import sys

from notices.parent_death import die_with

if __name__ == "__main__":
    die_with(os.getppid(), signal.SIGTERM)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the Procfile's own command
