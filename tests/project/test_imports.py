"""Imports run one way: the table of docs/architecture.md, held against every file's source."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import pytest

BASE_DIR = Path(__file__).resolve().parents[2]
OURS = ("notices", "fakediscord", "demo", "studybot", "benchmarks", "examples")


class Rule(NamedTuple):
    files: str
    may_not_import: tuple[str, ...]
    but: tuple[str, ...] = ()


# The rooms of notices/, from the ground up: who stands on a line imports from the lines above it
# alone, so that there is no circle. Within a room everybody may import everybody.
LAYERS = (
    ("outside",),
    ("sql", "retry", "text", "ids", "moments", "parent_death", "broker"),
    ("tables",),
    ("models",),
    ("links", "moved", "paging", "quotas", "advice", "security"),
    ("people", "files"),
    ("actions",),
    ("callbacks",),
    ("delivery",),
    ("bot", "monitoring", "upkeep"),
    ("tasks",),
    ("queue_gate", "signals"),
    ("api", "desk", "discord_worker"),
    ("web", "admin", "apps", "management", "templatetags"),
)
LAYER_OF = {room: n for n, rooms in enumerate(LAYERS) for room in rooms}

BOT = ("notices.bot*", "notices.discord_worker", "discord", "discord.*")
# A pattern of files by dotted name; the first exception that fits lifts the rule.
RULES = (
    *(Rule(f"notices.{room}", ("django*",)) for room in ("retry", "text", "ids", "parent_death")),
    Rule("notices.delivery.outcomes", ("django*",)),
    Rule("notices.advice.error_codes", ("django*", "notices*")),
    # The web and the queue need not know who sends a notice.
    *(
        Rule(f"notices.{room}*", BOT)
        for room in ("admin", "desk", "api", "web", "signals", "tasks")
    ),
    *(Rule(f"notices.{room}*", BOT) for room in ("monitoring", "upkeep", "queue_gate")),
    # The engine can send by any other transport.
    *(
        Rule(f"notices.bot.{file}", ("discord", "discord.*", "notices.bot.discord_*"))
        for file in ("engine", "outages", "gateway_news", "pace", "standby", "files")
    ),
    Rule("notices.*", ("fakediscord*", "benchmarks*")),
    Rule("fakediscord*", ("notices*", "demo*", "django*", "discord", "discord.*")),
    # The example is made to be copied, so it knows the API by HTTP alone.
    Rule("examples*", (*OURS, "django*", "rest_framework*")),
    # Every program tells in the same way why it cannot start.
    Rule("*", ("studybot*", "tests*", "examples*"), but=("studybot.starting",)),
)
# The modules that may build upon the project's settings.
SETTINGS = ("studybot", "benchmarks.bare.settings")
# It decides nothing by itself: who comes in is decided in these.
ALLAUTH_ONLY_IN = (
    "notices.desk.discord_*", "notices.desk.user", "notices.people.discord_accounts",
    "demo.laying_out",
)  # fmt: skip
# The benchmarks measure studybot against discord.py as others use it.
DISCORD_ONLY_IN = ("notices.bot.discord_*", "notices.discord_worker", "benchmarks.rivals")


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
            # `from notices.delivery import outcomes` imports notices.delivery.outcomes.
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
            found.append(f"{here} imports {name}: discord.py is for {DISCORD_ONLY_IN} alone")
        if fits(name, ("allauth",)) and not fits(here, ALLAUTH_ONLY_IN):
            found.append(f"{here} imports {name}: allauth is for {ALLAUTH_ONLY_IN} alone")
    return found


def layer(name: str) -> int:
    room = name.split(".")[1]
    assert room in LAYER_OF, f"notices/{room} stands on no line of LAYERS: give it one"
    return LAYER_OF[room]


def upward(path: Path) -> list[str]:
    here = dotted(path)
    if here.count(".") == 0 or here.startswith("notices.migrations"):
        return []
    return [
        f"{here} imports {name}, which stands no deeper"
        for name in imported(path)
        if name.startswith("notices.") and name.split(".")[1] != here.split(".")[1]
        if layer(name) >= layer(here)
    ]


@pytest.mark.parametrize("path", [p for p in source_files() if "notices" in p.parts], ids=dotted)
def test_no_import_of_notices_runs_up(path: Path) -> None:
    assert upward(path) == []


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
