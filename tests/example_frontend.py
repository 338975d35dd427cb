"""Runs the example frontend's small server as a process of its own."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.stack import free_port, wait_for
from tests.services import answers

SERVER = Path(__file__).resolve().parent.parent / "examples/frontend/server.py"


class ExampleFrontend:
    """`with ExampleFrontend(studybot, key) as example:`"""

    def __init__(self, studybot: str, key: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {
            **os.environ,
            "STUDYBOT_URL": studybot,
            "STUDYBOT_KEY": key,
            "EXAMPLE_PORT": str(self.port),
        }
        self._process = subprocess.Popen([sys.executable, str(SERVER)], env=environment)
        wait_for(lambda: answers(self.url), "the example frontend answers")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()
