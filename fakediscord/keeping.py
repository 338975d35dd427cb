"""Keeps guilds, channels and messages in a file, so that they are there after a restart."""

import asyncio
import json
import os
from pathlib import Path

from fakediscord.backend import Backend
from fakediscord.wire import Json, dumps
from fakediscord.world import Event, World

WRITE_EVERY_SECONDS = 1.0
FORMAT = 1


class StateError(Exception):
    """A state file that cannot be read, with the reason and the remedy."""


def read_state(path: Path) -> Json | None:
    """None if there is no such file yet."""
    try:
        kept: Json = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != FORMAT:
            raise StateError(f"the state {path} is of another version; remove it to begin anew")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(
            f"cannot read the state {path} ({error}); remove it to begin anew"
        ) from error
    return kept


def kept_world(kept: Json) -> World:
    world = World()
    world.load(kept["world"])
    return world


def restore(backend: Backend, kept: Json) -> None:
    """What is not the world itself."""
    backend.messages.load(kept)
    backend.commands.load(kept["commands"])


class Keeper:
    """Writes at most once a second, and at the end."""

    def __init__(self, backend: Backend, path: Path) -> None:
        self._backend = backend
        self._path = path
        self._is_stale = asyncio.Event()
        backend.world.listeners.append(self._on_event)

    def _on_event(self, _event: Event) -> None:
        self._is_stale.set()

    async def run(self) -> None:
        while True:
            await self._is_stale.wait()
            await asyncio.sleep(WRITE_EVERY_SECONDS)
            self._is_stale.clear()
            await asyncio.to_thread(self._write, self._dump())

    def write_now(self) -> None:
        self._write(self._dump())

    def _dump(self) -> str:
        backend = self._backend
        kept: Json = {
            "format": FORMAT,
            "world": backend.world.dump(),
            "commands": backend.commands.dump(),
            **backend.messages.dump(),
        }
        return dumps(kept)

    def _write(self, text: str) -> None:
        """Whole or not at all: a crash in between leaves the old file."""
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(text, encoding="utf-8")
        os.replace(new, self._path)
