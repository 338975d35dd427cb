"""Records the requests to the REST API and their answers, for tests to look at."""

import time
from collections import Counter, deque

from fakediscord.wire import Json

KEPT_REQUESTS = 50_000
PEAK_SECONDS = 1.0


class Journal:
    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.count = 0
        self.creates = 0
        self.peak = 0
        self.by_status: Counter[str] = Counter()
        self._requests: deque[Json] = deque(maxlen=KEPT_REQUESTS)
        self._last_second: deque[float] = deque()

    def arrived(self, method: str, path: str, bucket: str | None) -> Json:
        """Add an entry, whose `status` stays null until `answered`."""
        now = time.time()
        self.count += 1
        entry: Json = {
            "n": self.count,
            "time": now,
            "method": method,
            "path": path,
            "status": None,
            "bucket": bucket,
        }
        self._requests.append(entry)
        self._note_peak(now)
        return entry

    def answered(self, entry: Json, status: int | str) -> None:
        """Set `status` to the number or, without a whole answer, to what happened instead."""
        entry["status"] = status
        self.by_status[str(status)] += 1

    def since(self, n: int) -> list[Json]:
        """Return the requests after the `n`-th."""
        return [entry for entry in self._requests if entry["n"] > n]

    def stats(self) -> Json:
        return {
            "requests": self.count,
            "by_status": dict(self.by_status),
            "rate_limited": self.by_status["429"],
            "creates": self.creates,
            "peak_per_second": self.peak,
        }

    def _note_peak(self, now: float) -> None:
        times = self._last_second
        times.append(now)
        while times[0] <= now - PEAK_SECONDS:
            times.popleft()
        self.peak = max(self.peak, len(times))
