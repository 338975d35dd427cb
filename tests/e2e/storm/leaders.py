"""Leaders at work over HTTP, who note down what they were told; and a moderator in Discord."""

import http.client
import json
import threading
import urllib.error
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.stack import Stack
from tests.e2e.storm.books import Book, Wish, number_of, withdrawn
from tests.e2e.storm.plan import Edit, Moderate, Post, SendAgain, Step, Withdraw

Json = dict[str, Any]

LOST = (OSError, http.client.HTTPException, json.JSONDecodeError)


class Leaders:
    def __init__(self, stack: Stack, channels: list[str], is_over: threading.Event) -> None:
        self._stack = stack
        self._channels = channels
        self._is_over = is_over
        study = stack.prepare("addstudy", "폭풍", "--channel", *channels)
        self._study = int(study)
        self.key = stack.prepare("createapikey", "storm", "--study", study)
        self.books: dict[int, Book] = {}
        self.complaints: list[str] = []
        self.counts: Counter[str] = Counter()

    def do(self, step: Step) -> None:
        match step:
            case Post():
                self._post(step)
            case Edit():
                self._edit(step)
            case Withdraw():
                self._change(step, "POST", "withdraw/", {}, withdrawn)
            case SendAgain():
                self._change(step, "POST", "send-again/", {}, lambda wish: wish)
            case Moderate():
                self._moderate(step)

    def _post(self, step: Post) -> None:
        channels = [self._channels[index] for index in step.channels]
        wish = Wish(step.title, step.content, frozenset(channels))
        book = Book(step.notice, {wish}, may_expire=step.ends_in is not None)
        self.books[step.notice] = book
        answer = self._ask("POST", *self._posted(step, channels))
        if answer is None:
            book.possible.add(None)
            return
        status, body = answer
        if status in (201, 202):
            book.id = body["notice"] if step.by_first_frontend else body["id"]
            return
        book.possible = {None}
        came_too_late = status == 400 and "expires_at" in body
        if not came_too_late:
            self.complaints.append(f"{step} was answered with {answer}")

    def _posted(self, step: Post, channels: list[str]) -> tuple[str, Json]:
        words: Json = {"title": step.title, "content": step.content, "study_id": self._study}
        if step.by_first_frontend:
            return "/notice/", {**words, "channel_id": channels[0], "author": "민지"}
        now = datetime.now(UTC)
        moments = {
            name: (now + timedelta(seconds=seconds)).isoformat()
            for name, seconds in (("publish_at", step.starts_in), ("expires_at", step.ends_in))
            if seconds is not None
        }
        return "/api/v1/notices/", {**words, "channel_ids": channels, **moments}

    def _edit(self, step: Edit) -> None:
        changes: Json = {}
        body: Json = {}
        for name, value in (("title", step.title), ("content", step.content)):
            if value is not None:
                changes[name] = body[name] = value
        if step.channels is not None:
            body["channel_ids"] = [self._channels[index] for index in step.channels]
            changes["channels"] = frozenset(body["channel_ids"])
            self.books[step.notice].times_taken_out += 1

        def edited(wish: Wish) -> Wish:
            return wish if wish.is_withdrawn else replace(wish, **changes)

        self._change(step, "PATCH", "", body, edited)

    def _change(
        self,
        step: Edit | Withdraw | SendAgain,
        method: str,
        path: str,
        body: Json,
        change: Callable[[Wish], Wish],
    ) -> None:
        """A notice whose posting got no answer has no id that its leader knows."""
        book = self.books.get(step.notice)
        if book is None or book.id is None:
            return
        answer = self._ask(method, f"/api/v1/notices/{book.id}/{path}", body)
        if answer is None:
            book.lost(change)
        elif answer[0] == 200:
            book.answered(change)
        elif answer[0] == 409 and isinstance(step, Edit):
            book.refused_as_withdrawn()
        elif answer[0] != 409 or not isinstance(step, SendAgain):
            self.complaints.append(f"{step} was answered with {answer}")

    def _ask(self, method: str, path: str, body: Json) -> tuple[int, Any] | None:
        """Null where nobody knows what became of it. While nobody listens, a leader waits."""
        while not self._is_over.is_set():
            try:
                return self._stack.ask(method, path, body, key=self.key)
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    break
                self._is_over.wait(0.05)
            except LOST:
                break
        self.counts["answers lost"] += 1
        return None

    def _moderate(self, step: Moderate) -> None:
        channel = self._channels[step.channel]
        for message in self._stack.discord.messages(channel):
            if any(number_of(embed["title"]) == step.notice for embed in message["embeds"]):
                self.books[step.notice].moderated.add(channel)
                self._stack.discord.delete_message(channel, message["id"])
