"""POST notices/preview/ tells what would be shown and what would go wrong, and writes nothing."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Channel, Delivery, Notice, Study

PREVIEW = "/api/v1/notices/preview/"


def test_it_shows_discords_json_and_writes_nothing(
    frontend: APIClient, post: dict[str, Any], study: Study
) -> None:
    post |= {"place": "스터디룸 3", "author": "민지", "url": "https://example.com/8"}
    answer = frontend.post(PREVIEW, post, format="json")

    (embed,) = answer.json()["message"]["embeds"]
    assert answer.status_code == 200
    assert (embed["title"], embed["description"]) == ("8주차 모임", "화요일 20시")
    assert embed["fields"] == [{"name": "장소", "value": "스터디룸 3"}]
    assert embed["url"] == "https://example.com/8"
    assert embed["color"] == study.colour
    assert embed["footer"]["text"].startswith(f"작성: 민지 · {study.name} · ")
    assert answer.json()["message"]["allowed_mentions"] == {"parse": []}
    assert not Notice.objects.exists()
    assert not Delivery.objects.exists()


def test_it_shows_what_a_post_then_sends(
    frontend: APIClient, post: dict[str, Any], study: Study
) -> None:
    post |= {"ping": "here", "publish_at": "2030-03-02T20:00:00+09:00"}
    foreseen = frontend.post(PREVIEW, post, format="json").json()

    made = frontend.post("/api/v1/notices/", post, format="json").json()

    (embed,) = foreseen["message"]["embeds"]
    assert (embed["title"], embed["description"]) == (made["title"], made["content"])
    assert foreseen["message"]["content"] == "@here"
    assert sorted(channel["channel_id"] for channel in foreseen["channels"]) == sorted(
        made["channel_ids"]
    )


def test_it_names_each_channels_missing_permissions(
    frontend: APIClient, post: dict[str, Any], channel: Channel, second_channel: Channel
) -> None:
    everything, now = (1 << 50) - 1, timezone.now()
    Channel.objects.filter(pk=channel.pk).update(permissions=everything, seen_at=now)
    Channel.objects.filter(pk=second_channel.pk).update(
        permissions=everything & ~(1 << 14), seen_at=now
    )

    channels = frontend.post(PREVIEW, post, format="json").json()["channels"]

    problems = {found["channel_id"]: found["problems"] for found in channels}
    assert problems[str(channel.pk)] == []
    (problem,) = problems[str(second_channel.pk)]
    assert "Embed Links" in problem


@pytest.mark.parametrize(
    ("ping", "who", "content"),
    [("none", "", ""), ("here", "@here", "@here"), ("everyone", "@everyone", "@everyone")],
)
def test_it_names_whom_it_pings(
    frontend: APIClient, post: dict[str, Any], ping: str, who: str, content: str
) -> None:
    foreseen = frontend.post(PREVIEW, post | {"ping": ping}, format="json").json()

    assert foreseen["pings"]["who"] == who
    assert foreseen["message"]["content"] == content


def test_it_says_where_a_ping_would_reach_nobody(
    frontend: APIClient, post: dict[str, Any], channel: Channel
) -> None:
    Channel.objects.update(permissions=((1 << 50) - 1) & ~(1 << 17), seen_at=timezone.now())

    foreseen = frontend.post(
        PREVIEW, post | {"ping": "everyone", "channel_ids": [str(channel.pk)]}, format="json"
    ).json()

    (problem,) = foreseen["pings"]["problems"]
    assert "Mention @everyone" in problem
    assert foreseen["channels"][0]["problems"] == []


@pytest.mark.parametrize(
    "change",
    [{"title": "가" * 257}, {"content": ""}, {"ping": "role"}, {"study_id": 999999}, {"x": 1}],
)
def test_it_refuses_the_same_as_a_post_in_the_same_words(
    frontend: APIClient, post: dict[str, Any], change: dict[str, Any]
) -> None:
    foreseen = frontend.post(PREVIEW, post | change, format="json")
    refused = frontend.post("/api/v1/notices/", post | change, format="json")

    assert (foreseen.status_code, refused.status_code) == (400, 400)
    assert foreseen.json() == refused.json()
