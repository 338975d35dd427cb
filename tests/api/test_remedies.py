"""A refusal names the mistake and its remedy."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from notices.advice.reasons import takes_no_messages
from notices.models import Channel, ErrorCode, Notice, Role, Study
from tests.api.conftest import client_with, fields_refused, key_for

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
def test_the_refusal_of_a_key_with_extra_characters_names_them(
    study: Study, before: str, after: str, told: str
) -> None:
    key = key_for(study)
    answer = client_with(f"{before}{key}{after}").get(NOTICES)

    assert answer.status_code == 401
    assert told in answer.json()["detail"]
    assert key.partition(".")[2] not in answer.content.decode()


def test_the_refusal_of_an_incomplete_key_says_so(study: Study) -> None:
    key = key_for(study)
    for sent, told in ((key.partition(".")[0], "no whole key"), ("", "is empty")):
        assert told in client_with(sent).get(NOTICES).json()["detail"]
    answer = APIClient().get(NOTICES, headers={"Authorization": f"Bearer {key}", **ENGLISH})
    assert "in the header X-API-Key" in answer.json()["detail"]


ENGLISH = {"Accept-Language": "en"}


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
@pytest.mark.parametrize("address", ["/notice/", NOTICES, "/api/v1/uploads/?name=a"])
def test_an_encoded_body_is_refused_by_its_encoding(
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
def test_the_refusal_of_a_link_without_https_names_the_whole_link(
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


def test_a_list_of_a_rounded_channels_notices_is_refused_instead_of_empty(
    frontend: APIClient, study: Study
) -> None:
    study.channels.add(Channel.objects.create(id=1187654321098765433))
    asked = {"channel_id": str(int(float(1187654321098765433)))}
    answer = frontend.get(NOTICES, asked)

    assert fields_refused(answer) == ["channel_id"]
    assert 'as strings: "1187654321098765433"' in answer.json()["detail"]
    Channel.objects.create(id=asked["channel_id"])
    assert frontend.get(NOTICES, asked).json()["results"] == []


def test_a_study_does_not_take_a_channels_rounded_id(site_admin: User) -> None:
    channel = Channel.objects.create(id=1187654321098765433)
    admin = APIClient()
    admin.force_login(site_admin)
    asked = {"name": "새 스터디", "channel_ids": [int(float(channel.pk))]}
    answer = admin.post("/api/v1/studies/", asked, format="json")

    assert fields_refused(answer) == ["channel_ids"]
    assert f'"{channel.pk}"' in answer.json()["detail"]
    assert Channel.objects.get() == channel


def test_the_refusal_of_a_rounded_id_does_not_name_another_studys_channel(
    frontend: APIClient, post: dict[str, Any], other_study: Study
) -> None:
    other_study.channels.add(Channel.objects.create(id=1187654321098765433))
    rounded = int(float(1187654321098765433))
    answers = (
        frontend.post(NOTICES, post | {"channel_ids": [rounded]}, format="json"),
        frontend.get(NOTICES, {"channel_id": str(rounded)}),
    )

    for answer in answers:
        assert "1187654321098765433" not in answer.content.decode()


def test_the_refusal_of_a_forum_or_a_server_tells_why(
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


@pytest.fixture
def forum(study: Study) -> Channel:
    """It was connected before the bot saw what kind of channel it is."""
    forum = Channel.objects.create(id=77, name="질문", type=Channel.Type.FORUM)
    study.channels.add(forum)
    return forum


NO_MESSAGES = sorted(set(Channel.Type) - Channel.TYPES_WITH_MESSAGES)


@pytest.mark.parametrize("kind", NO_MESSAGES)
@pytest.mark.parametrize("address", ["/notice/", NOTICES])
def test_a_post_to_a_channel_that_takes_no_messages_is_refused(
    frontend: APIClient,
    first_post: dict[str, Any],
    post: dict[str, Any],
    forum: Channel,
    address: str,
    kind: int,
) -> None:
    forum.type = kind
    forum.save()
    mine = {"channel_id": forum.pk} if address == "/notice/" else {"channel_ids": [forum.pk]}
    sent = (first_post if address == "/notice/" else post) | mine

    answer = frontend.post(address, sent, format="json")

    assert answer.status_code == 400
    assert fields_refused(answer) == list(mine)
    assert " ".join(takes_no_messages(forum)) in answer.json()["detail"]
    assert not Notice.objects.exists()


@pytest.mark.parametrize("address", ["/notice/", NOTICES])
def test_a_post_to_the_id_of_a_role_is_refused(
    frontend: APIClient,
    first_post: dict[str, Any],
    post: dict[str, Any],
    channel: Channel,
    address: str,
) -> None:
    Role.objects.create(id=channel.pk, guild_id=7, guild_name="알고리즘", name="스터디장")
    Channel.objects.update(refused_at=timezone.now(), refused_code=ErrorCode.A_ROLE)

    sent = first_post if address == "/notice/" else post | {"channel_ids": [channel.pk]}

    answer = frontend.post(address, sent, format="json")

    assert answer.status_code == 400
    assert "the id of a role" in answer.json()["detail"]


def test_a_change_puts_no_notice_into_a_forum(
    frontend: APIClient, notice: Notice, channel: Channel, forum: Channel
) -> None:
    address = f"{NOTICES}{notice.pk}/"

    answer = frontend.patch(address, {"channel_ids": [channel.pk, forum.pk]}, format="json")

    assert answer.status_code == 400
    assert frontend.patch(address, {"title": "고친 제목"}, format="json").status_code == 200


def test_a_notice_for_all_channels_is_taken_although_one_is_a_forum(
    frontend: APIClient, post: dict[str, Any], study: Study, forum: Channel
) -> None:
    """The delivery to the forum tells why nothing is shown there."""
    assert frontend.post(NOTICES, post, format="json").status_code == 201
    assert set(Notice.objects.get().channels.all()) == set(study.channels.all())
