"""A text is shown in Discord as it was written; it pings nobody and forges nothing."""

import unicodedata
from typing import Any

import pytest
from rest_framework.test import APIClient

from notices.delivery import message
from notices.delivery.identity import identify
from notices.models import Delivery, Notice

# Texts as most people write them, and as attackers do.
TEXTS = {
    "korean": "화요일 20시, 3층 스터디룸 ㅋㅋ",
    "emoji of several": "👨‍👩‍👧‍👦 🇰🇷 👍🏽 ❤️",
    "decomposed": "\u1112\u1161\u11ab\u1100\u1173\u11af e\u0301",
    "both directions": "abc \u202eעברית\u202c العربية",
    "of no width": "a\u200bb\u2060c\ufeffd",
    "beyond the first plane": "𝒜𠮷𓀀",
    "combining": "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324",
    "private and unassigned": "\ue000\U0010ffff\ufffe",
    "control": "a\x01b\x7fc\x85d",
    "everyone": "@everyone @here <@&1100000000000000099> <@123> <#11>",
    "markdown": "**b** `c` ```d ||e|| [f](https://evil.example) > g # h",
    "marker": "ABCDEFGHJK-1",
    "lines": "one\r\ntwo\n\nthree",
    "json": '{"embeds": [{"title": "x"}]} \\" \\u0000',
    "html": "<script>alert(1)</script>&amp;",
}


def sent(notice: Notice) -> dict[str, Any]:
    delivery = Delivery(notice=notice, channel=notice.channels.all()[0], nonce="23456789AB")
    return message.build(delivery)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("field", ["title", "content", "place", "author"])
def test_a_text_is_kept_and_sent_as_it_was_written(
    frontend: APIClient, post: dict[str, Any], field: str, text: str
) -> None:
    made = frontend.post("/api/v1/notices/", post | {field: text}, format="json").json()

    notice = Notice.objects.get()
    (embed,) = sent(notice)["embeds"]
    in_embed = {
        "title": embed["title"],
        "content": embed["description"],
        "place": embed.get("fields", [{"value": ""}])[0]["value"],
        "author": embed["footer"]["text"]
        .removeprefix("작성: ")
        .split(f" · {notice.study.name}")[0],
    }
    kept = unicodedata.normalize("NFC", text)
    assert made[field] == kept
    assert getattr(notice, field) == kept
    assert in_embed[field] == kept


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_no_text_pings_or_forges_anything(
    frontend: APIClient, post: dict[str, Any], text: str
) -> None:
    post |= {"title": text, "content": text, "place": text, "author": text}
    frontend.post("/api/v1/notices/", post, format="json")

    shown = sent(Notice.objects.get())

    # Discord pings by `content` alone, and renders Markdown in no author's name or footer; a title
    # is a field of its own, out of which no Markdown leads.
    assert shown["content"] == ""
    assert shown["allowed_mentions"] == {"parse": []}
    assert [sorted(embed) for embed in shown["embeds"]] == [
        ["color", "description", "fields", "footer", "title"]
    ]
    assert identify(shown) == ("23456789AB", 1)
