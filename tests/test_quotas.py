"""One key, one account and one study keep a bounded amount, however many ask at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from notices import quotas
from notices.files.uploads import Sent, keep
from notices.models import CallbackEndpoint, Channel, KeptAnswer, Notice, Study, Upload
from tests.api.conftest import client_with, key_for
from tests.api.test_safe_to_retry import at_once
from tests.desk.conftest import logged_in

NOTICES, UPLOADS = "/api/v1/notices/", "/api/v1/uploads/"
CALLBACKS = "/api/v1/callbacks/"
DRAFT = {"publish_at": None}
MANY = 12
RACE = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(study: Study) -> str:
    return key_for(study)


@pytest.fixture
def frontend(key: str) -> APIClient:
    return client_with(key)


@pytest.fixture
def post(study: Study) -> dict[str, Any]:
    return {"study_id": study.pk, "title": "8주차 모임", "content": "화요일 20시"}


def upload(client: APIClient, size: int = 1) -> Any:
    return client.post(
        f"{UPLOADS}?name=a.bin", b"x" * size, content_type="application/octet-stream"
    )


def refused(answer: Any, *words: str) -> None:
    assert answer.status_code == 409, answer.content
    problem = answer.json()
    assert problem["type"] == "urn:studybot:quota"
    for word in words:
        assert word in problem["detail"]


def count(answers: list[Any], code: int) -> int:
    return [answer.status_code for answer in answers].count(code)


# --- files -----------------------------------------------------------------------------------


def test_a_key_uploads_only_so_many_megabytes_a_day(frontend: APIClient, settings: Any) -> None:
    settings.UPLOADS_MB_PER_DAY = 1
    assert upload(frontend, quotas.MEGABYTE - 10).status_code == 201
    refused(upload(frontend, 11), "1 MB", "tomorrow")
    assert upload(frontend, 10).status_code == 201

    Upload.objects.update(uploaded_at=timezone.now() - timedelta(hours=25))
    assert upload(frontend, 11).status_code == 201


def test_files_count_though_they_are_attached(
    frontend: APIClient, post: dict[str, Any], settings: Any
) -> None:
    settings.UPLOADS_MB_PER_DAY = 1
    kept = upload(frontend, quotas.MEGABYTE).json()["id"]
    answer = frontend.post(NOTICES, post | DRAFT | {"attachments": [kept]}, format="json")
    assert answer.status_code == 201
    refused(upload(frontend), "1 MB")


def test_one_callers_files_are_its_own(
    frontend: APIClient, study: Study, leader: User, settings: Any
) -> None:
    settings.UPLOADS_WAITING = 1
    assert upload(frontend).status_code == 201
    refused(upload(frontend), "1 files are waiting")
    assert upload(client_with(key_for(study))).status_code == 201
    assert keep(Sent("a.txt", b"x"), by=leader)


@RACE
@pytest.mark.parametrize("limit", ["UPLOADS_WAITING", "UPLOADS_MB_PER_DAY"])
def test_of_many_uploads_at_once_none_is_one_too_many(key: str, settings: Any, limit: str) -> None:
    setattr(settings, limit, 3)
    size = quotas.MEGABYTE if limit == "UPLOADS_MB_PER_DAY" else 1
    answers = at_once(MANY, lambda: upload(client_with(key), size))

    assert (count(answers, 201), count(answers, 409)) == (3, MANY - 3)
    assert Upload.objects.count() == 3


def test_a_studys_notices_hold_only_so_many_megabytes(
    frontend: APIClient, post: dict[str, Any], study: Study, settings: Any
) -> None:
    settings.UPLOADS_MB_PER_STUDY = 1
    first, second = (upload(frontend, quotas.MEGABYTE // 2).json()["id"] for _n in "ab")
    other = client_with(key_for(study))
    small = upload(other).json()["id"]
    made = frontend.post(NOTICES, post | DRAFT | {"attachments": [first]}, format="json").json()
    address = f"{NOTICES}{made['id']}/"
    both = {"attachments": [first, second]}
    assert frontend.patch(address, both, format="json").status_code == 200

    refused(other.post(NOTICES, post | {"attachments": [small]}, format="json"), "1 MB", str(study))
    assert Notice.objects.count() == 1
    assert frontend.patch(address, {"attachments": [second]}, format="json").status_code == 200
    assert other.post(NOTICES, post | {"attachments": [small]}, format="json").status_code == 201


# --- notices that wait -----------------------------------------------------------------------


@pytest.mark.parametrize("moment", [None, "2035-01-01T00:00:00Z"])
def test_only_so_many_notices_wait_in_a_study(
    frontend: APIClient, post: dict[str, Any], study: Study, settings: Any, moment: str | None
) -> None:
    settings.NOTICES_WAITING = 2
    body = post | {"publish_at": moment}
    for _n in range(2):
        assert frontend.post(NOTICES, body, format="json").status_code == 201
    refused(frontend.post(NOTICES, body, format="json"), str(study), "2 drafts")
    refused(client_with(key_for(study)).post(NOTICES, body, format="json"), str(study))
    assert frontend.post(NOTICES, post, format="json").status_code == 201

    Notice.objects.filter(status__in=["draft", "scheduled"]).first().delete()  # type: ignore[union-attr]
    assert frontend.post(NOTICES, body, format="json").status_code == 201


def test_only_so_many_notices_of_a_key_wait(
    post: dict[str, Any], study: Study, other_study: Study, settings: Any
) -> None:
    settings.NOTICES_WAITING = 1
    every = client_with(key_for(all_studies=True))
    assert every.post(NOTICES, post | DRAFT, format="json").status_code == 201
    elsewhere = post | DRAFT | {"study_id": other_study.pk}
    refused(every.post(NOTICES, elsewhere, format="json"), "This key", "1 drafts")
    assert client_with(key_for(other_study)).post(
        NOTICES, elsewhere, format="json"
    ).status_code == 201  # fmt: skip


@RACE
def test_of_many_drafts_at_once_none_is_one_too_many(
    study: Study, post: dict[str, Any], settings: Any
) -> None:
    settings.NOTICES_WAITING = 3
    keys = iter([key_for(study) for _n in range(MANY)])
    answers = at_once(
        MANY, lambda: client_with(next(keys)).post(NOTICES, post | DRAFT, format="json")
    )

    assert (count(answers, 201), count(answers, 409)) == (3, MANY - 3)
    assert Notice.objects.count() == 3


# --- notices on their way --------------------------------------------------------------------


def first_post(post: dict[str, Any], channel: Channel) -> tuple[str, dict[str, Any]]:
    return "/notice/", post | {"channel_id": str(channel.pk)}


@pytest.mark.parametrize("is_first", [True, False])
def test_only_so_many_notices_of_a_study_are_on_their_way(
    frontend: APIClient, post: dict[str, Any], study: Study, other_study: Study, channel: Channel,
    other_channel: Channel, settings: Any, is_first: bool,
) -> None:  # fmt: skip
    settings.NOTICES_QUEUED = 2
    address, body = first_post(post, channel) if is_first else (NOTICES, post)
    for _n in range(2):
        assert frontend.post(address, body, format="json").status_code in (201, 202)
    refused(frontend.post(address, body, format="json"), "2 notices", str(study))
    refused(client_with(key_for(study)).post(address, body, format="json"), str(study))
    elsewhere = {"study_id": other_study.pk, "channel_id": str(other_channel.pk)}
    other = client_with(key_for(other_study))
    assert other.post("/notice/", post | elsewhere, format="json").status_code == 202

    under_way = Notice.objects.filter(study=study).values("pk")[:1].get()["pk"]
    Notice.objects.filter(pk=under_way).update(status="sending")
    refused(frontend.post(address, body, format="json"))
    Notice.objects.filter(pk=under_way).update(status="sent")
    assert frontend.post(address, body, format="json").status_code in (201, 202)


@pytest.mark.parametrize("moment", ["2035-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
def test_a_draft_is_no_way_around_the_queue(
    frontend: APIClient, post: dict[str, Any], settings: Any, moment: str
) -> None:
    settings.NOTICES_QUEUED = 1
    draft = frontend.post(NOTICES, post | DRAFT, format="json").json()["id"]
    assert frontend.post(NOTICES, post, format="json").status_code == 201
    address = f"{NOTICES}{draft}/"
    refused(frontend.patch(address, {"publish_at": moment}, format="json"), "1 notices")
    refused(frontend.post(NOTICES, post | {"publish_at": moment}, format="json"), "1 notices")
    assert frontend.patch(address, {"title": "다른 제목"}, format="json").status_code == 200


@pytest.fixture
def nothing_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of other tests had the same ids."""
    monkeypatch.setattr(quotas, "_LEFT", {})


