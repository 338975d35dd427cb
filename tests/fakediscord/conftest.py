"""Fixtures of fakediscord's tests: the layout of the cast."""

from pathlib import Path

import pytest

from tests.fakediscord.cast import write_layout


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(tmp_path_factory.mktemp("fakediscord"))
