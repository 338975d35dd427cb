"""The page counts as the server does: what it calls too long is refused, and nothing else."""

import re
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from playwright.sync_api import Page, expect

from notices.desk.page_data import LIMIT_IN_ALL
from notices.desk.text_fields import ProseField
from notices.models import Study
from notices.tables.notice_fields import AUTHOR_LIMIT, CONTENT_LIMIT, PLACE_LIMIT, TITLE_LIMIT
from notices.text import composed
from tests.browser.desk import CONTENT, STUDY, TITLE

pytestmark = pytest.mark.browser

LIMIT = 256
# Their length differs by letters, bytes or UTF-16; each is repeated up to the limit.
ATOMS = {
    "emoji": "😀",
    "a family of one emoji": "👨‍👩‍👧‍👦",
    "a flag": "🇰🇷",
    "Hangul syllables": "가각힣",
    "Hangul jamo that join": "\u1112\u1161\u11ab",
    "an accent of its own": "e\u0301",
    "zero width": "a\u200b\u200d\ufe0f",
    "a byte order mark": "\ufeffa",
    "old Hanja": "\U00020000",
    "right to left": "\u202eabc\u202c",
}
# The server takes some of these off around a text, and leaves others.
EDGES = ["  a  ", "\u3000a\u3000", "\x1ca\x1f", "\x85a\x85", "\ufeffa\ufeff", "\u200ba\u200b"]
EDGES += ["\u180ea\u180e", "\u2028a\u2029", "\n\na\n", "a\r\nb\r\n", "\t\x0ba\x0c", "", "   "]


def exactly(atom: str, length: int) -> str:
    """So long as it is kept, which is composed."""
    return composed(atom * length)[:length]


def in_pieces(text: str) -> str:
    """As macOS writes it."""
    return unicodedata.normalize("NFD", text)


def is_refused(text: str) -> bool:
    """As the form judges what a browser sends."""
    sent = composed(re.sub("\r\n|\r|\n", "\r\n", text))
    try:
        ProseField(max_length=LIMIT, required=False).clean(sent)
    except ValidationError:
        return True
    return False


def counted(form: Page, text: str) -> int:
    count = """async (text) => {
        const area = document.createElement("textarea");
        area.value = text;
        const { lengthOf } = await import("/static/notices/counters.js");
        return lengthOf(area.value);
    }"""
    return int(form.evaluate(count, text))


def test_the_page_and_the_server_agree_on_every_kind_of_letter(
    form: Page, subtests: pytest.Subtests
) -> None:
    for kind, atom in ATOMS.items():
        for length in (LIMIT - 1, LIMIT, LIMIT + 1):
            with subtests.test(kind, length=length):
                text = "a" + exactly(atom, length - 2) + "a"
                for typed in (text, in_pieces(text)):
                    assert counted(form, typed) == length
                    assert is_refused(typed) == (length > LIMIT)


def test_the_page_and_the_server_drop_the_same_blanks_at_the_edges(
    form: Page, subtests: pytest.Subtests
) -> None:
    for edge in EDGES:
        with subtests.test(repr(edge)):
            kept = ProseField(max_length=LIMIT, required=False).clean(edge)
            assert counted(form, edge) == len(kept)


@pytest.mark.parametrize(("field", "limit"), [(TITLE, TITLE_LIMIT), (CONTENT, CONTENT_LIMIT)])
def test_the_server_refuses_a_text_exactly_when_the_counter_does(
    form: Page, field: str, limit: int
) -> None:
    form.fill(TITLE, "제목")
    form.fill(CONTENT, "내용")
    counter = form.locator(f"{field}_counter")
    form.fill(field, "😀" * (limit + 1))
    expect(counter).to_have_text(re.compile(f" {limit + 1} / {limit}$"))
    expect(counter).to_have_class(re.compile("over"))
    form.click("[name=_draft]")
    expect(form.locator(".errors").first).to_be_visible()
    expect(form.locator(field)).to_have_value("😀" * (limit + 1))
    form.fill(field, "😀" * limit)
    expect(counter).not_to_have_class(re.compile("over"))
    form.click("[name=_draft]")
    form.wait_for_url("**/change/")


def test_near_the_limit_a_screen_reader_is_told_once_she_pauses(form: Page) -> None:
    spoken = form.get_by_role("status").filter(has_text=re.compile("10"))
    form.fill(TITLE, "가" * 100)
    expect(form.locator(f"{TITLE}_counter")).to_have_text(re.compile("100 / 256"))
    expect(spoken).to_have_count(0)
    form.fill(TITLE, "가" * (TITLE_LIMIT - 10))
    expect(spoken).to_have_count(1)
    described_by = form.locator(TITLE).get_attribute("aria-describedby") or ""
    assert "id_title_counter" in described_by


def test_the_whole_message_is_counted_with_its_author_and_footer(form: Page) -> None:
    form.fill(TITLE, "가" * 10)
    form.fill(CONTENT, "나" * 20)
    author = form.locator("#id_author").input_value()
    footer = f"작성: {author} · {STUDY} · XXXXXXXXXX"
    length = 10 + 20 + len(footer)
    expect(form.locator("#total")).to_have_text(re.compile(rf" {length} / {LIMIT_IN_ALL}$"))


def test_texts_within_their_limits_fit_together() -> None:
    """So the server needs no refusal of its own for the whole."""
    longest_name = Study._meta.get_field("name").max_length or 0
    longest_footer = AUTHOR_LIMIT + longest_name + len("작성:  ·  · XXXXXXXXXX-") + len(str(2**31))
    longest_place = len("Place") + PLACE_LIMIT
    assert TITLE_LIMIT + CONTENT_LIMIT + longest_place + longest_footer <= LIMIT_IN_ALL