@pytest.mark.usefixtures("nothing_counted")
def test_a_notice_that_is_posted_at_once_meets_the_queues_bound(
    frontend: APIClient, post: dict[str, Any], study: Study, channel: Channel, settings: Any
) -> None:
    settings.NOTICES_QUEUED = quotas.MOST_AT_ONCE + 1
    Notice.objects.bulk_create(
        Notice(study=study, title="t", content="c", status="queued", publish_at=timezone.now())
        for _n in range(settings.NOTICES_QUEUED - 1)
    )
    address, body = first_post(post, channel)
    assert frontend.post(address, body, format="json").status_code == 202
    refused(frontend.post(address, body, format="json"), str(study))


@pytest.mark.usefixtures("nothing_counted")
def test_a_queue_is_counted_once_in_a_tenth_of_what_is_left(
    study: Study, settings: Any, django_assert_num_queries: Any
) -> None:
    settings.NOTICES_QUEUED = quotas.MOST_AT_ONCE + 50
    with django_assert_num_queries(1):
        assert [quotas.is_queue_short(study.pk) for _n in range(6)] == [True] * 6
    with django_assert_num_queries(1):
        quotas.is_queue_short(study.pk)


@RACE
@pytest.mark.parametrize("is_first", [True, False])
def test_of_many_notices_at_once_none_is_one_too_many(
    study: Study, channel: Channel, post: dict[str, Any], settings: Any, is_first: bool
) -> None:
    settings.NOTICES_QUEUED = 3
    address, body = first_post(post, channel) if is_first else (NOTICES, post)
    keys = iter([key_for(study) for _n in range(MANY)])
    answers = at_once(MANY, lambda: client_with(next(keys)).post(address, body, format="json"))

    assert (count(answers, 409), Notice.objects.count()) == (MANY - 3, 3)


