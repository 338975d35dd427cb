"""Remembers nonces used lately, so that a message sent twice is shown once."""

import time
from collections import deque

from fakediscord.settings import Settings
from fakediscord.snowflake import made_at

# Author and nonce; and channel and id of the message for which they were used.
Key = tuple[str, str]
Place = tuple[str, str]


class Nonces:
    """Remembers each author's nonces for `nonce_window` from the message's creation."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places: dict[Key, Place] = {}
        self._order: deque[Key] = deque()

    def place_of(self, author_id: str, nonce: str) -> Place | None:
        place = self._places.get((author_id, nonce))
        return place if place and self._is_recent(place) else None

    def use(self, author_id: str, nonce: str, place: Place) -> None:
        self._forget_old()
        self._places[author_id, nonce] = place
        self._order.append((author_id, nonce))

    def dump(self) -> list[list[str]]:
        return [[*key, *place] for key, place in self._places.items()]

    def load(self, dumped: list[list[str]]) -> None:
        for author_id, nonce, channel_id, message_id in dumped:
            self.use(author_id, nonce, (channel_id, message_id))

    def _is_recent(self, place: Place) -> bool:
        return made_at(place[1]) > time.time() - self._settings.nonce_window

    def _forget_old(self) -> None:
        while self._order:
            place = self._places.get(self._order[0])
            if place and self._is_recent(place):
                return
            self._places.pop(self._order.popleft(), None)
