"""Idempotency-Key: a POST that is repeated, later or at the same time, is done once."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from notices.api import idempotency
from notices.models import ApiKey, Channel, Delivery, KeptAnswer, Notice, Study
from notices.upkeep import pruning
from tests.api.conftest import client_with, fields_refused, key_for

NOTICES, STUDIES = "/api/v1/notices/", "/api/v1/studies/"
CALLBACKS = "/api/v1/callbacks/"
KEY = {"Idempotency-Key": "8f14e45f"}


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Begin `count` calls together, each over its own connection, and return their answers."""
    answers: list[Any] = []
    start = Barrier(count)

    def run() -> None:
        start.wait()
        try:
            answers.append(call())
        finally:
            connection.close()

    threads = [Thread(target=run) for _n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("address", [NOTICES, "/notice/"])
def test_a_repeat_is_answered_as_the_first_time(
    frontend: APIClient, first_post: dict[str, Any], post: dict[str, Any], address: str
) -> None:
    body = first_post if address == "/notice/" else post

    first = frontend.post(address, body, format="json", headers=KEY)
    Notice.objects.update(title="changed meanwhile")
    again = frontend.post(address, body, format="json", headers=KEY)

    assert Notice.objects.count() == 1
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (again.get("ETag"), again.get("Location")) == (first.get("ETag"), first.get("Location"))
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"


def test_without_a_key_each_post_is_a_notice(frontend: APIClient, post: dict[str, Any]) -> None:
    for _n in range(2):
        frontend.post(NOTICES, post, format="json")

    assert Notice.objects.count() == 2


def test_the_same_key_for_another_body_is_refused(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    frontend.post(NOTICES, post, format="json", headers=KEY)

    answer = frontend.post(NOTICES, post | {"title": "other"}, format="json", headers=KEY)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:studybot:key-reused"
    assert KEY["Idempotency-Key"] in answer.json()["detail"]
    assert Notice.objects.count() == 1


def test_the_same_key_at_another_address_is_refused(frontend: APIClient, notice: Notice) -> None:
    frontend.post(f"{NOTICES}{notice.pk}/withdraw/", headers=KEY)

    answer = frontend.post(f"{NOTICES}{notice.pk}/send-again/", headers=KEY)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:studybot:key-reused"


def test_a_last_slash_or_another_order_of_fields_is_the_same_request(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    frontend.post(NOTICES, post, format="json", headers=KEY)

    again = frontend.post(
        NOTICES.rstrip("/"), dict(reversed(post.items())), format="json", headers=KEY
    )

    assert again["Idempotent-Replayed"] == "true"


def test_a_key_is_its_callers_own(frontend: APIClient, study: Study, post: dict[str, Any]) -> None:
    frontend.post(NOTICES, post, format="json", headers=KEY)

    client_with(key_for(study)).post(NOTICES, post, format="json", headers=KEY)

    assert Notice.objects.count() == 2


def test_a_refused_post_may_be_corrected_with_the_same_key(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    refused = frontend.post(NOTICES, post | {"title": ""}, format="json", headers=KEY)
    taken = frontend.post(NOTICES, post, format="json", headers=KEY)

    assert (refused.status_code, taken.status_code) == (400, 201)


@pytest.mark.parametrize("key", ["", "a" * 256, "키", "a\tb"])
def test_a_malformed_key_is_refused(frontend: APIClient, post: dict[str, Any], key: str) -> None:
    answer = frontend.post(NOTICES, post, format="json", headers={"Idempotency-Key": key})

    assert answer.status_code == 400
    assert fields_refused(answer) == ["Idempotency-Key"]


def test_sending_again_is_done_once(frontend: APIClient, failed_delivery: Delivery) -> None:
    address = f"{NOTICES}{failed_delivery.notice_id}/send-again/"

    first = frontend.post(address, headers=KEY)
    again = frontend.post(address, headers=KEY)
    another = frontend.post(address)

    assert (first.status_code, again.status_code, another.status_code) == (200, 200, 409)


def test_a_preview_changes_nothing_and_is_not_kept(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    for title in ("one", "two"):
        answer = frontend.post(
            f"{NOTICES}preview/", post | {"title": title}, format="json", headers=KEY
        )
        assert answer.json()["message"]["embeds"][0]["title"] == title

    assert not KeptAnswer.objects.exists()


def test_a_kept_answer_needs_the_right_to_read_it(
    study: Study, other_study: Study, first_post: dict[str, Any], post: dict[str, Any]
) -> None:
    client = client_with(key_for(study))
    bodies = {"/notice/": first_post, NOTICES: post}
    for address, body in bodies.items():
        headers = {"Idempotency-Key": address}
        assert client.post(address, body, format="json", headers=headers).status_code < 300
    ApiKey.objects.get().studies.set([other_study])

    for address, body in bodies.items():
        answer = client.post(address, body, format="json", headers={"Idempotency-Key": address})
        assert answer.status_code == 403
        assert "8주차" not in answer.content.decode()


@pytest.mark.parametrize("address", [NOTICES, "/notice/"])
def test_a_kept_answer_does_not_tell_of_a_notice_that_has_moved(
    frontend: APIClient, first_post: dict[str, Any], post: dict[str, Any], other_study: Study,
    address: str,
) -> None:  # fmt: skip
    body = first_post if address == "/notice/" else post
    frontend.post(address, body, format="json", headers=KEY)
    Notice.objects.update(study=other_study)

    assert frontend.post(address, body, format="json", headers=KEY).status_code == 403


def test_a_kept_answer_does_not_outlive_a_narrowed_key(
    every_frontend: APIClient, post: dict[str, Any], other_study: Study
) -> None:
    every_frontend.post(NOTICES, post, format="json", headers=KEY)
    ApiKey.objects.update(all_studies=False)
    ApiKey.objects.get().studies.set([other_study])

    assert every_frontend.post(NOTICES, post, format="json", headers=KEY).status_code == 403


def test_a_kept_answer_does_not_outlive_the_right_to_write(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    frontend.post(NOTICES, post, format="json", headers=KEY)
    ApiKey.objects.update(read_only=True)

    assert frontend.post(NOTICES, post, format="json", headers=KEY).status_code == 403


def test_a_kept_withdrawal_does_not_tell_of_a_notice_that_has_moved(
    frontend: APIClient, notice: Notice, other_study: Study
) -> None:
    address = f"{NOTICES}{notice.pk}/withdraw/"
    frontend.post(address, headers=KEY)
    Notice.objects.update(study=other_study)

    assert frontend.post(address, headers=KEY).status_code == 403


def test_a_kept_answer_of_a_callback_needs_its_studies(
    frontend: APIClient, other_study: Study
) -> None:
    body = {"url": "https://frontend.example.org/hook"}
    assert frontend.post(CALLBACKS, body, format="json", headers=KEY).status_code == 201
    assert frontend.post(CALLBACKS, body, format="json", headers=KEY).status_code == 201
    ApiKey.objects.get().studies.set([other_study])

    assert frontend.post(CALLBACKS, body, format="json", headers=KEY).status_code == 403


def test_a_kept_study_is_for_site_admins(site_admin: User, channel: Channel) -> None:
    client = APIClient()
    client.force_login(site_admin)
    body = {"name": "새 스터디", "channel_ids": [str(channel.pk)]}
    assert client.post(STUDIES, body, format="json", headers=KEY).status_code == 201
    User.objects.update(is_superuser=False)
    Study.objects.get().accounts.add(site_admin)

    assert client.post(STUDIES, body, format="json", headers=KEY).status_code == 403


def test_a_draft_that_was_deleted_since_is_answered_as_the_first_time(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    body = post | {"publish_at": None}
    first = frontend.post(NOTICES, body, format="json", headers=KEY)
    Notice.objects.all().delete()

    again = frontend.post(NOTICES, body, format="json", headers=KEY)
    assert (again.status_code, again.content) == (201, first.content)


def test_after_a_day_a_key_is_new_again(frontend: APIClient, post: dict[str, Any]) -> None:
    frontend.post(NOTICES, post, format="json", headers=KEY)
    KeptAnswer.objects.update(begun_at=timezone.now() - timedelta(hours=24))

    frontend.post(NOTICES, post, format="json", headers=KEY)

    assert Notice.objects.count() == 2


def test_an_answer_that_is_a_day_old_is_pruned(frontend: APIClient, post: dict[str, Any]) -> None:
    for key in ("old", "new"):
        frontend.post(NOTICES, post, format="json", headers={"Idempotency-Key": key})
    KeptAnswer.objects.filter(key="old").update(begun_at=timezone.now() - timedelta(hours=25))

    pruning.prune(timezone.now(), seconds=10)

    assert KeptAnswer.objects.get().key == "new"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("address", [NOTICES, "/notice/"])
def test_many_simultaneous_posts_make_one_notice(
    study: Study, first_post: dict[str, Any], post: dict[str, Any], address: str
) -> None:
    key, body = key_for(study), first_post if address == "/notice/" else post

    answers = at_once(8, lambda: client_with(key).post(address, body, format="json", headers=KEY))

    assert Notice.objects.count() == 1
    assert len({answer.status_code for answer in answers}) == 1
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer for answer in answers) == 1


@pytest.mark.django_db(transaction=True)
def test_simultaneous_posts_of_different_bodies_make_one_notice(
    study: Study, post: dict[str, Any]
) -> None:
    key, titles = key_for(study), iter(range(8))

    answers = at_once(
        8,
        lambda: client_with(key).post(
            NOTICES, post | {"title": f"{next(titles)}"}, format="json", headers=KEY
        ),
    )

    assert Notice.objects.count() == 1
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite a transaction is alone")
@pytest.mark.django_db(transaction=True)
def test_a_repeat_does_not_wait_for_ever(
    study: Study, post: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    key, now = key_for(study), timezone.now()
    caller = f"key {key.partition('.')[0]}"

    with transaction.atomic():
        # The first is under way, and hangs.
        KeptAnswer.objects.create(caller=caller, key=KEY["Idempotency-Key"], begun_at=now)
        (answer,) = at_once(
            1, lambda: client_with(key).post(NOTICES, post, format="json", headers=KEY)
        )

    assert answer.status_code == 409
    assert answer["Retry-After"] == "1"
    assert answer.json()["type"] == "urn:studybot:under-way"
    assert not Notice.objects.exists()
