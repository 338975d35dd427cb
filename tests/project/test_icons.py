"""The icon font holds every icon that the desk names: a missing one would show as its word."""

from fontTools.ttLib import TTFont

from tests.icons import CUT, ligatures, named

# Each is named in another way: in the menu, by the toolbar, in the theme's code, its templates and
# its style sheet, by Alpine, and as an argument of a template.
SOME = {"campaign", "settings_input_antenna", "format_bold", "logout", "chevron_right"} | {
    "dark_mode", "light_mode", "visibility_off", "calendar_today",
}  # fmt: skip
MOST_BYTES = 16_000


def test_every_icon_that_is_named_is_in_the_font() -> None:
    missing = named() - ligatures(TTFont(CUT)).keys()
    assert missing == set(), "icons are missing from the font: run `make icons`"


def test_icons_are_found_in_every_place_that_names_them() -> None:
    assert named() >= SOME


def test_the_font_holds_no_icon_but_those_with_a_word() -> None:
    font = TTFont(CUT)
    assert CUT.stat().st_size < MOST_BYTES
    letters = set(font.getBestCmap().values())
    pictures = {ligature.LigGlyph for _first, ligature, _all in ligatures(font).values()}
    assert set(font.getGlyphOrder()) - letters - pictures <= {".notdef"}


def test_the_fonts_licence_comes_with_it() -> None:
    assert "Apache License" in (CUT.parent / "LICENSE").read_text(encoding="utf-8")
    assert "changed" in (CUT.parent / "NOTICE.txt").read_text(encoding="utf-8")
