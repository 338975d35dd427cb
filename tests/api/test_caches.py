"""No cache keeps an answer or gives it to another caller, and no answer leaves a secret behind."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from rest_framework.test import APIClient

from notices.models import ApiKey, CallbackEndpoint, KeptAnswer, Notice, Study
from tests.api.conftest import key_for

NOTICES = "/api/v1/notices/"


def check(answer: Any, status: int) -> None:
    assert answer.status_code == status
    assert answer["Cache-Control"] == "no-store"
    varies = {name.strip().lower() for name in answer["Vary"].split(",")}
    assert varies >= {"x-api-key", "cookie", "accept", "accept-language"}


def test_no_answer_is_kept_by_a_cache(
    frontend: APIClient, notice: Notice, first_post: dict[str, Any]
) -> None:
    address = f"{NOTICES}{notice.pk}/"
    etag = frontend.get(address)["ETag"]

    check(frontend.get(address), 200)
    check(frontend.get(address, headers={"If-None-Match": etag}), 304)
    check(frontend.post("/notice/", first_post, format="json"), 202)
    check(frontend.post("/notice/", {}, format="json"), 400)
    check(APIClient().get(NOTICES), 401)
    check(frontend.get("/api/nothing/"), 404)
    check(frontend.get(NOTICES, headers={"Host": "nobody's host"}), 400)
    check(frontend.post("/notice/", headers={"Transfer-Encoding": "chunked"}), 411)
    check(frontend.delete(NOTICES), 405)
    check(frontend.options(NOTICES), 204)


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_TLS", "https"))
def test_a_key_over_plain_http_is_refused_in_words_and_not_redirected(
    frontend: APIClient, first_post: dict[str, Any]
) -> None:
    answer = frontend.post("/notice/", first_post, format="json")

    check(answer, 403)
    assert answer.json()["type"] == "urn:studybot:plain-http"
    assert "https://" in answer.json()["detail"]
    assert not Notice.objects.exists()
    assert Client().get("/admin/").status_code == 301
    answer = frontend.post("/notice/", first_post, format="json", headers={"X-TLS": "https"})
    assert answer.status_code == 202


def test_a_secret_is_not_kept_with_an_answer(frontend: APIClient) -> None:
    asked = {"url": "https://example.com/told"}
    headers = {"Idempotency-Key": "once"}
    first = frontend.post("/api/v1/callbacks/", asked, format="json", headers=headers)
    again = frontend.post("/api/v1/callbacks/", asked, format="json", headers=headers)

    secret = CallbackEndpoint.objects.get().secret
    assert again["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert first.json()["secret"] == secret
    assert secret not in KeptAnswer.objects.get().body


@pytest.mark.parametrize("action", ["make", "rotate"])
def test_a_new_key_is_in_no_cookie(site_admin: User, study: Study, action: str) -> None:
    client = Client()
    client.force_login(site_admin)
    key_for(study)
    form = {"name": "portal", "all_studies": "on"}
    rotate = {"action": "rotate", "_selected_action": [ApiKey.objects.get().pk]}
    if action == "make":
        answer = client.post("/admin/notices/apikey/add/", form)
    else:
        answer = client.post("/admin/notices/apikey/", rotate)

    new = ApiKey.objects.exclude(pk=rotate["_selected_action"][0]).get()
    assert answer.status_code == 302
    assert all(new.prefix not in cookie.value for cookie in answer.cookies.values())
    pages = [client.get("/admin/notices/apikey/").content.decode() for _time in range(2)]
    whole = re.compile(rf"{new.prefix}\.[A-Za-z0-9]{{32}} ")
    assert [len(whole.findall(page)) for page in pages] == [1, 0]
