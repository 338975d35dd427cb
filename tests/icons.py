"""`make icons`: cuts the theme's icon font to the icons that the desk names.

An icon is a word that the font draws as a picture by a ligature; one that was cut away shows as its
word. Whoever names a new icon, or raises the theme, runs this and commits the font.
"""

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import unfold
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parents[1]
THEME = Path(unfold.__file__).parent
FONT = "static/unfold/fonts/material-symbols/Material-Symbols-Outlined.woff2"
WHOLE, CUT = THEME / FONT, ROOT / "notices" / FONT
TEMPLATES = (THEME / "templates", ROOT / "notices" / "templates")
DESK = ROOT / "notices" / "desk"
STYLES = (THEME / "static", ROOT / "notices" / "static")
CODE = (
    *THEME.glob("*.py"),
    DESK / "navigation.py",
    DESK / "text_fields.py",
    ROOT / "studybot/theme.py",
)
# An icon's tag with its attributes and its text, and an icon that is handed to another template.
_ICON = re.compile(r"<[^<]*material-symbols-outlined[^<]*|\bicon=\S+")
# Texts that a style sheet puts before or after an element.
_CONTENT = re.compile(r"""content:\s*["']([a-z0-9_]+)["']""")
_WORD = re.compile(r"[a-z0-9_]+")


def ligatures(font: TTFont) -> dict[str, tuple[str, Any, Any]]:
    """By the word that each is made of: its first letter, itself, and all of that letter."""
    letters = {glyph: chr(code) for code, glyph in sorted(font.getBestCmap().items())}
    found = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            for first, ligatures_of_letter in table.ligatures.items():
                for ligature in ligatures_of_letter:
                    word = "".join(letters[glyph] for glyph in (first, *ligature.Component))
                    found[word] = (first, ligature, ligatures_of_letter)
    return found


def named() -> set[str]:
    """Every icon that a template, a style or the code names, and some words that are called so."""
    words = {*_in_templates(), *_in_styles(), *_in_code()}
    return words & ligatures(TTFont(WHOLE)).keys()


def _in_templates() -> Iterator[str]:
    for folder in TEMPLATES:
        for path in folder.rglob("*.html"):
            for icon in _ICON.findall(path.read_text(encoding="utf-8")):
                yield from _WORD.findall(icon)


def _in_styles() -> Iterator[str]:
    for folder in STYLES:
        for path in folder.rglob("*.css"):
            yield from _CONTENT.findall(path.read_text(encoding="utf-8"))


def _in_code() -> Iterator[str]:
    for path in CODE:
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        keys = {id(key) for node in nodes if isinstance(node, ast.Dict) for key in node.keys}
        for node in nodes:
            # A key says what an icon is for, and names none.
            if isinstance(node, ast.Constant) and id(node) not in keys:
                yield str(node.value)


def cut(icons: set[str]) -> bytes:
    font = TTFont(WHOLE, recalcTimestamp=False)
    known = ligatures(font)
    kept = {known[icon][1].LigGlyph for icon in icons}
    for word, (_first, ligature, of_letter) in known.items():
        if word not in icons:
            of_letter.remove(ligature)
    options = Options(layout_features=["*"], hinting=False, notdef_outline=True)
    options.drop_tables += ["FFTM"]
    # The letters are needed for the words; closed over, they would bring every icon they can spell.
    options.layout_closure = False
    subsetter = Subsetter(options)
    letters = {letter for icon in icons for letter in icon}
    subsetter.populate(glyphs=kept, text="".join(sorted(letters)))
    subsetter.subset(font)
    font.flavor = "woff2"
    built = io.BytesIO()
    font.save(built)
    return built.getvalue()


def main() -> None:
    icons = named()
    CUT.parent.mkdir(parents=True, exist_ok=True)
    CUT.write_bytes(cut(icons))
    print(f"{CUT.relative_to(ROOT)}: {len(icons)} icons, {CUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
