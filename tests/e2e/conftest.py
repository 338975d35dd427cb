"""A small Discord, and the project's processes around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess


@pytest.fixture
def discord() -> Iterator[FakeDiscordProcess]:
    process = FakeDiscordProcess()
    yield process
    process.stop()


@pytest.fixture
def stack(tmp_path: Path, discord: FakeDiscordProcess) -> Iterator[Stack]:
    stack = Stack(tmp_path, discord)
    yield stack
    stack.close()
