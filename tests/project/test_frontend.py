"""The built files are those of frontend/, and the licences of their libraries come with them."""

import hashlib
import json
import re
from pathlib import Path

import django_q
import pytest
import unfold
from django import contrib
from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
SOURCES, BUILT = ROOT / "frontend", ROOT / "notices" / "static" / "notices"
THEME, DJANGO = Path(unfold.__file__).parent, Path(contrib.__file__).parent
STYLE = "static/unfold/css/styles.css"
# All files that may name a class: frontend/theme.js has the same list.
NAMING = (
    (THEME, "*.py"), (THEME, "templatetags/*.py"), (THEME, "templates/**/*.html"),
    (THEME, "static/unfold/js/**/*.js"),
    *((DJANGO / app, f"**/*.{kind}") for app in ("admin", "auth") for kind in ("html", "py", "js")),
    (Path(django_q.__file__).parent, "**/*.html"), (Path(django_q.__file__).parent, "**/*.py"),
    (ROOT / "notices", "**/*.html"), (ROOT / "notices", "**/*.py"),
    (BUILT, "*.js"), (ROOT / "studybot", "settings.py"),
)  # fmt: skip

# Their rules need another class beside them, which nothing names.
OF_NOBODY = {
    "empty", "group-[.empty]/formset-nested:!border-t-0",
    "group-[.empty]/formset-parent:!border-t-0", "peer",
}  # fmt: skip


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
def test_the_licences_of_all_built_in_libraries_are_there(
    name: str, libraries: tuple[str, ...]
) -> None:
    licences = (BUILT / f"{name}.LICENSES.txt").read_text(encoding="utf-8")
    for library in libraries:
        assert f"{library}\n" in licences


def test_each_language_of_the_desk_has_the_names_of_the_emoji() -> None:
    for language, _name in settings.LANGUAGES:
        assert json.loads((BUILT / f"emoji-{language}.json").read_text(encoding="utf-8"))


def test_the_themes_style_is_cut_from_the_installed_one() -> None:
    digest = hashlib.sha256((THEME / STYLE).read_bytes()).hexdigest()
    first_line = (ROOT / "notices" / STYLE).read_text(encoding="utf-8").partition("\n")[0]
    assert digest in first_line, "the theme was raised: run `make frontend`"


def test_the_themes_style_has_every_class_that_a_page_can_name() -> None:
    whole, cut = (classes(folder / STYLE) for folder in (THEME, ROOT / "notices"))
    assert len(whole) > 2 * len(cut)
    texts = (
        path.read_text(encoding="utf-8") for folder, which in NAMING for path in folder.glob(which)
    )
    sources = "\n".join(texts).replace("\\", "")
    missing = {name for name in whole - cut - OF_NOBODY if name in sources}
    assert not missing, "a class is new: run `make frontend`"


def classes(style: Path) -> set[str]:
    """The classes of its selectors as pages write them, without the backslashes."""
    found = re.findall(r"\.((?:\\.|[\w-])+)", style.read_text(encoding="utf-8"))
    return {name.replace("\\", "") for name in found}
