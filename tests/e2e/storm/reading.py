"""Compares the API's answers with the channels while the storm goes on."""

import threading
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.stack import Stack
from tests.e2e.storm.books import Book, number_of
from tests.e2e.storm.leaders import LOST, Leaders

Json = dict[str, Any]

READ_EVERY_SECONDS = 0.5


class Reader:
    def __init__(self, stack: Stack, channels: list[str], leaders: Leaders) -> None:
        self._stack = stack
        self._channels = channels
        self._leaders = leaders
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()

    def shown(self) -> dict[str, list[Json]]:
        """The bot's messages by channel, oldest first."""
        state = self._stack.discord.state()
        me = state["application"]["id"]
        messages = state["messages"]
        return {
            channel: [one for one in messages.get(channel, ()) if one["author"]["id"] == me]
            for channel in self._channels
        }

    def notices(self) -> list[Json]:
        found: list[Json] = []
        path = "/api/v1/notices/"
        while path:
            page = self._stack.get(path, self._leaders.key)
            found += page["results"]
            path = urlsplit(page["next"] or "")._replace(scheme="", netloc="").geturl()
        return found

    def read_along(self, is_over: threading.Event) -> None:
        """Check that the API's word is true at that moment: sent is shown, withdrawn is not."""
        while not is_over.wait(READ_EVERY_SECONDS):
            before = self._newest()
            shown = self.shown()
            after = self._newest()
            for notice_id, notice in before.items():
                number = number_of(notice["title"])
                if number is not None and after.get(notice_id) == notice:
                    self._compare(notice, self._leaders.books[number], shown)

    def _newest(self) -> dict[int, Json]:
        try:
            page = self._stack.get("/api/v1/notices/", self._leaders.key)["results"]
        except LOST:
            return {}
        return {notice["id"]: notice for notice in page}

    def _compare(self, notice: Json, book: Book, shown: dict[str, list[Json]]) -> None:
        for delivery in notice["deliveries"]:
            channel, state = delivery["channel_id"], delivery["state"]
            titles = {
                message["id"]: embed["title"]
                for message in shown[channel]
                for embed in message["embeds"]
                if number_of(embed["title"]) == book.number
            }
            if channel in book.moderated:
                continue
            if state == "sent" and delivery["shown"] == notice["revision"]:
                expected = {delivery["message_id"]: notice["title"]}
            elif state == "withdrawn":
                expected = {}
            else:
                continue
            self.counts[f"{state} seen"] += 1
            if titles != expected:
                said = f"notice {notice['id']} in channel {channel} was said to be {state}"
                self.complaints.append(f"{said}: {delivery}, and shown was {titles}")
