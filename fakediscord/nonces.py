"""Nonces lately used: what keeps a message that is sent twice from being shown twice."""

import time
from collections import deque

from fakediscord.settings import Settings

Key = tuple[str, str]


class Nonces:
    """Per author, for the settings' `nonce_window`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places: dict[Key, tuple[float, str, str]] = {}
        self._order: deque[tuple[float, Key]] = deque()

    def place_of(self, author_id: str, nonce: str) -> tuple[str, str] | None:
        """Channel and id of the message that it was used for."""
        used = self._places.get((author_id, nonce))
        if used is None or used[0] <= time.monotonic() - self._settings.nonce_window:
            return None
        return used[1], used[2]

    def use(self, author_id: str, nonce: str, channel_id: str, message_id: str) -> None:
        now = time.monotonic()
        self._forget(now - self._settings.nonce_window)
        key = (author_id, nonce)
        self._places[key] = (now, channel_id, message_id)
        self._order.append((now, key))

    def _forget(self, until: float) -> None:
        while self._order and self._order[0][0] <= until:
            used_at, key = self._order.popleft()
            if self._places.get(key, (None,))[0] == used_at:
                del self._places[key]
