"""Keeps the bot's slash commands, global and by guild."""

import re
from collections.abc import Callable
from typing import Any

from fakediscord.errors import ApiError
from fakediscord.forms import FormErrors, Path
from fakediscord.wire import Json
from fakediscord.world import World

CHAT_INPUT = 1
MOST_COMMANDS, MOST_OPTIONS, MOST_CHOICES = 100, 25, 25
LONGEST_NAME, LONGEST_DESCRIPTION = 32, 100
CHAT_NAME = re.compile(r"[-_'\w]{1,32}")


class Commands:
    def __init__(self, world: World) -> None:
        self._world = world
        self._by_guild: dict[str, dict[str, Json]] = {}
        self.listeners: list[Callable[[], None]] = []

    def listed(self, guild_id: str | None) -> list[Json]:
        """Return a guild's commands; None is for the global ones."""
        return list(self._of(guild_id).values())

    def replace(self, guild_id: str | None, described: Any) -> list[Json]:
        """Replace all commands. One with a known name and type keeps its id."""
        errors = FormErrors()
        _check_all(errors, described)
        errors.refuse()
        known = {(one["name"], one["type"]): one["id"] for one in self.listed(guild_id)}
        made = [self._made(guild_id, one, known) for one in described]
        self._by_guild[guild_id or ""] = {one["id"]: one for one in made}
        self._tell()
        return made

    def add(self, guild_id: str | None, described: Json) -> Json:
        """Add a command, or replace the one of this name."""
        others = [one for one in self.listed(guild_id) if one["name"] != described.get("name")]
        return self.replace(guild_id, [*others, described])[-1]

    def change(self, guild_id: str | None, command_id: str, changes: Json) -> Json:
        command = self.get(guild_id, command_id)
        changed = {**command, **changes, "id": command_id, "version": self._version()}
        _check_one_or_refuse(changed)
        self._of(guild_id)[command_id] = changed
        self._tell()
        return changed

    def remove(self, guild_id: str | None, command_id: str) -> None:
        self.get(guild_id, command_id)
        del self._of(guild_id)[command_id]
        self._tell()

    def get(self, guild_id: str | None, command_id: str) -> Json:
        command = self._of(guild_id).get(command_id)
        if command is None:
            raise ApiError(10063)
        return command

    def named(self, guild_id: str, name: str) -> Json | None:
        """Return the command that a person invokes: the guild's own, or else a global one."""
        for one in [*self.listed(guild_id), *self.listed(None)]:
            if one["name"] == name and one["type"] == CHAT_INPUT:
                return one
        return None

    def dump(self) -> Json:
        return self._by_guild

    def load(self, dumped: Json) -> None:
        self._by_guild = dumped

    def _tell(self) -> None:
        for listener in self.listeners:
            listener()

    def _of(self, guild_id: str | None) -> dict[str, Json]:
        return self._by_guild.setdefault(guild_id or "", {})

    def _made(
        self, guild_id: str | None, described: Json, known: dict[tuple[str, int], str]
    ) -> Json:
        kind = described.get("type", CHAT_INPUT)
        return {
            "default_member_permissions": None,
            "dm_permission": True,
            "nsfw": False,
            "options": [],
            **described,
            "description": described.get("description") or "",
            "id": known.get((described["name"], kind)) or self._world.snowflakes.make(),
            "type": kind,
            "application_id": self._world.application["id"],
            "version": self._version(),
            **({"guild_id": guild_id} if guild_id else {}),
        }

    def _version(self) -> str:
        return self._world.snowflakes.make()


def _check_all(errors: FormErrors, described: Any) -> None:
    names = set()
    for position, one in enumerate(errors.items((), described, MOST_COMMANDS)):
        command = errors.mapping((position,), one)
        _check_one(errors, (position,), command)
        key = (str(command.get("name")), command.get("type", CHAT_INPUT))
        if key in names:
            message = "Application command names must be unique"
            errors.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", message)
        names.add(key)


def _check_one_or_refuse(command: Json) -> None:
    errors = FormErrors()
    _check_one(errors, (), command)
    errors.refuse()


def _check_one(errors: FormErrors, path: Path, command: Json) -> None:
    is_chat = command.get("type", CHAT_INPUT) == CHAT_INPUT
    _check_name(errors, (*path, "name"), command.get("name"), is_chat=is_chat)
    if is_chat:
        _check_description(errors, (*path, "description"), command.get("description"))
    _check_options(errors, (*path, "options"), command.get("options"))


def _check_name(errors: FormErrors, path: Path, value: object, *, is_chat: bool) -> None:
    name = errors.text(path, value, LONGEST_NAME)
    if not name:
        errors.required(path)
    elif is_chat and (not CHAT_NAME.fullmatch(name) or name != name.lower()):
        message = "Command name is invalid"
        errors.add(path, "APPLICATION_COMMAND_INVALID_NAME", message)


def _check_description(errors: FormErrors, path: Path, value: object) -> None:
    if not errors.text(path, value, LONGEST_DESCRIPTION):
        errors.required(path)


def _check_options(errors: FormErrors, path: Path, value: object) -> None:
    for position, one in enumerate(errors.items(path, value, MOST_OPTIONS)):
        option = errors.mapping((*path, position), one)
        inner: Path = (*path, position)
        _check_name(errors, (*inner, "name"), option.get("name"), is_chat=True)
        _check_description(errors, (*inner, "description"), option.get("description"))
        errors.items((*inner, "choices"), option.get("choices"), MOST_CHOICES)
        _check_options(errors, (*inner, "options"), option.get("options"))
