"""A refusal names what is wrong here, and what to do about it."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from notices.models import Channel, Notice, Role, Study
from tests.api.conftest import client_with, key_for

NOTICES = "/api/v1/notices/"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"', '"', "in quotes"),
        ("'", "'", "in quotes"),
        ("Bearer ", "", '"Bearer" stands before the key'),
        ("api-key ", "", '"api-key" stands before the key'),
        (" ", " x", "holds a blank"),
        ("", "\\n", "holds a blank or a sign"),
    ],
)
def test_a_key_that_was_copied_with_more_is_told_what_is_too_much(
    study: Study, before: str, after: str, told: str
) -> None:
    key = key_for(study)
    answer = client_with(f"{before}{key}{after}").get(NOTICES)

    assert answer.status_code == 401
    assert told in answer.json()["detail"]
    assert key.partition(".")[2] not in answer.content.decode()


def test_a_key_that_is_not_there_whole_is_told_so(study: Study) -> None:
    key = key_for(study)
    for sent, told in ((key.partition(".")[0], "no whole key"), ("", "is empty")):
        assert told in client_with(sent).get(NOTICES).json()["detail"]
    answer = APIClient().get(NOTICES, headers={"Authorization": f"Bearer {key}", **ENGLISH})
    assert "in the header X-API-Key" in answer.json()["detail"]


ENGLISH = {"Accept-Language": "en"}


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
@pytest.mark.parametrize("address", ["/notice/", NOTICES, "/api/v1/uploads/?name=a"])
def test_an_encoded_body_is_refused_for_what_it_is(
    frontend: APIClient, address: str, encoding: str
) -> None:
    answer = frontend.post(address, headers={"Content-Encoding": encoding})

    assert answer.status_code == 415
    assert encoding in answer.json()["detail"]
    assert "without Content-Encoding" in answer.json()["detail"]


@pytest.mark.parametrize("offset", ["+09:00", "%2B09:00", "+0900", "Z", "-05:00"])
def test_a_plus_in_a_query_is_understood(frontend: APIClient, notice: Notice, offset: str) -> None:
    answer = frontend.get(f"{NOTICES}?created_after=2026-01-01T00:00:00{offset}")

    assert answer.status_code == 200
    assert frontend.get(f"{NOTICES}?created_after=2026-01-01 09:00").status_code == 400


@pytest.mark.parametrize("link", ["www.notion.so/abc", "notion.so", "//example.com/a?b=1"])
def test_a_link_without_https_is_told_whole(
    frontend: APIClient, post: dict[str, Any], link: str
) -> None:
    answer = frontend.post(NOTICES, post | {"url": link}, format="json")

    assert f'write "https://{link.removeprefix("//")}"' in answer.json()["detail"]


@pytest.mark.parametrize("address", ["/notice/", NOTICES])
def test_an_id_that_javascript_rounded_is_recognised(
    frontend: APIClient, study: Study, address: str
) -> None:
    channel = Channel.objects.create(id=1187654321098765433)
    study.channels.add(channel)
    rounded = int(float(channel.pk))
    texts = {"study_id": study.pk, "title": "a", "content": "b"}
    sent = {"channel_id": rounded} if address == "/notice/" else {"channel_ids": [rounded]}
    assert rounded != channel.pk

    answer = frontend.post(address, texts | sent, format="json")

    assert f'send channel ids as strings: "{channel.pk}"' in answer.json()["detail"]


def test_a_rounded_id_of_anothers_channel_is_not_told(
    frontend: APIClient, post: dict[str, Any], other_channel: Channel
) -> None:
    sent = {"channel_ids": [int(float(other_channel.pk))]}
    answer = frontend.post(NOTICES, post | sent, format="json")

    assert str(other_channel.pk) not in answer.content.decode()


def test_what_is_no_channel_for_messages_is_told(
    frontend: APIClient, post: dict[str, Any], study: Study, site_admin: User
) -> None:
    guild = 1100000000000000001
    forum = Channel.objects.create(id=77, guild_id=guild, name="질문", type=15)
    Role.objects.create(id=guild, guild_id=guild, guild_name="알고리즘", name="everyone")
    for pk in (forum.pk, guild):
        answer = frontend.post(NOTICES, post | {"channel_ids": [pk]}, format="json")
        assert answer.status_code == 400
        assert "not connected" not in answer.json()["detail"]
    admin = APIClient()
    admin.force_login(site_admin)
    asked = {"name": "새 스터디", "channel_ids": [forum.pk]}
    assert admin.post("/api/v1/studies/", asked, format="json").status_code == 400
