"""A list of people is read as it comes: each line is new, known, or wrong with its reason."""

import codecs
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from notices.models import Membership, Person, Study
from notices.moments import zone_named
from notices.people import roster, roster_list
from notices.people.roster_list import Kind, Row
from tests.ugly import TEXTS

ID = 1100000000000000101
NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


def found(data: str | bytes) -> list[tuple[int, int | None, str]]:
    rows = roster_list.read(data if isinstance(data, bytes) else data.encode())
    assert [row.wrong for row in rows if row.wrong] == []
    return [(row.number, row.discord_id, row.name) for row in rows]


def wrong(text: str) -> list[tuple[int, str]]:
    return [(row.number, row.wrong) for row in roster_list.read_text(text) if row.wrong]


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        roster_list.read(data)
    (told,) = refused.value.messages
    return str(told)


# --- what it is written in ---------------------------------------------------------------------

WITH_NAMES = f"이름,디스코드 아이디\r\n김민지,{ID}\r\n박준호,{ID + 1}\r\n"
BOTH = [(2, ID, "김민지"), (3, ID + 1, "박준호")]


@pytest.mark.parametrize(
    "data",
    [
        WITH_NAMES.encode(),
        WITH_NAMES.encode("utf-8-sig"),
        WITH_NAMES.encode("cp949"),
        WITH_NAMES.encode("utf-16"),
        codecs.BOM_UTF16_BE + WITH_NAMES.encode("utf-16-be"),
        WITH_NAMES.replace(",", "\t").encode("utf-16"),
        WITH_NAMES.replace(",", ";").encode("cp949"),
        WITH_NAMES.replace("\r\n", "\n").encode(),
        WITH_NAMES.replace("\r\n", "\r").encode(),
        f'"이름","ID"\n"김민지","{ID}"\n"박준호",{ID + 1}'.encode(),
        f"No,Discord_ID,학번,Name\n1,{ID},B1,김민지\n2,{ID + 1},B2,박준호".encode(),
        f'NAME;user id\n김민지;="{ID}"\n박준호;\'{ID + 1}\n'.encode(),
        f"Name\tDiscord ID\n 김민지 \t <@{ID}> \n박준호\t<@!{ID + 1}>".encode(),
    ],
    ids=range(13),
)
def test_a_file_is_read_as_it_was_saved(data: bytes) -> None:
    assert found(data) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        f"{ID},김민지\n{ID + 1},박준호",
        f"김민지;{ID}\n박준호;{ID + 1}",
        f"{ID}\t김민지\n{ID + 1}\t박준호",
        f"{ID},김민지\n박준호,{ID + 1}",
        f"{ID},,김민지,\n{ID + 1},,박준호,",
    ],
)
def test_without_a_head_a_column_is_known_by_its_looks(text: str) -> None:
    assert found(text) == [(1, ID, "김민지"), (2, ID + 1, "박준호")]


def test_ids_are_pasted_one_a_line() -> None:
    pasted = f"\n{ID}\n\n  <@{ID + 1}>\u200b \n\t\n{ID + 2}\n"
    assert found(pasted) == [(2, ID, ""), (4, ID + 1, ""), (6, ID + 2, "")]


def test_excels_line_about_its_separator_is_no_line_of_the_list() -> None:
    assert found(f"sep=;\nid;name\n{ID};김, 민지\n") == [(3, ID, "김, 민지")]


def test_a_stray_quotation_mark_spoils_no_other_line() -> None:
    assert found(f'id,name\n{ID},"김민지\n{ID + 1},박준호')[1] == (3, ID + 1, "박준호")


# --- what is wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is empty"),
        (b"\n , \n", "is empty"),
        (b"PK\x03\x04\x14\x00", "a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a workbook"),
        (b"\xff\xfe\x00", "no text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no text"),
        ("가나".encode("utf-16-le"), "no text"),
        (b"1" * (1024 * 1024 + 1), "1048577 bytes; at most 1048576"),
        (b"1\n" * 5001, "5001 lines; at most 5000"),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_the_remedy(data: bytes, told: str) -> None:
    assert told in refusal(data)


def test_a_list_of_the_largest_size_is_read() -> None:
    text = "\n".join(str(ID + 3 * number // 3) for number in range(5000))
    assert len(roster_list.read_text(text)) == 5000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("1.10000E+18,김민지", "rounded"),
        ("1100000000000000000,김민지", "ends in zeros"),
        ("12345,김민지", "has 5 digits"),
        (f"{ID},{ID + 1}", "Two ids"),
        ("１１００００００００００００００１１", "full-width"),
    ],
)
def test_a_wrong_line_is_named_by_its_number(line: str, told: str) -> None:
    ((number, why),) = wrong(f"{ID}\n\n{line}\n{ID + 2}")
    assert number == 3
    assert told in why


