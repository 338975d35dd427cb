"""Keeps guilds, channels and messages in a file for the next start.

The file is written whole, now and then. What is written or deleted in between goes at once into a
log beside it, so that even a kill loses no message that was answered for.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from fakediscord.backend import Backend
from fakediscord.wire import Json, dumps
from fakediscord.world import Event, World

WRITE_EVERY_SECONDS = 1.0
LOGGED_BEFORE_WRITING = 2_000
FORMAT = 1


class StateError(Exception):
    """A state file that cannot be read, with the reason and the remedy."""


def read_state(path: Path) -> Json | None:
    """Return the state, or None if there is no such file yet."""
    try:
        kept: Json = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != FORMAT:
            raise StateError(f"the state {path} is of another version; remove it to begin anew")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        words = f"cannot read the state {path} ({error}); remove it to begin anew"
        raise StateError(words) from error
    return kept


def kept_world(kept: Json) -> World:
    world = World()
    world.load(kept["world"])
    return world


def restore(backend: Backend, kept: Json, path: Path) -> None:
    """Restore messages, commands, and what was logged after the file was written."""
    backend.messages.load(kept["messages"])
    backend.commands.load(kept["commands"])
    for number in (kept["log"], kept["log"] + 1):
        for line in _logged(_log_path(path, number)):
            _replay(backend, line)


def _log_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.log{number}")


def _logged(path: Path) -> Iterator[Json]:
    """Yield the logged lines. A last line cut off by a kill was answered for to nobody."""
    if not path.exists():
        return
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _replay(backend: Backend, line: Json) -> None:
    message = line["message"]
    known = backend.messages.channels.get(message["channel_id"])
    is_there = bool(known and message["id"] in known.by_id)
    if message["channel_id"] not in backend.world.guild_of:
        return
    backend.world.snowflakes.last = max(backend.world.snowflakes.last, int(message["id"]))
    if line["event"] == "MESSAGE_DELETE":
        if is_there:
            backend.messages.delete(message["channel_id"], message["id"])
    elif is_there:
        backend.messages.replace(message)
    else:
        backend.messages.add(message, line["nonce"])
    for name in ("embedded", "suppressed"):
        kept: dict[str, list[Json]] = getattr(backend.messages, name)
        kept.pop(message["id"], None)
        if name in line:
            kept[message["id"]] = line[name]


class StateWriter:
    """Writes the file at most once a second, and at the end."""

    def __init__(self, backend: Backend, path: Path, last_log: int) -> None:
        self._backend = backend
        self._path = path
        self._number = last_log
        self._lines = 0
        self._most_lines = LOGGED_BEFORE_WRITING
        self._is_stale = asyncio.Event()
        self._log: TextIO | None = None
        backend.world.listeners.append(self._on_event)
        backend.commands.listeners.append(self._is_stale.set)

    def open(self) -> None:
        try:
            self.write()
        except OSError as error:
            words = f"cannot write the state {self._path}: {error.strerror}; choose another --state"
            raise StateError(words) from error

    async def run(self) -> None:
        while True:
            await self._is_stale.wait()
            self._is_stale.clear()
            self.write()
            await asyncio.sleep(WRITE_EVERY_SECONDS)

    def close(self) -> None:
        self.write()
        if self._log:
            self._log.close()

    def write(self) -> None:
        """Write the whole file or nothing: a crash in between leaves the old file and its log."""
        self._begin_log()
        kept: Json = {
            "format": FORMAT,
            "log": self._number,
            "world": self._backend.world.dump(),
            "messages": self._backend.messages.dump(),
            "commands": self._backend.commands.dump(),
        }
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(dumps(kept), encoding="utf-8")
        os.replace(new, self._path)
        for old in (self._number - 1, self._number - 2):
            _log_path(self._path, old).unlink(missing_ok=True)

    def _begin_log(self) -> None:
        """Begin a new log for what comes from now on, which is in no file yet."""
        if self._log:
            self._log.close()
        self._number += 1
        self._log = _log_path(self._path, self._number).open("w", encoding="utf-8")
        # The more there is to write, the less often it is written.
        self._most_lines = max(LOGGED_BEFORE_WRITING, self._backend.messages.count())
        self._lines = 0

    def _on_event(self, event: Event) -> None:
        if event.name.startswith("MESSAGE_"):
            self._note(event)
        if not event.name.startswith("MESSAGE_") or self._lines >= self._most_lines:
            self._is_stale.set()

    def _note(self, event: Event) -> None:
        if event.name == "MESSAGE_DELETE_BULK":
            for message_id in event.data["ids"]:
                gone = {**event.data, "id": message_id}
                self._note(event._replace(name="MESSAGE_DELETE", data=gone))
        elif self._log:
            line: Json = {"event": event.name, "message": event.data, "nonce": event.nonce}
            for name in ("embedded", "suppressed"):
                kept: dict[str, list[Json]] = getattr(self._backend.messages, name)
                if event.data["id"] in kept:
                    line[name] = kept[event.data["id"]]
            self._log.write(dumps(line) + "\n")
            self._log.flush()
            self._lines += 1
