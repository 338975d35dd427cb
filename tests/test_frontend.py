"""What the browser is sent is what frontend/ says, and its libraries' licences come with it."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES, BUILT = ROOT / "frontend", ROOT / "notices" / "static" / "notices"


def test_the_built_script_is_of_the_sources_as_they_are() -> None:
    digest = hashlib.sha256()
    for path in sorted([*SOURCES.glob("*.js"), SOURCES / "package-lock.json"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    first_line = (BUILT / "preview.js").read_text(encoding="utf-8").partition("\n")[0]
    assert digest.hexdigest() in first_line, "frontend/ was changed: run `make frontend`"


def test_the_licences_of_what_was_built_in_are_there() -> None:
    licences = (BUILT / "preview.LICENSES.txt").read_text(encoding="utf-8")
    for name in ("@cloudrac3r/discord-markdown", "simple-markdown"):
        assert f"{name}\n" in licences
