"""The JSON of a notice keeps Discord's limits, pings only whom it should, and is seen to be cut."""

import pytest

from notices.advice.permissions import EMBED_LINKS
from notices.delivery import message
from notices.delivery.identity import identify
from notices.delivery.message import Body
from notices.models import Delivery, Notice
from notices.tables.notice_fields import AUTHOR_LIMIT, CONTENT_LIMIT, PLACE_LIMIT, TITLE_LIMIT


def delivery_of(notice: Notice) -> Delivery:
    return Delivery(notice=notice, channel=notice.channels.get(), nonce="23456789AB")


def test_the_longest_notice_stays_within_discords_limits(notice: Notice) -> None:
    notice.title = "가" * TITLE_LIMIT
    notice.content = "나" * CONTENT_LIMIT
    notice.place = "마" * PLACE_LIMIT
    notice.author = "다" * AUTHOR_LIMIT
    notice.study.name = "라" * 100
    (embed,) = message.build(delivery_of(notice))["embeds"]
    (field,) = embed["fields"]
    texts = [embed["title"], embed["description"], *field.values(), embed["footer"]["text"]]
    assert sum(map(len, texts)) <= 6000
    assert len(field["value"]) <= 1024
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
    built = message.build(delivery_of(notice))
    (embed,) = built["embeds"]
    assert embed["footer"]["text"] == footer
    assert identify(built) == ("23456789AB", revision)


@pytest.mark.parametrize(("language", "name"), [("ko", "장소"), ("en", "Place")])
def test_the_place_has_a_line_of_its_own_in_the_studys_language(
    notice: Notice, language: str, name: str
) -> None:
    notice.study.language, notice.place = language, "스터디룸 3"
    for built in (message.build(delivery_of(notice)), message.build_edit(delivery_of(notice))):
        assert built["embeds"][0]["fields"] == [{"name": name, "value": "스터디룸 3"}]


@pytest.mark.parametrize("place", ["", " ", "\u3164"])
def test_without_a_place_there_is_no_such_line(notice: Notice, place: str) -> None:
    """Discord refuses a message whose line is blank."""
    notice.place = place
    assert "fields" not in message.build(delivery_of(notice))["embeds"][0]


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
    created = message.build(delivery_of(notice))
    assert (created["content"], created["allowed_mentions"]) == (content, allowed)
    assert message.build_edit(delivery_of(notice))["allowed_mentions"] == {"parse": []}


def test_a_create_carries_its_nonce_and_has_it_enforced(notice: Notice) -> None:
    created = message.build(delivery_of(notice))
    assert (created["nonce"], created["enforce_nonce"]) == ("23456789AB", True)
    assert len(created["nonce"]) <= 25


EMBED: Body = {"embeds": [{"title": "공지"}]}
PING: Body = {"content": "@here"}
BUTTONS: Body = {"components": [{"type": 1}]}
SUPPRESSED: Body = {"embeds": [], "flags": 4}
WITHOUT_ANY: Body = {"embeds": [], "flags": 0}


@pytest.mark.parametrize(
    ("told", "sent", "is_emptied"),
    [
        (SUPPRESSED, None, True),
        (SUPPRESSED | BUTTONS, None, True),
        (WITHOUT_ANY, EMBED, True),
        (WITHOUT_ANY, None, False),
        (WITHOUT_ANY | BUTTONS, PING | BUTTONS, False),
        (EMBED | {"flags": 0}, EMBED, False),
        ({"flags": 4}, None, False),  # an update that does not tell of embeds
    ],
)
def test_a_message_is_emptied_if_its_embed_was_taken_away(
    told: Body, sent: Body | None, is_emptied: bool
) -> None:
    assert message.is_emptied(told, sent) == is_emptied


@pytest.mark.parametrize(
    ("body", "is_new", "is_cut"),
    [
        (EMBED, True, False),  # Discord refuses it
        (EMBED | PING, True, True),
        (EMBED | BUTTONS, True, True),
        (EMBED, False, True),
        (PING | BUTTONS, True, False),
        (PING | BUTTONS, False, False),
    ],
)
def test_without_embed_links_the_rest_of_a_message_is_cut_short(
    body: Body, is_new: bool, is_cut: bool
) -> None:
    assert bool(message.why_cut_short(body, 0, is_new=is_new)) == is_cut
    assert message.why_cut_short(body, EMBED_LINKS, is_new=is_new) is None
