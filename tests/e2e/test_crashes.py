"""Each channel shows what was last wanted, once, after any kill and any failure of Discord."""

import os
import random
from pathlib import Path

import pytest

from tests.e2e.storm.__main__ import storm

SECONDS = 25
NOTICES = 150


def test_after_a_storm_each_channel_shows_what_was_last_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`STORM_SEED` sets the seed; `make soak` goes on for longer."""
    seed = int(os.environ.get("STORM_SEED") or random.SystemRandom().randrange(10**6))
    with capsys.disabled():
        assert storm(seed, seconds=SECONDS, notices=NOTICES, folder=tmp_path)
