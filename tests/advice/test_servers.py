"""Servers whose names look the same are told apart by their ids."""

import pytest

from notices.advice.servers import alike, alike_now, label, skeleton
from notices.models import Channel

ALIKE = [
    ("알고리즘", "알고리즘"),
    ("알고리즘", "\u110b\u1161\u11af고리즘"),  # in jamo, as macOS writes it
    ("알고리즘", "알고\u200b리즘"),  # a space without width
    ("알고리즘", "알고\u3164리즘"),  # Hangul's filler
    ("알고리즘 스터디", "알고리즘스터디 "),
    ("알고리즘 스터디", "알고리즘\u00a0 스터디"),
    ("Algo", "ALGO"),
    ("Algo", "Аlgо"),  # Cyrillic А and о
    ("Algo", "Ａｌｇｏ"),  # wide letters
    ("AI study", "Al study"),
    ("study 10", "study lO"),
    ("Algo", "\u202eAlgo"),  # turned round
    ("Algo", "Al\ufe0fgo"),
]
DIFFERENT = [("알고리즘", "알고리듬"), ("Algo", "Algol"), ("7기", "8기"), ("독서", "독서실")]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_are_found(one: str, other: str) -> None:
    assert alike([(1, one), (2, other), (3, "독서 모임")]) == {1, 2}


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_that_differ_to_the_eye_are_left_alone(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


def test_one_server_with_two_names_is_no_double() -> None:
    assert alike([(1, "Algo"), (1, "Аlgо"), (None, "Algo")]) == frozenset()


def test_a_label_has_the_servers_id_and_warns_of_a_double(
    channel: Channel, other_channel: Channel
) -> None:
    assert label(channel, alike_now()) == f"#공지 (알고리즘, {channel.guild_id})"
    Channel.objects.filter(pk=other_channel.pk).update(guild_name="알고리즘\u200b")
    warned = label(channel, alike_now())
    assert f"알고리즘, {channel.guild_id}, ⚠" in warned
