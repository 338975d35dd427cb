"""Orders failures: which requests they strike, and how."""

import asyncio
import random
import re
from dataclasses import dataclass, field
from typing import Any

from fakediscord.wire import Json

KINDS = ("status", "lost_reply", "reset", "hang", "delay", "truncate")
FOREVER_SECONDS = 3600.0
ORDERED: dict[str, tuple[type | tuple[type, ...], str]] = {
    "method": (str, "a method such as POST, or null for all"),
    "path": (str, "a regular expression, searched for in the path after /api/v10"),
    "kind": (str, f"one of {', '.join(KINDS)}"),
    "status": (int, "an HTTP status"),
    "code": (int, "one of Discord's error codes"),
    "message": (str, "the words of the error"),
    "headers": (dict, "an object of headers"),
    "body": ((dict, list, str, int), "any JSON; a text is sent as it is, as HTML"),
    "seconds": ((int, float), "a number of seconds"),
    "retry_after": ((int, float), "a number of seconds"),
    "scope": (str, "user, global or shared"),
    "via": (bool, "false to leave the Via header out"),
    "json": (bool, "false for an HTML page in place of JSON"),
    "after": (bool, "true to do what was asked for before failing"),
    "times": (int, "how often it strikes, or null for without end"),
    "probability": ((int, float), "from 0 to 1"),
    "seed": (int, "a number, to strike the same requests each time"),
}


@dataclass
class Fault:
    id: int
    order: Json
    method: str | None
    path: re.Pattern[str]
    times: int | None
    probability: float
    random: random.Random
    hits: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def strikes(self, method: str, path: str) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        if self.method not in (None, method) or not self.path.search(path):
            return False
        return self.probability >= 1 or self.random.random() < self.probability

    async def wait_until_over(self) -> None:
        """Wait until the time of a hanging request is up, or the fault is taken back."""
        try:
            seconds = self.order.get("seconds", FOREVER_SECONDS)
            await asyncio.wait_for(self.over.wait(), seconds)
        except TimeoutError:
            pass

    def json(self) -> Json:
        return {"id": self.id, "hits": self.hits, **self.order}


class Faults:
    def __init__(self) -> None:
        self._count = 0
        self._faults: dict[int, Fault] = {}

    def order(self, order: Any) -> Fault:
        """Add a fault; a ValueError says what is wrong with the order."""
        _check(order)
        self._count += 1
        method = order.get("method")
        fault = self._faults[self._count] = Fault(
            id=self._count,
            order=order,
            method=method.upper() if method else None,
            path=re.compile(order.get("path") or ""),
            times=order.get("times"),
            probability=order.get("probability", 1.0),
            random=random.Random(order.get("seed")),
        )
        return fault

    def strike(self, method: str, path: str) -> Fault | None:
        """Return the first fault that matches this request, and count the hit."""
        for fault in self._faults.values():
            if fault.strikes(method, path):
                fault.hits += 1
                return fault
        return None

    def json(self) -> list[Json]:
        return [fault.json() for fault in self._faults.values()]

    def take_back(self, fault_id: int | None = None) -> bool:
        """Take one fault back, or all, and release the requests that hang by them."""
        ids = list(self._faults) if fault_id is None else [fault_id]
        if any(one not in self._faults for one in ids):
            return False
        for one in ids:
            self._faults.pop(one).over.set()
        return True


def _check(order: object) -> None:
    if not isinstance(order, dict):
        raise ValueError("a fault is an object")
    for name, value in order.items():
        if name not in ORDERED:
            raise ValueError(f"no such part of a fault: {name!r}; there are: {', '.join(ORDERED)}")
        wanted, words = ORDERED[name]
        if value is not None and not isinstance(value, wanted):
            raise ValueError(f"{name}: {value!r} is not {words}")
    if order.get("kind") not in KINDS:
        raise ValueError(f"kind: {order.get('kind')!r} is not {ORDERED['kind'][1]}")
    if order["kind"] == "status" and "status" not in order:
        raise ValueError("status: missing; name the HTTP status to answer with")
    try:
        re.compile(order.get("path") or "")
    except re.error as error:
        raise ValueError(f"path: {order['path']!r} is no regular expression: {error}") from error
