"""A Discord id is read as Discord copies it; what went wrong on its way is told with the remedy."""

import pytest
from django.core.exceptions import ValidationError

from notices.people.roster import read_discord_id
from tests.ugly import TEXTS

ID = 1100000000000000101


def refusal(text: str) -> str:
    with pytest.raises(ValidationError) as refused:
        read_discord_id(text)
    (told,) = refused.value.messages
    return str(told)


@pytest.mark.parametrize("text", [str(ID), f" {ID}\n", f"<@{ID}>", f"<@!{ID}>"])
def test_an_id_or_a_mention_is_read(text: str) -> None:
    assert read_discord_id(text) == ID


@pytest.mark.parametrize("text", ["12345678901234567", "9223372036854775807"])
def test_the_shortest_and_the_largest_are_read(text: str) -> None:
    assert read_discord_id(text) == int(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("0", "is zero"),
        ("00000000000000000", "is zero"),
        ("1234567890123456", "has 16 digits"),
        ("9223372036854775808", "has 19 digits and is larger"),
        ("18446744073709551615", "has 20 digits and is larger"),
        ("1" * 21, "has 21 digits"),
        ("1.10000E+18", "rounded"),
        ("1,1E+18", "rounded"),
        ("1.1e18", "rounded"),
        ("1100000000000000000", "ends in zeros"),
        ("110000000000123000", "ends in zeros"),
        (f"'{ID}", "apostrophe"),
        (f'"{ID}"', "quotes"),
        (f"“{ID}”", "quotes"),
        ("１１０００００００００００００００１", "full-width"),
        ("0110000000000000010", "begins with 0"),
        (f"<@&{ID}>", "is a role"),
        (f"<#{ID}>", "is no Discord id"),
        (f"-{ID}", "is no Discord id"),
        ("민지", "is no Discord id"),
        ("minji#1234", "is no Discord id"),
        ("1_100_000_000_000_000_101", "is no Discord id"),
        ("١١٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠٠١", "is no Discord id"),
    ],
)
def test_what_is_no_id_is_told_with_its_value(text: str, told: str) -> None:
    refused = refusal(text)
    assert told in refused
    assert text.strip()[:30] in refused


def test_an_id_that_really_ends_in_zeros_is_read_as_a_mention() -> None:
    assert "<@110000000000123000>" in refusal("110000000000123000")
    assert read_discord_id("<@110000000000123000>") == 110000000000123000


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_an_ugly_text_is_refused_in_a_sentence(text: str) -> None:
    assert len(refusal(text)) < 200


def test_a_long_text_is_refused_at_once() -> None:
    for text in (
        '"' * 100_000,
        "1" * 100_000,
        "1.1E" * 50_000,
        " " * 100_000 + "x",
        "<@&" * 50_000,
    ):
        assert refusal(text)
