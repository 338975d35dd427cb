"""Holds the settings: limits, windows and delays, which can change while the server runs."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TypeVar

T = TypeVar("T")

WINDOWS = ("sliding", "fixed", "leaky")
PRIVILEGED_INTENTS = {"presences": 1 << 8, "members": 1 << 1, "message_content": 1 << 15}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value >= 0


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and _is_number(value) and value >= 1)


def _is_intents(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(name in PRIVILEGED_INTENTS for name in value)


def _setting(default: T, is_right: Callable[[object], bool], wanted: str) -> T:
    made: T = field(default=default, metadata={"is_right": is_right, "wanted": wanted})
    return made


def _seconds(default: float) -> float:
    return _setting(default, _is_number, "a number of seconds, 0 or more")


def _limit(default: int) -> int | None:
    return _setting(default, _is_limit, "a number, 1 or more, or null to lift the limit")


def _count(default: int) -> int:
    return _setting(default, lambda value: isinstance(value, int) and value >= 1, "1 or more")


def _window(default: str) -> str:
    return _setting(default, WINDOWS.__contains__, f"one of {', '.join(WINDOWS)}")


def _switch(*, default: bool) -> bool:
    return _setting(default, lambda value: isinstance(value, bool), "true or false")


def _intents() -> tuple[str, ...]:
    return _setting((), _is_intents, f"a list of {', '.join(PRIVILEGED_INTENTS)}")


@dataclass(slots=True)
class Settings:
    # Every REST answer waits so long, and up to `jitter` longer.
    latency: float = _seconds(0.0)
    jitter: float = _seconds(0.0)

    # Requests a second of the whole bot.
    global_rate: int | None = _limit(50)
    global_window: str = _window("sliding")
    # Creating, editing, deleting and reading messages, each for one channel.
    bucket_limit: int | None = _limit(5)
    bucket_seconds: float = _seconds(5.0)
    bucket_window: str = _window("sliding")
    crosspost_limit: int | None = _limit(10)
    crosspost_seconds: float = _seconds(3600.0)
    # All other requests to the API.
    other_limit: int | None = _limit(50)
    other_seconds: float = _seconds(1.0)
    # Bytes of each attached file.
    largest_file: int | None = _limit(20 * 1024 * 1024)
    # Answers of 401, 403 and 429 before the address is banned.
    invalid_limit: int | None = _limit(10_000)
    invalid_seconds: float = _seconds(600.0)
    # Edits of a message older than this, for one message and hour.
    old_message_seconds: float = _seconds(3600.0)
    old_message_edits: int | None = _limit(30)

    nonce_window: float = _seconds(180.0)
    nonce_in_get: bool = _switch(default=False)

    interaction_seconds: float = _seconds(3.0)
    interaction_token_seconds: float = _seconds(900.0)

    # How long a person's consent waits for the application to take it up.
    oauth_code_seconds: float = _seconds(60.0)

    heartbeat_seconds: float = _seconds(41.25)
    resume_seconds: float = _seconds(180.0)
    replayed_events: int = _count(10_000)
    shards: int = _count(1)
    privileged_intents: tuple[str, ...] = _intents()

    def change(self, changes: dict[str, object]) -> None:
        """Make all of the changes or, with a ValueError that says why, none."""
        known = {one.name: one.metadata for one in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no setting {name!r}; there are: {', '.join(known)}")
            if not known[name]["is_right"](value):
                raise ValueError(f"{name}: {value!r} is not {known[name]['wanted']}")
        for name, value in changes.items():
            setattr(self, name, value)
