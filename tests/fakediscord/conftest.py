"""What the tests of fakediscord share: the layout of the cast, and discord.py ready to import."""

import warnings
from pathlib import Path

import pytest

from tests.fakediscord.cast import write_layout

with warnings.catch_warnings():
    # discord.py imports audioop, which Python 3.11 warns of and every warning here is an error.
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord as discord


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_layout(tmp_path_factory.mktemp("fakediscord"))
