"""A notice as Discord's JSON: within its limits, pinging exactly who was chosen, found again."""

import pytest

from notices import embeds
from notices.models import (
    AUTHOR_LIMIT,
    DESCRIPTION_LIMIT,
    TITLE_LIMIT,
    Delivery,
    Notice,
)


def delivery_of(notice: Notice) -> Delivery:
    return Delivery(notice=notice, channel=notice.channels.get(), nonce="23456789AB")


def test_the_marker_is_read_back_with_its_revision(notice: Notice) -> None:
    notice.revision = 7
    assert embeds.read_marker(embeds.message(delivery_of(notice))) == ("23456789AB", 7)


def test_a_message_of_somebody_else_has_no_marker() -> None:
    assert embeds.read_marker({"embeds": [{"footer": {"text": "매주 화요일"}}]}) is None
    assert embeds.read_marker({"embeds": []}) is None
    assert embeds.read_marker({"content": "23456789AB-7"}) is None


def test_the_longest_notice_stays_within_discords_limits(notice: Notice) -> None:
    notice.title = "가" * TITLE_LIMIT
    notice.content = "나" * DESCRIPTION_LIMIT
    notice.author = "다" * AUTHOR_LIMIT
    notice.study.name = "라" * 100
    (embed,) = embeds.message(delivery_of(notice))["embeds"]
    texts = [embed["title"], embed["description"], embed["footer"]["text"]]
    assert sum(map(len, texts)) <= 6000
    assert len(embed["footer"]["text"]) <= 2048


@pytest.mark.parametrize(
    ("language", "author", "revision", "footer"),
    [
        ("ko", "김민지", 1, "작성: 김민지 · 알고리즘 스터디 · 23456789AB"),
        ("ko", "김민지", 2, "작성: 김민지 · 알고리즘 스터디 · 23456789AB-2"),
        ("en", "Minji", 1, "By Minji · 알고리즘 스터디 · 23456789AB"),
        ("ko", " ", 1, "알고리즘 스터디 · 23456789AB"),
    ],
)
def test_the_footer_says_who_wrote_it_and_ends_in_the_marker(
    notice: Notice, language: str, author: str, revision: int, footer: str
) -> None:
    notice.study.language, notice.author, notice.revision = language, author, revision
    message = embeds.message(delivery_of(notice))
    (embed,) = message["embeds"]
    assert embed["footer"]["text"] == footer
    assert embeds.read_marker(message) == ("23456789AB", revision)


@pytest.mark.parametrize(
    ("footer", "marker"),
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
    footer: str, marker: tuple[str, int] | None
) -> None:
    assert embeds.read_marker({"embeds": [{"footer": {"text": footer}}]}) == marker


@pytest.mark.parametrize(
    ("ping", "role", "content", "allowed"),
    [
        ("none", 5, "", {"parse": []}),
        ("role", 5, "<@&5>", {"parse": [], "roles": ["5"]}),
        ("role", None, "", {"parse": []}),
        ("here", None, "@here", {"parse": ["everyone"]}),
        ("everyone", None, "@everyone", {"parse": ["everyone"]}),
    ],
)
def test_a_ping_is_always_explicit(
    notice: Notice, ping: str, role: int | None, content: str, allowed: dict[str, object]
) -> None:
    notice.ping, notice.study.ping_role_id = ping, role
    created = embeds.message(delivery_of(notice))
    assert (created["content"], created["allowed_mentions"]) == (content, allowed)
    assert embeds.edited_message(delivery_of(notice))["allowed_mentions"] == {"parse": []}


def test_a_create_carries_its_nonce_and_has_it_enforced(notice: Notice) -> None:
    created = embeds.message(delivery_of(notice))
    assert (created["nonce"], created["enforce_nonce"]) == ("23456789AB", True)
    assert len(created["nonce"]) <= 25
