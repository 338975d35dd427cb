"""Every text that a person sees is there in Korean, and the compiled catalogue is up to date."""

import ast
import gettext
import re
from pathlib import Path

import pytest
from django.apps import apps

MESSAGES = Path(apps.get_app_config("notices").path) / "locale" / "ko" / "LC_MESSAGES"
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def quoted(block: str, keyword: str) -> str | None:
    """The text after `keyword`, which goes on over the lines that follow."""
    found = re.search(rf'^{re.escape(keyword)} ((?:".*"\n?)+)', block, re.MULTILINE)
    if found is None:
        return None
    return "".join(ast.literal_eval(line) for line in found[1].splitlines())


def blocks() -> list[str]:
    return (MESSAGES / "django.po").read_text(encoding="utf-8").split("\n\n")


def messages() -> dict[str, tuple[str | None, str]]:
    """Each English text with its plural, if it has one, and its Korean."""
    read = {}
    for block in blocks():
        text, plural = quoted(block, "msgid"), quoted(block, "msgid_plural")
        if text:
            korean = quoted(block, "msgstr[0]" if plural else "msgstr")
            read[text] = (plural, korean or "")
    return read


def test_no_text_is_left_without_its_korean() -> None:
    assert [text for text, (_plural, korean) in messages().items() if not korean.strip()] == []


def test_no_translation_is_a_guess_or_a_leftover() -> None:
    lines = "\n".join(blocks()).splitlines()
    assert [line for line in lines if line.startswith("#~") or "fuzzy" in line] == []


def test_korean_is_said_as_people_say_it() -> None:
    """Polite, in the one tone of the desk, and without a choice of particles after a name."""
    particles = r"은\(는\)|이\(가\)|을\(를\)|\(으\)로|와\(과\)|과\(와\)"
    stiff = re.compile(rf"니다\b|십시오|하세요|{particles}")
    said = {korean for _plural, korean in messages().values()}
    assert [korean for korean in said if stiff.search(korean)] == []


@pytest.mark.parametrize(("text", "entry"), messages().items(), ids=lambda one: str(one)[:40])
def test_a_translation_fills_in_the_same_places(text: str, entry: tuple[str | None, str]) -> None:
    _plural, korean = entry
    assert set(PLACE.findall(korean)) == set(PLACE.findall(text))


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (MESSAGES / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for text, (plural, korean) in messages().items():
        found = compiled.ngettext(text, plural, 1) if plural else compiled.gettext(text)
        assert found == korean
    keys = {key[0] if isinstance(key, tuple) else key for key in compiled._catalog}  # type: ignore[attr-defined]
    assert keys - {""} == messages().keys()
