"""A message is known by its buttons, or without any by its footer."""

from typing import Any

import pytest

from notices.delivery.identity import identify, marker
from notices.delivery.message import build
from notices.models import Delivery, Notice

OLDER = {"footer": {"text": "스터디 · ZZZZZZZZZZ-7"}}
LINK = {"type": 2, "style": 5, "label": "열기", "url": "https://example.com/r1:read:23456789AB"}


def with_buttons(*custom_ids: str, **more: Any) -> dict[str, Any]:
    buttons = [{"type": 2, "style": 1, "label": "확인", "custom_id": one} for one in custom_ids]
    return {"components": [{"type": 1, "components": [LINK, *buttons]}], **more}


@pytest.mark.parametrize("revision", [1, 2, 7, 999_999_999])
def test_a_message_is_known_by_its_footer_or_by_a_button(notice: Notice, revision: int) -> None:
    notice.revision = revision
    delivery = Delivery(notice=notice, nonce="23456789AB")
    known = ("23456789AB", revision)
    assert identify(build(delivery)) == known
    assert identify(with_buttons(f"r1:read:{marker(*known)}")) == known


@pytest.mark.parametrize(
    ("footer", "known"),
    [
        ("알고리즘 스터디 · 23456789AB-1", ("23456789AB", 1)),
        ("알고리즘 스터디 · 23456789AB-12", ("23456789AB", 12)),
        ("23456789AB", ("23456789AB", 1)),
        ("작성: X 98765432ZZ-3 · 스터디 · 23456789AB", ("23456789AB", 1)),
        ("알고리즘 스터디 · 23456789AB-", None),
        ("알고리즘 스터디 · 23456789AB · 민지", None),
        ("X23456789AB", None),
    ],
)
def test_messages_of_older_versions_are_known_and_nobody_forges_another(
    footer: str, known: tuple[str, int] | None
) -> None:
    assert identify({"embeds": [{"footer": {"text": footer}}]}) == known


@pytest.mark.parametrize(
    ("message", "known"),
    [
        (with_buttons("r1:read:23456789AB-1"), ("23456789AB", 1)),
        (with_buttons("r1:come:23456789AB-3", "r1:decline:23456789AB-3"), ("23456789AB", 3)),
        (with_buttons("r1:read:23456789AB", embeds=[OLDER]), ("23456789AB", 1)),
        (with_buttons("remind:23456789AB", embeds=[OLDER]), ("ZZZZZZZZZZ", 7)),
        (with_buttons("read:23456789AB-3"), None),
        (with_buttons("r1:read:23456789AB-"), None),
        (with_buttons("r1:read:23456789AB-3 "), None),
        (with_buttons("r1:read:X23456789AB"), None),
        (with_buttons(""), None),
    ],
)
def test_a_button_goes_before_the_footer(
    message: dict[str, Any], known: tuple[str, int] | None
) -> None:
    assert identify(message) == known


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"embeds": [], "components": []},
        {"embeds": None, "components": None},
        {"embeds": [{"footer": {"text": "매주 화요일"}}]},
        {"embeds": [{"footer": None}]},
        {"components": [{"type": 1, "components": [LINK]}]},
        {"content": "23456789AB-7 r1:read:23456789AB-7"},
    ],
)
def test_a_message_of_somebody_else_is_known_by_nothing(message: dict[str, Any]) -> None:
    assert identify(message) is None
