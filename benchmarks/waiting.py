"""Waits for a condition, never for time."""

import time
from collections.abc import Callable
from typing import Any


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """Return the first true thing that `condition` returns."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > until:
            raise TimeoutError(f"within {seconds:g} s it did not come to this: {what}")
        time.sleep(0.05)
    return found
