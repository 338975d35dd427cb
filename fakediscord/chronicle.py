"""Records every message that was made and when it was deleted, for tests to count."""

import time
from collections import deque
from itertools import count

from fakediscord.wire import Json
from fakediscord.world import Event, World

KEPT_EVENTS = 100_000


class Chronicle:
    def __init__(self, world: World) -> None:
        self._numbers = count(1)
        self._events: deque[Json] = deque(maxlen=KEPT_EVENTS)
        world.listeners.append(self._note)

    def since(self, n: int) -> list[Json]:
        """Return the events after the `n`-th. A deletion has no nonce."""
        return [event for event in self._events if event["n"] > n]

    def _note(self, event: Event) -> None:
        match event.name:
            case "MESSAGE_CREATE" | "MESSAGE_DELETE":
                self._add(event, event.data["id"])
            case "MESSAGE_DELETE_BULK":
                for message_id in event.data["ids"]:
                    self._add(event._replace(name="MESSAGE_DELETE"), message_id)

    def _add(self, event: Event, message_id: str) -> None:
        self._events.append(
            {
                "n": next(self._numbers),
                "time": time.time(),
                "event": event.name,
                "channel_id": event.channel_id,
                "message_id": message_id,
                "nonce": event.nonce,
            }
        )
