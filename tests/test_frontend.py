"""What the browser is sent is what frontend/ says, and its libraries' licences come with it."""

import hashlib
import json
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parents[1]
SOURCES, BUILT = ROOT / "frontend", ROOT / "notices" / "static" / "notices"


@pytest.mark.parametrize("name", ["preview", "emoji", "timestamp"])
def test_the_built_script_is_of_the_sources_as_they_are(name: str) -> None:
    digest = hashlib.sha256()
    for path in sorted([*SOURCES.glob("*.js"), SOURCES / "package-lock.json"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    first_line = (BUILT / f"{name}.js").read_text(encoding="utf-8").partition("\n")[0]
    assert digest.hexdigest() in first_line, "frontend/ was changed: run `make frontend`"


@pytest.mark.parametrize(
    ("name", "libraries"),
    [
        ("preview", ("@cloudrac3r/discord-markdown", "simple-markdown")),
        ("emoji", ("emoji-picker-element", "emoji-picker-element-data")),
    ],
)
def test_the_licences_of_what_was_built_in_are_there(name: str, libraries: tuple[str, ...]) -> None:
    licences = (BUILT / f"{name}.LICENSES.txt").read_text(encoding="utf-8")
    for library in libraries:
        assert f"{library}\n" in licences


def test_each_language_of_the_desk_has_the_names_of_the_emoji() -> None:
    for language, _name in settings.LANGUAGES:
        assert json.loads((BUILT / f"emoji-{language}.json").read_text(encoding="utf-8"))
