"""Time and chance come from notices/outside, which a simulation turns."""

import ast
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from notices.models import Notice, Study, new_nonce
from notices.outside import chance, clock
from notices.retry import pause_seconds

NOTICES = Path(__file__).resolve().parents[2] / "notices"
FILES = sorted(
    path
    for path in NOTICES.rglob("*.py")
    if not {"outside", "migrations"} & {*path.relative_to(NOTICES).parts}
)
# What is a secret is left to no chance that could be turned, and a web's thread sleeps for real.
MAY_ASK = {
    ("tables/callback.py", "secrets.token_bytes"),
    ("desk/once.py", "secrets.token_hex"),
    ("people/invitations.py", "secrets.token_urlsafe"),
    ("api/progress.py", "time.sleep"),
}
ASKED = {
    "timezone.now", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "timezone.localdate", "uuid.uuid4",
}  # fmt: skip
MODULES = ("time", "random", "secrets")


def asked(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    modules = {name.name for node in imports for name in node.names} & {*MODULES}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in ASKED or node.value.id in modules:
                found.add(name)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            found.add(f"from {node.module}")
        elif isinstance(node, ast.Call) and ast.unparse(node).endswith("localtime()"):
            found.add(ast.unparse(node))
    return found


def test_nothing_asks_for_time_or_chance_by_itself() -> None:
    found = {(str(path.relative_to(NOTICES)), name) for path in FILES for name in asked(path)}
    assert found == MAY_ASK


class Stopped(clock.Clock):
    MOMENT = datetime(2031, 3, 2, 20, tzinfo=UTC)

    def now(self) -> datetime:
        return self.MOMENT

    def monotonic(self) -> float:
        return 7.0


@pytest.mark.django_db
def test_a_row_is_made_at_the_clocks_moment() -> None:
    with clock.turned_by(Stopped()):
        notice = Notice.objects.create(
            study=Study.objects.create(name="가"), title="나", content="다"
        )
        assert clock.monotonic() == 7.0
    assert notice.created_at == notice.changed_at == Stopped.MOMENT
    assert clock.now() != Stopped.MOMENT


def test_the_same_chance_draws_the_same() -> None:
    drawn = []
    for _n in range(2):
        with chance.drawn_from(Random(1)):
            drawn.append((new_nonce(), pause_seconds(3), chance.bits(62)))
    assert drawn[0] == drawn[1]
    assert new_nonce() != drawn[0][0]