@pytest.fixture
def form(study: Study, channel: Channel) -> dict[str, Any]:
    return {
        "study": study.pk, "channels": [channel.pk], "title": "t", "content": "c", "author": "",
        "ping": "none", "url": "", "image": "", "publish_at": "2035-01-01T09:00", "expires_at": "",
    }  # fmt: skip


@pytest.mark.parametrize("button", ["_draft", "_schedule"])
def test_the_desk_refuses_a_draft_too_many_in_words_and_publishes_still(
    leader: User, study: Study, form: dict[str, Any], settings: Any, button: str
) -> None:
    settings.NOTICES_WAITING = 1
    desk: Client = logged_in(leader)
    desk.cookies["django_language"] = "en"
    add = "/admin/notices/notice/add/"
    assert desk.post(add, form | {button: "1"}).status_code == 302
    page = desk.post(add, form | {button: "1"})
    assert page.status_code == 200
    assert "1 drafts and scheduled notices already" in page.content.decode()
    assert desk.post(add, form | {"_publish": "1", "publish_at": ""}).status_code == 302
    made = Notice.objects.get(status__in=["draft", "scheduled"])
    assert desk.post(f"/admin/notices/notice/{made.pk}/change/", form | {button: "1"}).url  # type: ignore[attr-defined]

    told = desk.post(f"/admin/notices/notice/{made.pk}/do/duplicate/", follow=True)
    assert "1 drafts and scheduled notices already" in told.content.decode()
    assert Notice.objects.count() == 2


