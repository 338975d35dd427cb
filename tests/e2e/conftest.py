"""A small Discord, and the project's processes around it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack
from tests.fakediscord_driver import FakeDiscordProcess

HERE = Path(__file__).resolve().parent
# `make test` runs it too: written, shown, corrected, withdrawn, and told each time.
ONE_PATH = "test_a_posted_notice_is_shown_edited_and_withdrawn"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and item.name != ONE_PATH:
            item.add_marker(pytest.mark.e2e)


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
