"""An archived notice can be read over the API, and each change of it is refused with the reason."""

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from notices.models import Notice


@pytest.fixture
def archived(notice: Notice) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(
        status=Notice.Status.SENT, archived_at=timezone.now(), fanned_out_revision=1
    )
    return notice


def test_an_archived_notice_is_read_as_it_was(frontend: APIClient, archived: Notice) -> None:
    shown = frontend.get(f"/api/v1/notices/{archived.pk}/").json()
    assert (shown["status"], shown["deliveries"]) == ("sent", [])


@pytest.mark.parametrize(
    ("method", "path"), [("patch", ""), ("post", "withdraw/"), ("post", "send-again/")]
)
def test_every_change_is_refused_with_the_reason(
    frontend: APIClient, archived: Notice, method: str, path: str
) -> None:
    change = {"title": "고친 제목"} if method == "patch" else {}
    address = f"/api/v1/notices/{archived.pk}/{path}"
    answer = getattr(frontend, method)(address, change, format="json")
    assert answer.status_code == 409
    assert f"Notice {archived.pk} is archived" in answer.json()["detail"]
    archived.refresh_from_db()
    assert (archived.revision, archived.withdrawn_at, archived.status) == (1, None, "sent")
