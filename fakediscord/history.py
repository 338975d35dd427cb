"""Orders a channel's messages, and gives the pages of its history."""

from bisect import bisect_left, insort

from fakediscord.wire import Json


class History:
    __slots__ = ("_ids", "by_id")

    def __init__(self) -> None:
        self.by_id: dict[str, Json] = {}
        self._ids: list[int] = []

    def put(self, message: Json) -> None:
        if message["id"] not in self.by_id:
            insort(self._ids, int(message["id"]))
        self.by_id[message["id"]] = message

    def remove(self, message_id: str) -> Json:
        del self._ids[bisect_left(self._ids, int(message_id))]
        return self.by_id.pop(message_id)

    def newest(self, limit: int) -> list[Json]:
        """Return the newest, newest first as on all pages."""
        return self._between(max(0, len(self._ids) - limit), len(self._ids))

    def before(self, message_id: int, limit: int) -> list[Json]:
        end = bisect_left(self._ids, message_id)
        return self._between(max(0, end - limit), end)

    def after(self, message_id: int, limit: int) -> list[Json]:
        """Return the oldest of the messages after this one."""
        begin = bisect_left(self._ids, message_id + 1)
        return self._between(begin, begin + limit)

    def around(self, message_id: int, limit: int) -> list[Json]:
        middle = bisect_left(self._ids, message_id)
        begin = max(0, middle - limit // 2)
        return self._between(begin, begin + limit)

    def _between(self, begin: int, end: int) -> list[Json]:
        return [self.by_id[str(one)] for one in reversed(self._ids[begin:end])]
