"""ETags: a change of an unseen version is refused, and an unchanged notice is not sent again."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from notices import actions
from notices.models import Delivery, Notice, Study
from tests.api.conftest import client_with, key_for


def address(notice: Notice, action: str = "") -> str:
    return f"/api/v1/notices/{notice.pk}/{action}"


def test_an_unchanged_notice_is_answered_with_304(frontend: APIClient, notice: Notice) -> None:
    etag = frontend.get(address(notice))["ETag"]

    same = frontend.get(address(notice), headers={"If-None-Match": etag})
    weak = frontend.get(address(notice), headers={"If-None-Match": f"W/{etag}"})

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", etag)
    assert weak.status_code == 304


@pytest.mark.parametrize(
    "change",
    [
        lambda notice: Notice.objects.filter(pk=notice.pk).update(status="sending"),
        lambda notice: Notice.objects.filter(pk=notice.pk).update(title="고친 제목"),
        lambda notice: notice.channels.clear(),
        lambda notice: actions.withdraw(notice),
        lambda notice: Delivery.objects.create(
            notice=notice, channel=notice.channels.get(), wanted=1, due_at=notice.created_at
        ),
    ],
    ids=["status", "words", "channels", "withdrawal", "delivery"],
)
def test_each_change_of_the_answer_changes_the_etag(
    frontend: APIClient, notice: Notice, change: Any
) -> None:
    etag = frontend.get(address(notice))["ETag"]

    change(notice)

    answer = frontend.get(address(notice), headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert answer["ETag"] != etag


@pytest.mark.parametrize("path", ["notices/", "studies/", "channels/"])
def test_a_list_has_an_etag_too(frontend: APIClient, notice: Notice, path: str) -> None:
    etag = frontend.get(f"/api/v1/{path}")["ETag"]

    same = frontend.get(f"/api/v1/{path}", headers={"If-None-Match": etag})
    Notice.objects.update(title="고친 제목")
    Study.objects.update(colour=1)

    assert same.status_code == 304
    if path != "channels/":
        assert frontend.get(f"/api/v1/{path}", headers={"If-None-Match": etag}).status_code == 200


def test_a_change_with_the_current_etag_is_made(frontend: APIClient, notice: Notice) -> None:
    etag = frontend.get(address(notice))["ETag"]

    changed = frontend.patch(
        address(notice), {"title": "새 제목"}, format="json", headers={"If-Match": etag}
    )
    again = frontend.patch(
        address(notice),
        {"title": "또 새 제목"},
        format="json",
        headers={"If-Match": changed["ETag"]},
    )

    assert (changed.status_code, again.status_code) == (200, 200)
    assert again.json()["revision"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda notice: Notice.objects.filter(pk=notice.pk).update(title="ahead of her"),
        lambda notice: notice.channels.clear(),
        lambda notice: actions.send_again(notice) or notice.save(),
    ],
    ids=["words", "channels", "saved"],
)
@pytest.mark.parametrize(("method", "path"), [("patch", ""), ("post", "withdraw/")])
def test_a_change_with_an_outdated_etag_is_refused(
    frontend: APIClient, notice: Notice, change: Any, method: str, path: str
) -> None:
    etag = frontend.get(address(notice))["ETag"]
    change(notice)
    body = {"title": "mine"} if method == "patch" else {}

    answer = getattr(frontend, method)(
        address(notice, path), body, format="json", headers={"If-Match": etag}
    )

    notice.refresh_from_db()
    assert answer.status_code == 412
    assert answer.json()["type"] == "urn:studybot:stale"
    assert "read it again" in answer.json()["detail"]
    assert notice.title != "mine"
    assert notice.withdrawn_at is None


def test_a_message_that_went_out_meanwhile_refuses_nobody(
    frontend: APIClient, notice: Notice
) -> None:
    etag = frontend.get(address(notice))["ETag"]
    Notice.objects.filter(pk=notice.pk).update(status="sending")

    answer = frontend.patch(
        address(notice), {"title": "새 제목"}, format="json", headers={"If-Match": etag}
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("tags", "expected"),
    [("*", 200), ('"nonsense"', 412), ("nonsense", 412), ('"-"', 412), ('"x", {etag}', 200)],
)
def test_if_match_is_read_as_the_standard_says(
    frontend: APIClient, notice: Notice, tags: str, expected: int
) -> None:
    tags = tags.replace("{etag}", frontend.get(address(notice))["ETag"])

    answer = frontend.patch(
        address(notice), {"title": "새 제목"}, format="json", headers={"If-Match": tags}
    )

    assert answer.status_code == expected


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_simultaneous_changes_is_made(study: Study, notice: Notice) -> None:
    key, codes, start = key_for(study), [], Barrier(6)
    etag = client_with(key).get(address(notice))["ETag"]

    def change(number: int) -> None:
        start.wait()
        answer = client_with(key).patch(
            address(notice),
            {"title": f"{number}"},
            format="json",
            headers={"If-Match": etag},
        )
        codes.append(answer.status_code)
        connection.close()

    threads = [Thread(target=change, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(codes) == [200] + [412] * 5
    assert Notice.objects.get().revision == 2