def test_the_desk_refuses_files_too_many_in_words(
    leader: User, study: Study, form: dict[str, Any], settings: Any
) -> None:
    settings.UPLOADS_MB_PER_STUDY = 1
    desk: Client = logged_in(leader)
    desk.cookies["django_language"] = "en"
    large = keep(Sent("a.bin", b"x" * (quotas.MEGABYTE + 1)), by=leader)
    sent = form | {"attached": str(large.pk), "_draft": "1"}
    page = desk.post("/admin/notices/notice/add/", sent)

    assert page.status_code == 200
    assert "more than 1 MB of files together" in page.content.decode()


# --- kept answers and callbacks --------------------------------------------------------------


def test_only_so_many_answers_are_kept_for_a_caller(
    frontend: APIClient, post: dict[str, Any], study: Study, settings: Any
) -> None:
    settings.KEPT_ANSWERS = 2
    for n in "ab":
        headers = {"Idempotency-Key": n}
        assert frontend.post(NOTICES, post, format="json", headers=headers).status_code == 201
    third = {"Idempotency-Key": "c"}
    refused(frontend.post(NOTICES, post, format="json", headers=third), "2 answers", "tomorrow")
    assert (Notice.objects.count(), KeptAnswer.objects.count()) == (2, 2)

    again = frontend.post(NOTICES, post, format="json", headers={"Idempotency-Key": "a"})
    assert again["Idempotent-Replayed"] == "true"
    assert frontend.post(NOTICES, post, format="json").status_code == 201
    other = client_with(key_for(study))
    assert other.post(NOTICES, post, format="json", headers=third).status_code == 201


def test_kept_answers_have_only_so_many_megabytes(
    frontend: APIClient, post: dict[str, Any], settings: Any
) -> None:
    frontend.post(NOTICES, post, format="json", headers={"Idempotency-Key": "a"})
    kept = KeptAnswer.objects.get()
    assert kept.size == len(kept.body.encode())
    KeptAnswer.objects.update(size=settings.KEPT_ANSWERS_MB * quotas.MEGABYTE + 1)

    answer = frontend.post(NOTICES, post, format="json", headers={"Idempotency-Key": "b"})
    refused(answer, f"{settings.KEPT_ANSWERS_MB} MB")


@RACE
def test_of_many_kept_answers_at_once_none_is_one_too_many(
    key: str, post: dict[str, Any], settings: Any
) -> None:
    settings.KEPT_ANSWERS = 3
    names = iter(range(MANY))
    answers = at_once(
        MANY,
        lambda: client_with(key).post(
            NOTICES, post, format="json", headers={"Idempotency-Key": f"k{next(names)}"}
        ),
    )

    assert count(answers, 201) == KeptAnswer.objects.count() == Notice.objects.count()
    assert 1 <= count(answers, 201) <= 3


@RACE
def test_of_many_callbacks_at_once_none_is_one_too_many(key: str, settings: Any) -> None:
    settings.CALLBACKS_PER_KEY = 3
    body = {"url": "https://frontend.example.org/hook"}
    answers = at_once(MANY, lambda: client_with(key).post(CALLBACKS, body, format="json"))

    assert (count(answers, 201), count(answers, 409)) == (3, MANY - 3)
    assert CallbackEndpoint.objects.count() == 3


def test_callbacks_that_are_switched_off_do_not_pile_up(frontend: APIClient, settings: Any) -> None:
    settings.CALLBACKS_PER_KEY = 1
    body = {"url": "https://frontend.example.org/hook"}
    for _n in range(quotas.ENDPOINTS_FOR_EACH_ACTIVE):
        made = frontend.post(CALLBACKS, body, format="json").json()
        off = frontend.patch(f"{CALLBACKS}{made['id']}/", {"active": False}, format="json")
        assert off.status_code == 200
    refused(frontend.post(CALLBACKS, body, format="json"), "change one of them")
    on = frontend.patch(f"{CALLBACKS}{made['id']}/", {"active": True}, format="json")
    assert on.status_code == 200


def test_a_command_keeps_what_it_likes(db: None, settings: Any) -> None:
    settings.UPLOADS_WAITING = 1
    assert [keep(Sent("a.txt", b"x"), by=None).size for _n in "ab"] == [1, 1]
