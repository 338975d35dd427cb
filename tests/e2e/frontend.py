"""A frontend that posts notices, and remembers what it was answered."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.e2e.stack import Stack, wait_for

PAUSE_SECONDS = 0.02


class Frontend:
    """It has a study of its own, in all of `channels`, and posts to one after the other."""

    def __init__(self, stack: Stack, channels: Sequence[str], name: str = "스터디") -> None:
        self._stack = stack
        self.channels = list(channels)
        self.study = stack.prepare("addstudy", name, "--channel", *channels)
        self.key = stack.prepare("createapikey", name, "--study", self.study)
        self.accepted: dict[str, int] = {}
        self.refused: list[str] = []
        self.slowest_seconds = 0.0
        self._name = name
        self._posted = 0

    def post(self) -> bool:
        """Post the next notice. Whether it was accepted."""
        title = f"{self._name} {self._posted}"
        channel = self.channels[self._posted % len(self.channels)]
        self._posted += 1
        body = {
            "channel_id": channel, "title": title, "study_id": int(self.study),
            "content": "화요일 20시", "author": "민지",
        }  # fmt: skip
        begun = time.monotonic()
        try:
            status, answer = self._stack.ask("POST", "/notice/", body, key=self.key)
        except OSError as error:
            status, answer = 0, str(error)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun)
        if status == 202:
            self.accepted[title] = int(answer["notice"])
        else:
            self.refused.append(title)
        return status == 202

    @contextmanager
    def posting(self) -> Iterator[None]:
        """Post on and on, in a thread of its own."""
        stop = threading.Event()

        def post_on() -> None:
            while not stop.wait(PAUSE_SECONDS):
                self.post()

        thread = threading.Thread(target=post_on)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def wait_until_accepted(self, more: int) -> None:
        wanted = len(self.accepted) + more
        wait_for(lambda: len(self.accepted) >= wanted, f"{more} more are accepted")

    def wait_until_refused(self, more: int) -> None:
        wanted = len(self.refused) + more
        wait_for(lambda: len(self.refused) >= wanted, f"{more} more are refused")

    def create(self, **fields: Any) -> int:
        """By the second API, with any fields of a notice, in the first channel."""
        body = {
            "study_id": int(self.study), "channel_ids": self.channels[:1],
            "title": "공지", "content": "화요일 20시", "author": "민지", **fields,
        }  # fmt: skip
        status, answer = self._stack.ask("POST", "/api/v1/notices/", body, key=self.key)
        assert status == 201, answer
        return int(answer["id"])

    def shown(self) -> "Counter[str]":
        """Count how often each title stands in the study's channels."""
        return Counter(title for channel in self.channels for title in self._stack.shown(channel))

    def wait_until_shown(self, seconds: float = 60) -> None:
        """All that was accepted is shown, and its status says so."""
        wait_for(lambda: self.accepted.keys() <= self.shown().keys(), "all are shown", seconds)
        for notice in self.accepted.values():
            wait_for(partial(self.is_sent, notice), f"notice {notice} is sent", seconds)

    def is_sent(self, notice: int) -> bool:
        return self._stack.status(notice, self.key) == "sent"

    def assert_shown_once(self) -> None:
        """An error may come after the commit: what was refused may be shown, but never twice."""
        shown = self.shown()
        assert self.accepted.keys() <= shown.keys()
        assert shown.keys() <= self.accepted.keys() | set(self.refused)
        assert set(shown.values()) <= {1}
