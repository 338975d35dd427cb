"""Over the API a file is sent by itself, attached by its id, and read by those who may."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from notices.api.uploads import FILE_TYPE
from notices.models import Change, Notice, Study, Upload
from tests.api.conftest import client_with, fields_refused, key_for
from tests.pictures import picture

pytestmark = pytest.mark.django_db

PICTURE = picture()
UPLOADS, NOTICES = "/api/v1/uploads/", "/api/v1/notices/"


def send(client: APIClient, name: str = "a.txt", data: bytes = b"data") -> Any:
    return client.post(f"{UPLOADS}?name={name}", data, content_type=FILE_TYPE)


def sent(client: APIClient, *args: Any) -> int:
    answer = send(client, *args)
    assert answer.status_code == 201, answer.content
    pk: int = answer.json()["id"]
    return pk


def test_a_file_is_uploaded_attached_and_read(frontend: APIClient, post: dict[str, Any]) -> None:
    map_, plan = sent(frontend, "지도.png", PICTURE), sent(frontend, "계획.pdf", b"plan")
    post |= {"picture": map_, "attachments": [plan], "publish_at": None}

    made = frontend.post(NOTICES, post, format="json").json()

    assert made["attachments"] == [
        {
            "id": map_, "name": "지도.png", "content_type": "image/png", "size": len(PICTURE),
            "is_picture": True, "url": f"{UPLOADS}{map_}/",
        },
        {
            "id": plan, "name": "계획.pdf", "content_type": "application/pdf", "size": 4,
            "is_picture": False, "url": f"{UPLOADS}{plan}/",
        },
    ]  # fmt: skip
    answer = frontend.get(made["attachments"][0]["url"])
    assert answer.content == PICTURE
    assert answer["Content-Type"] == FILE_TYPE
    assert answer["Content-Disposition"].startswith("attachment")
    assert set(Notice.objects.get().uploads.values_list("pk", flat=True)) == {map_, plan}


def test_a_change_leaves_the_files_that_it_does_not_name(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    map_, plan = sent(frontend, "a.png", PICTURE), sent(frontend)
    post |= {"picture": map_, "attachments": [plan]}
    made = frontend.post(NOTICES, post, format="json").json()
    address = f"{NOTICES}{made['id']}/"

    def attached(**change: Any) -> list[int]:
        answer = frontend.patch(address, change, format="json")
        assert answer.status_code == 200, answer.content
        return [one["id"] for one in answer.json()["attachments"]]

    assert attached(title="새 제목") == [map_, plan]
    assert attached(picture=None) == [plan]
    other = sent(frontend, "b.txt")
    assert attached(attachments=[other, plan]) == [other, plan]
    assert attached(attachments=[]) == []
    notice = Notice.objects.get()
    assert (notice.revision, notice.attached_revision) == (5, 5)
    assert not notice.uploads.exists()
    assert [list(change.differences) for change in Change.objects.all()] == [
        ["title"], ["attachments"], ["attachments"], ["attachments"],
    ]  # fmt: skip


def test_an_upload_of_another_caller_is_not_found(
    frontend: APIClient, post: dict[str, Any], other_study: Study
) -> None:
    other = client_with(key_for(other_study))
    theirs = sent(other, "a.png", PICTURE)
    assert frontend.get(f"{UPLOADS}{theirs}/").status_code == 404
    for field, value in (("picture", theirs), ("attachments", [theirs]), ("attachments", [10**9])):
        answer = frontend.post(NOTICES, {**post, field: value}, format="json")
        assert (answer.status_code, fields_refused(answer)) == (400, [field])
    assert not Notice.objects.exists()


@pytest.mark.parametrize("is_new", [True, False])
def test_an_upload_that_is_pruned_between_check_and_save_is_refused(
    frontend: APIClient, post: dict[str, Any], monkeypatch: pytest.MonkeyPatch, is_new: bool
) -> None:
    plan = sent(frontend)
    address = frontend.post(NOTICES, post, format="json")["Location"]

    def checked_then_pruned(_uploads: Any) -> None:
        Upload.objects.filter(pk=plan).delete()

    monkeypatch.setattr("notices.api.attaching.check_together", checked_then_pruned)
    if is_new:
        answer = frontend.post(NOTICES, {**post, "attachments": [plan]}, format="json")
    else:
        answer = frontend.patch(address, {"attachments": [plan]}, format="json")

    assert (answer.status_code, fields_refused(answer)) == (400, ["attachments"])
    assert f"Upload {plan} is not known" in answer.content.decode()
    assert Notice.objects.get().attachments == []


def test_it_refuses_uploads_that_discord_would_refuse(
    frontend: APIClient, post: dict[str, Any], settings: Any
) -> None:
    text, map_ = sent(frontend), sent(frontend, "a.png", PICTURE)
    many = [sent(frontend, f"{n}.txt") for n in range(11)]
    for change, field in (
        ({"picture": text}, "picture"),
        ({"picture": map_, "image": "https://example.org/a.png"}, "picture"),
        ({"attachments": many}, "attachments"),
    ):
        answer = frontend.post(NOTICES, post | change, format="json")
        assert (answer.status_code, fields_refused(answer)) == (400, [field])
    settings.UPLOAD_LIMIT_MB = 1
    answer = send(frontend, "큰.zip", b"x" * (1024 * 1024 + 1))
    assert answer.status_code == 413
    assert "큰.zip has 1.1 MB" in answer.json()["detail"]
    assert fields_refused(send(frontend, "a.txt", b"")) == ["file"]
    assert fields_refused(send(frontend, "")) == ["name"]


def test_an_image_address_is_refused_beside_the_picture_that_is_there(
    frontend: APIClient, post: dict[str, Any]
) -> None:
    post["picture"] = sent(frontend, "a.png", PICTURE)
    made = frontend.post(NOTICES, post, format="json").json()
    address, image = f"{NOTICES}{made['id']}/", "https://example.org/a.png"
    assert frontend.patch(address, {"image": image}, format="json").status_code == 400
    both = {"image": image, "picture": None}
    assert frontend.patch(address, both, format="json").status_code == 200


def test_the_refusal_of_another_content_type_names_the_right_one(frontend: APIClient) -> None:
    answer = frontend.post(UPLOADS, {"name": "a"}, format="json")
    assert answer.status_code == 415
    assert FILE_TYPE in answer.json()["detail"]


def test_a_login_uploads_nothing_without_its_csrf_token(study: Study) -> None:
    client = APIClient(enforce_csrf_checks=True, headers={"Accept-Language": "en"})
    client.force_login(study.accounts.get())
    assert send(client).status_code == 403
    assert not Upload.objects.exists()


def test_lists_read_no_bytes(frontend: APIClient, post: dict[str, Any]) -> None:
    post["attachments"] = [sent(frontend)]
    frontend.post(NOTICES, post, format="json")
    with CaptureQueriesContext(connection) as queries:
        [listed] = frontend.get(NOTICES).json()["results"]
    assert listed["attachments"][0]["name"] == "a.txt"
    assert not [query["sql"] for query in queries if "notices_upload" in query["sql"]]
