"""A table of who may do what: every caller, every operation, her own study and another's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from notices.api.uploads import FILE_TYPE
from notices.files.uploads import Sent, keep
from notices.models import Channel, Notice, Study
from tests.api.conftest import client_with, key_for

# The callers, in the order of the columns below.
CALLERS = (
    "no key",
    "expired key",
    "revoked key",
    "reading key",
    "writing key",
    "key of another study",
    "leader",
    "writer",
    "drafter",
    "viewer",
    "leader of another study",
    "stranger",
    "site admin",
)
# An operation on the study's own rows, and the status of its answer to each of CALLERS.
TABLE = """
GET   notices/                401 401 401 200 200 200 200 200 200 200 200 403 200
POST  notices/                401 401 401 403 201 400 201 201 403 403 400 403 201
POST  notices/preview/        401 401 401 403 200 400 200 200 403 403 400 403 200
GET   notices/{notice}/       401 401 401 200 200 404 200 200 200 200 404 403 200
PATCH notices/{notice}/       401 401 401 403 200 404 200 200 403 403 404 403 200
POST  notices/{notice}/withdraw/    401 401 401 403 200 404 200 200 403 403 404 403 200
POST  notices/{notice}/send-again/  401 401 401 403 409 404 409 409 403 403 404 403 409
GET   notices/{notice}/attempts/    401 401 401 200 200 404 200 200 200 200 404 403 200
GET   notices/?study_id={study}     401 401 401 200 200 400 200 200 200 200 400 403 200
GET   studies/                401 401 401 200 200 200 200 200 200 200 200 403 200
GET   studies/{study}/        401 401 401 200 200 404 200 200 200 200 404 403 200
POST  studies/                401 401 401 403 403 403 403 403 403 403 403 403 201
PATCH studies/{study}/        401 401 401 403 403 404 403 403 403 403 404 403 200
GET   channels/               401 401 401 200 200 200 200 200 200 200 200 403 200
GET   channels/{channel}/     401 401 401 200 200 404 200 200 200 200 404 403 200
POST  uploads/?name=a.txt     401 401 401 403 201 201 201 201 201 403 201 403 201
GET   uploads/{upload}/       401 401 401 200 200 404 200 200 200 200 404 403 200
POST  /notice/                401 401 401 403 202 400 202 202 403 403 400 403 202
DELETE notices/{notice}/      401 401 401 403 405 405 405 405 405 405 405 403 405
PUT   notices/{notice}/       401 401 401 403 405 405 405 405 405 405 405 403 405
POST  channels/               401 401 401 403 405 405 405 405 405 405 405 403 405
DELETE studies/{study}/       401 401 401 403 405 405 405 405 405 405 405 403 405
GET   studies/{study}/members/      401 401 401 403 403 404 200 403 403 403 404 403 200
POST  studies/{study}/members/      401 401 401 403 403 404 201 403 403 403 404 403 201
DELETE studies/{study}/members/{nobody}/ 401 401 401 403 403 404 404 403 403 403 404 403 404
GET   studies/{study}/invitations/  401 401 401 403 403 404 200 403 403 403 404 403 200
POST  studies/{study}/invitations/  401 401 401 403 403 404 201 403 403 403 404 403 201
DELETE studies/{study}/invitations/1/ 401 401 401 403 403 404 404 403 403 403 404 403 404
PUT   studies/{study}/members/      401 401 401 403 405 405 405 405 405 405 405 403 405
"""
CELLS = [
    (caller, method, path, int(answer))
    for method, path, *answers in (line.split() for line in TABLE.strip().splitlines())
    for caller, answer in zip(CALLERS, answers, strict=True)
]


def logged_in(user: User) -> APIClient:
    client = APIClient(headers={"Accept-Language": "en"})
    client.force_login(user)
    return client


def with_role(study: Study, role: str) -> User:
    user = User.objects.create_user(role)
    study.roles.create(user=user, role=role)
    return user


@pytest.fixture
def caller(
    study: Study,
    other_study: Study,
    leader: User,
    other_leader: User,
    stranger: User,
    site_admin: User,
) -> Callable[[str], APIClient]:
    past = timezone.now() - timedelta(seconds=1)
    made: dict[str, Callable[[], APIClient]] = {
        "no key": lambda: APIClient(headers={"Accept-Language": "en"}),
        "expired key": lambda: client_with(key_for(study, expiry_date=past)),
        "revoked key": lambda: client_with(key_for(study, revoked=True)),
        "reading key": lambda: client_with(key_for(study, read_only=True)),
        "writing key": lambda: client_with(key_for(study)),
        "key of another study": lambda: client_with(key_for(other_study)),
        "leader": lambda: logged_in(leader),
        **{
            role: lambda role=role: logged_in(with_role(study, role))  # type: ignore[misc]
            for role in ("writer", "drafter", "viewer")
        },
        "leader of another study": lambda: logged_in(other_leader),
        "stranger": lambda: logged_in(stranger),
        "site admin": lambda: logged_in(site_admin),
    }
    return lambda name: made[name]()


@pytest.mark.parametrize(("who", "method", "path", "expected"), CELLS)
def test_each_caller_is_answered_as_the_table_says(
    caller: Callable[[str], APIClient],
    notice: Notice,
    study: Study,
    channel: Channel,
    who: str,
    method: str,
    path: str,
    expected: int,
) -> None:
    notice.uploads.add(upload := keep(Sent("a.txt", b"a"), by=None))
    address = path.format(
        nobody=1100000000000000101,
        notice=notice.pk,
        study=study.pk,
        channel=channel.pk,
        upload=upload.pk,
    )
    kind = FILE_TYPE if path.startswith("uploads/") else "application/json"
    bodies: dict[str, dict[str, Any]] = {
        "POST notices/": {"study_id": study.pk, "title": "새 글", "content": "c"},
        "POST notices/preview/": {"study_id": study.pk, "title": "새 글", "content": "c"},
        "PATCH notices/{notice}/": {"title": "고친 제목"},
        "POST studies/": {"name": "새 스터디"},
        "PATCH studies/{study}/": {"name": "새 이름"},
        "POST studies/{study}/members/": {"discord_ids": ["1100000000000000101"]},
        "POST studies/{study}/invitations/": {"role": "leader"},
        "POST /notice/": {
            "study_id": study.pk,
            "channel_id": channel.pk,
            "title": "새 글",
            "content": "c",
        },
    }
    client = caller(who)

    answer = client.generic(
        method,
        address if address.startswith("/") else f"/api/v1/{address}",
        json.dumps(bodies.get(f"{method} {path}", {})),
        content_type=kind,
    )

    assert answer.status_code == expected, answer.content
    if expected >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        notice.refresh_from_db()
        assert (notice.title, notice.withdrawn_at) == ("7주차 모임", None)
        assert Notice.objects.count() == Study.objects.exclude(name="새 스터디").count() - 1


def test_a_list_holds_only_the_callers_own_rows(
    caller: Callable[[str], APIClient],
    notice: Notice,
    other_notice: Notice,
    study: Study,
    channel: Channel,
) -> None:
    for who in ("reading key", "writing key", "leader"):
        client = caller(who)
        notices = client.get("/api/v1/notices/").json()["results"]
        studies = client.get("/api/v1/studies/").json()["results"]
        channels = client.get("/api/v1/channels/").json()["results"]
        assert [found["id"] for found in notices] == [notice.pk]
        assert [found["id"] for found in studies] == [study.pk]
        assert {found["id"] for found in channels} == {
            str(pk) for pk in study.channels.values_list("pk", flat=True)
        }
    assert len(caller("site admin").get("/api/v1/notices/").json()["results"]) == 2


def test_a_leaders_notice_bears_her_name(
    caller: Callable[[str], APIClient], study: Study, leader: User
) -> None:
    post = {"study_id": study.pk, "title": "t", "content": "c"}

    caller("leader").post("/api/v1/notices/", post, format="json")

    assert Notice.objects.get().created_by == leader


def test_a_login_changes_nothing_without_its_csrf_token(leader: User, study: Study) -> None:
    client = APIClient(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    client.force_login(leader)
    post = {"study_id": study.pk, "title": "t", "content": "c"}

    refused = client.post("/api/v1/notices/", post, format="json")
    client.cookies["csrftoken"] = token = "a" * 32
    taken = client.post("/api/v1/notices/", post, format="json", headers={"X-CSRFToken": token})

    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    assert "CSRF" in refused.json()["detail"]
    assert taken.status_code == 201


def test_a_study_is_set_up_with_channels_that_nobody_knew(
    caller: Callable[[str], APIClient], study: Study
) -> None:
    made = caller("site admin").post(
        "/api/v1/studies/",
        {"name": "새벽 스터디", "colour": "#00ff7F", "channel_ids": ["1100000000000000099"]},
        format="json",
    )

    assert made.status_code == 201
    assert made["Location"] == f"/api/v1/studies/{made.json()['id']}/"
    assert made.json()["colour"] == "#00FF7F"
    assert [channel["id"] for channel in made.json()["channels"]] == ["1100000000000000099"]
    assert Channel.objects.filter(pk=1100000000000000099).exists()