def test_a_line_with_neither_is_wrong() -> None:
    assert wrong(f"no,id,name\n1,{ID},김민지\n2,,\n") == [
        (3, "Neither an id nor a name stands on this line.")
    ]


def test_any_text_is_read_in_sentences(study: Study) -> None:
    for text in [
        *TEXTS.values(),
        '"' * 300_000,
        "a," * 200_000,
        "1" * 500_000,
        f"id\n{'9' * 9999}",
    ]:
        rows = []
        with suppress(ValidationError):
            rows = roster_list.read_text(text)
        assert all(len(line.why) < 250 for line in roster_list.judge(study, rows))


# --- what it would do --------------------------------------------------------------------------


def judged(study: Study, text: str) -> list[tuple[int, Kind, int | None, str]]:
    lines = roster_list.judge(study, roster_list.read_text(text))
    return [(line.number, line.kind, line.discord_id, line.why) for line in lines]


@pytest.fixture
def known(study: Study) -> None:
    """Minji is there, Junho has left, and there are two Subins."""
    names = {ID: "김민지", ID + 1: "박준호", ID + 2: "이수빈", ID + 3: "이수빈"}
    roster.add(study, names, "listed", NOW, names)
    roster.leave(study, Person.objects.get(name="박준호"), NOW)


@pytest.mark.usefixtures("known")
def test_each_line_is_new_back_known_or_twice(study: Study, django_assert_num_queries: Any) -> None:
    text = f"{ID}\n{ID + 1}\n{ID + 9}\n{ID}\n{ID + 9}\n"
    rows = roster_list.read_text(text)
    with django_assert_num_queries(1):
        roster_list.judge(study, rows)

    assert judged(study, text) == [
        (1, Kind.KNOWN, ID, ""),
        (2, Kind.BACK, ID + 1, ""),
        (3, Kind.NEW, ID + 9, ""),
        (4, Kind.TWICE, ID, "The same as line 1."),
        (5, Kind.TWICE, ID + 9, "The same as line 3."),
    ]


@pytest.mark.usefixtures("known")
def test_a_name_alone_is_one_of_the_studys_own(study: Study, other_study: Study) -> None:
    roster.add(other_study, [ID + 7], "listed", NOW, {ID + 7: "최유나"})

    # As macOS writes it, in pieces.
    assert judged(study, "이름\n\u1100\u1175\u11b7민지\n박준호\n이수빈\n최유나\n민지") == [
        (2, Kind.KNOWN, ID, ""),
        (3, Kind.BACK, ID + 1, ""),
        (4, Kind.WRONG, None, "이수빈: two persons are called so; give the id."),
        (5, Kind.WRONG, None, "최유나 is not known; give the id."),
        (6, Kind.WRONG, None, "민지 is not known; give the id."),
    ]


def test_a_nameless_member_is_not_found_by_no_name(study: Study) -> None:
    roster.add(study, [ID], "listed", NOW)
    assert judged(study, "name,note\n,x") == [
        (2, Kind.WRONG, None, "Neither an id nor a name stands on this line.")
    ]


def test_a_name_and_its_id_on_two_lines_are_the_same_person(study: Study) -> None:
    roster.add(study, [ID], "listed", NOW, {ID: "김민지"})
    assert [kind for _n, kind, *_more in judged(study, f"{ID}\n김민지")] == [Kind.KNOWN, Kind.TWICE]


def test_nothing_is_written_by_judging(study: Study) -> None:
    judged(study, f"{ID}\n{ID + 1}")
    assert not Person.objects.exists()


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
def test_what_is_written_is_read_again(study: Study, language: str) -> None:
    names = {ID: "김민지", ID + 1: '=HYPERLINK("http://x")', ID + 2: 'a, "b"; c', ID + 3: "@here"}
    roster.add(study, names, "listed", NOW, names)
    members = Membership.objects.select_related("person").order_by("pk")

    with translation.override(language):
        data = roster_list.write(members, zone_named("Asia/Seoul"))

    assert data.startswith(codecs.BOM_UTF8)
    assert [(one, name) for _n, one, name in found(data)] == list(names.items())
    assert b"2026-03-03" in data


@pytest.mark.parametrize("begins", ["=", "+", "-", "@", "\t"])
def test_no_cell_is_a_formula(begins: str) -> None:
    assert roster_list.harmless(f"{begins}1+1") == f"'{begins}1+1"
    assert roster_list.harmless(f"민지{begins}") == f"민지{begins}"


def test_a_row_says_all_there_is() -> None:
    assert roster_list.read_text("김민지") == [Row(1, None, "김민지")]
