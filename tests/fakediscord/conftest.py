"""What the tests of fakediscord share: the layout of the cast."""

from pathlib import Path

import pytest

from tests.fakediscord.cast import write_layout


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(tmp_path_factory.mktemp("fakediscord"))
