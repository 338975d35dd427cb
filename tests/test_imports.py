"""Imports run one way: the table of docs/architecture.md, held against every file's source."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

BASE_DIR = Path(__file__).resolve().parent.parent
OURS = ("notices", "fakediscord", "demo", "studybot", "benchmarks", "examples")


class Rule(NamedTuple):
    files: str
    may_not_import: tuple[str, ...]
    but: tuple[str, ...] = ()


BOT = ("notices.discord_*", "notices.delivery", "discord", "discord.*")
# A pattern of files by dotted name; the first exception that fits lifts the rule.
RULES = (
    Rule("notices.models", ("notices*",), but=("notices.retry", "notices.text")),
    Rule("notices.retry", ("notices*", "django*")),
    Rule("notices.text", ("notices*", "django*")),
    Rule("notices.permissions", ("notices*",), but=("notices.models",)),
    Rule("notices.moments", ("notices*",)),
    Rule("notices.held", ("notices*",)),
    Rule("notices.codes", ("notices*", "django*")),
    Rule("notices.outages", ("discord", "discord.*", "notices.discord_*")),
    Rule("notices.sendable", BOT),
    Rule("notices.pings", BOT),
    Rule("notices.embeds", ("discord", "discord.*")),
    Rule("notices.delivery", ("discord", "discord.*", "notices.discord_*")),
    Rule("notices.admin", BOT),
    Rule("notices.desk*", BOT),
    Rule("notices.api*", BOT),
    Rule("notices.health", BOT),
    Rule("notices.metrics", BOT),
    Rule("notices.tallies", BOT),
    Rule("notices.signals", BOT),
    Rule("notices.posting", (*BOT, "notices.api*")),
    Rule("notices.tasks", BOT),
    Rule("notices.ledger", BOT),
    Rule("notices.pruning", BOT),
    Rule("notices.newest", BOT),
    Rule("notices.callbacks", (*BOT, "notices.ledger", "notices.api*")),
    Rule("notices.callback_http", BOT),
    Rule("notices.*", ("fakediscord*", "benchmarks*")),
    Rule("fakediscord*", ("notices*", "demo*", "django*", "discord", "discord.*")),
    # To be copied: it knows the API by HTTP alone.
    Rule("examples*", (*OURS, "django*", "rest_framework*")),
    Rule("*", ("studybot*", "tests*", "examples*")),
)
# What may build upon the project's settings.
SETTINGS = ("studybot", "benchmarks.bare.settings")
# What studybot is measured against is discord.py as others use it.
DISCORD_ONLY_IN = ("notices.discord_*", "benchmarks.rivals")


def dotted(path: Path) -> str:
    parts = path.relative_to(BASE_DIR).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def source_files() -> list[Path]:
    found = [path for name in OURS for path in (BASE_DIR / name).rglob("*.py")]
    return sorted(path for path in found if "node_modules" not in path.parts)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative imports hide where a name comes from"
            # `from notices import ledger` imports notices.ledger.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """A pattern fits a module and, as `from module import name` is written, a name inside it."""
    return any(fnmatch(name, pattern) or name.startswith(f"{pattern}.") for pattern in patterns)


def broken(path: Path) -> list[str]:
    here = dotted(path)
    found = []
    for name in imported(path):
        for rule in RULES:
            if not fnmatch(here, rule.files) or here.startswith(SETTINGS):
                continue
            if fits(name, rule.may_not_import) and not fits(name, rule.but):
                found.append(f"{here} imports {name}: against the rule for {rule.files}")
        if fits(name, ("discord",)) and not fits(here, DISCORD_ONLY_IN):
            found.append(f"{here} imports {name}: discord.py is for {DISCORD_ONLY_IN[0]} alone")
    return found


@pytest.mark.parametrize("path", source_files(), ids=dotted)
def test_a_file_imports_only_what_the_table_allows(path: Path) -> None:
    assert broken(path) == []


def test_imports_stand_at_the_top_of_the_file() -> None:
    allowed = {"notices.apps", "studybot.settings"}
    inside = [
        f"{dotted(path)}: {function.name}"
        for path in source_files()
        if dotted(path) not in allowed
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []
