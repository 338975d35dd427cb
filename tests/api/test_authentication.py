"""Keys: who gets in, and to which studies."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import ApiKey, Notice, Study
from tests.api.conftest import client_with

ADDRESSES = (
    ("post", "/notice/"),
    ("get", "/api/v1/notices/"),
    ("post", "/api/v1/notices/"),
    ("get", "/api/v1/notices/1/"),
    ("patch", "/api/v1/notices/1/"),
    ("post", "/api/v1/notices/1/withdraw/"),
    ("post", "/api/v1/notices/1/send-again/"),
    ("get", "/api/v1/studies/"),
)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "address"), ADDRESSES)
def test_every_address_asks_for_a_key(method: str, address: str) -> None:
    answer = APIClient(headers={"Accept-Language": "en"}).generic(method.upper(), address)

    assert answer.status_code == 401
    assert "X-API-Key" in answer["WWW-Authenticate"]
    assert "X-API-Key is missing" in answer.json()["detail"]


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["nonsense", "abcdefgh.wrong", "a.\0", "ключ", "." * 5000])
def test_an_unknown_key_is_refused(key: str) -> None:
    answer = client_with(key).get("/api/v1/studies/")

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer
    told = answer.json()["detail"]
    assert "ask a site admin" in told or "copy" in told


@pytest.mark.django_db
def test_the_right_prefix_with_the_wrong_secret_is_refused() -> None:
    api_key, _key = ApiKey.objects.create_key(name="k", all_studies=True)

    assert client_with(f"{api_key.prefix}.guess").get("/api/v1/studies/").status_code == 401


@pytest.mark.django_db
def test_a_revoked_key_is_refused() -> None:
    api_key, key = ApiKey.objects.create_key(name="k", all_studies=True)
    api_key.revoked = True
    api_key.save()

    assert client_with(key).get("/api/v1/studies/").status_code == 401


@pytest.mark.django_db
def test_an_expired_key_is_refused() -> None:
    past = timezone.now() - timedelta(seconds=1)
    _api_key, key = ApiKey.objects.create_key(name="k", all_studies=True, expiry_date=past)

    answer = client_with(key).get("/api/v1/studies/")

    assert answer.status_code == 401
    assert key.partition(".")[2] not in answer.content.decode()


def test_another_studys_notice_is_not_there(frontend: APIClient, other_notice: Notice) -> None:
    address = f"/api/v1/notices/{other_notice.pk}/"
    answers = [
        frontend.get(address),
        frontend.patch(address, {"title": "taken over"}, format="json"),
        frontend.post(f"{address}withdraw/"),
        frontend.post(f"{address}send-again/"),
    ]
    absent = frontend.get("/api/v1/notices/999999/")

    other_notice.refresh_from_db()
    assert {answer.status_code for answer in answers} == {404}
    assert other_notice.title == "이달의 책"
    assert other_notice.withdrawn_at is None
    told = absent.json()["detail"].replace("999999", str(other_notice.pk))
    assert all(answer.json()["detail"] == told for answer in answers)


def test_another_studys_notices_are_not_listed(
    frontend: APIClient, notice: Notice, other_notice: Notice
) -> None:
    results = frontend.get("/api/v1/notices/").json()["results"]

    assert [result["id"] for result in results] == [notice.pk]


def test_a_key_for_every_study_lists_them_all(
    every_frontend: APIClient, notice: Notice, other_notice: Notice
) -> None:
    results = every_frontend.get("/api/v1/notices/").json()["results"]

    assert [result["id"] for result in results] == [other_notice.pk, notice.pk]


def test_posting_to_another_study_is_refused_as_to_an_unknown_one(
    frontend: APIClient, other_study: Study
) -> None:
    def answer(study_id: int) -> tuple[int, str]:
        post = {"study_id": study_id, "title": "t", "content": "c"}
        answer = frontend.post("/api/v1/notices/", post, format="json")
        return answer.status_code, answer.content.decode()

    status, told = answer(999999)
    assert status == 400
    assert answer(other_study.pk) == (400, told.replace("999999", str(other_study.pk)))
    assert not Notice.objects.exists()
