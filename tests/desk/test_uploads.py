"""A leader attaches a picture and files: each is kept at once, and nobody else's can be taken."""

import io
from typing import Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from notices import actions
from notices.advice import permissions
from notices.files import uploads
from notices.files.attached import MOST_BYTES_IN_ALL
from notices.files.uploads import Sent, keep
from notices.models import Change, Channel, Notice, Study, Upload
from tests.desk.conftest import logged_in
from tests.pictures import picture
from tests.roles import EVERYTHING

pytestmark = pytest.mark.django_db

PICTURE = picture("PNG", (30, 20))
ADD = reverse("admin:notices_notice_add")
UPLOADS = reverse("admin:uploads")
Form = dict[str, Any]


def send(client: Client, name: str = "계획.pdf", data: bytes = b"plan", **headers: str) -> Any:
    return client.post(
        UPLOADS, data, content_type="application/octet-stream",
        headers={"X-File-Name": quote(name), "Accept-Language": "en", **headers},
    )  # fmt: skip


def sent(client: Client, *args: Any) -> int:
    answer = send(client, *args)
    assert answer.status_code == 201, answer.content
    pk: int = answer.json()["id"]
    return pk


def change_page(notice: Notice) -> str:
    return reverse("admin:notices_notice_change", args=[notice.pk])


def names(notice: Notice) -> list[str]:
    notice.refresh_from_db()
    return [one["name"] for one in notice.attachments]


def post(client: Client, address: str, form: Form, **more: Any) -> Any:
    return client.post(address, {**form, **more}, headers={"Accept-Language": "en"})


def errors_of(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


# --- one file by itself ----------------------------------------------------------------------


def test_a_file_is_kept_at_once_and_described(desk: Client, leader: User) -> None:
    told = send(desk, "계획 표.pdf", b"plan").json()
    upload = Upload.objects.get()
    assert told == {
        "id": upload.pk, "name": "계획_표.pdf", "size": 4, "sizeInWords": "4\xa0bytes",
        "type": "application/pdf", "url": reverse("admin:upload", args=[upload.pk]),
    }  # fmt: skip
    assert upload.created_by == leader


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_picture_is_known_by_its_content(desk: Client, kind: str) -> None:
    assert send(desk, "사진", picture(kind)).json()["type"] == f"image/{kind.lower()}"


@pytest.mark.parametrize(
    "data", [b"<svg onload=alert(1)>", b"GIF89a<script>", PICTURE[:20], b"%PDF-1.4"]
)
def test_a_file_that_is_only_named_like_a_picture_is_no_picture(desk: Client, data: bytes) -> None:
    assert send(desk, "a.png", data).json()["type"] == uploads.UNKNOWN_TYPE


def test_a_refusal_tells_the_files_name_its_size_and_a_remedy(desk: Client, settings: Any) -> None:
    settings.UPLOAD_LIMIT_MB = 1
    largest = b"x" * 1024 * 1024
    assert send(desk, "a.bin", largest).status_code == 201
    answer = send(desk, "큰 파일.zip", largest + b"x")
    assert answer.status_code == 400
    assert answer.json()["error"] == (
        "큰_파일.zip has 1.1 MB, and a file may have 1 MB at most: "
        "make it smaller, or share it by a link."
    )
    assert "empty" in send(desk, "a.txt", b"").json()["error"]
    assert Upload.objects.count() == 1


def test_a_file_that_breaks_off_is_not_kept(desk: Client) -> None:
    broken: Any = {"wsgi.input": io.BytesIO(b"half"), "CONTENT_LENGTH": "9"}
    answer = desk.generic("POST", UPLOADS, content_type="application/octet-stream", **broken)
    assert answer.status_code == 400
    assert not Upload.objects.exists()


def test_a_leader_who_uploads_in_a_loop_is_stopped(desk: Client, leader: User) -> None:
    for n in range(settings.UPLOADS_WAITING):
        keep(Sent(f"{n}.txt", b"x"), by=leader)
    answer = send(desk)
    assert answer.status_code == 400
    assert "50 files" in answer.json()["error"]


# --- whose it is -----------------------------------------------------------------------------


def test_a_forged_or_logged_out_post_keeps_nothing(leader: User, stranger: User) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(leader)
    Study.objects.create(name="s").accounts.add(leader)
    assert send(forged).status_code == 403
    for client in (Client(), logged_in(stranger)):
        answer = send(client)
        assert answer.status_code == 401
        assert "not logged in" in answer.json()["error"]
    assert not Upload.objects.exists()


def test_another_studys_leader_neither_reads_nor_uses_it(
    desk: Client, form: Form, other_leader: User, other_study: Study, other_channel: Channel,
    study: Study,
) -> None:  # fmt: skip
    mine = sent(desk)
    post(desk, ADD, form, attached=mine, _draft="1")
    held = Notice.objects.get()
    other = logged_in(other_leader)
    theirs = {**form, "study": other_study.pk, "channels": [other_channel.pk]}

    for pk in (mine, sent(desk, "b.txt")):
        assert other.get(reverse("admin:upload", args=[pk])).status_code == 404
        assert other.get(UPLOADS, {"id": pk}).json() == {"uploads": []}
        for field in ("attached", "picture"):
            answer = post(other, ADD, theirs, **{field: pk}, _draft="1")
            assert "not kept any more" in str(errors_of(answer)[field])
    assert list(Notice.objects.all()) == [held]


def test_a_leader_of_the_same_study_reads_and_keeps_it(
    desk: Client, form: Form, study: Study, other_leader: User
) -> None:
    pk = sent(desk)
    post(desk, ADD, form, attached=pk, _draft="1")
    notice = Notice.objects.get()
    study.accounts.add(other_leader)
    other = logged_in(other_leader)

    assert b"".join(other.get(reverse("admin:upload", args=[pk]))) == b"plan"
    seen = {**form, "seen_revision": notice.revision, "title": "고침"}
    assert post(other, change_page(notice), seen, attached=pk, _draft="1").status_code == 302
    assert names(notice) == ["계획.pdf"]


def test_a_logged_out_browser_is_sent_to_log_in_before_it_sees_a_file(desk: Client) -> None:
    pk = sent(desk)
    assert Client().get(reverse("admin:upload", args=[pk])).status_code == 302


# --- how a browser gets it -------------------------------------------------------------------


def test_only_a_picture_is_shown_and_nothing_is_run(desk: Client) -> None:
    page = sent(desk, "page.html", b"<script>alert(1)</script>")
    fake = sent(desk, "a.png", b"<script>alert(1)</script>")
    real = sent(desk, '지도".png', PICTURE)
    for pk, kind, disposition in (
        (page, "application/octet-stream", "attachment"),
        (fake, "application/octet-stream", "attachment"),
        (real, "image/png", "inline"),
    ):
        answer = desk.get(reverse("admin:upload", args=[pk]))
        assert answer["Content-Type"] == kind
        assert answer["Content-Disposition"].startswith(disposition)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"


# --- with its notice -------------------------------------------------------------------------


def test_a_notice_is_saved_with_its_picture_and_its_files_in_their_order(
    desk: Client, form: Form
) -> None:
    first, second = sent(desk, "b.txt", b"b"), sent(desk, "a.txt", b"a")
    map_ = sent(desk, "지도.png", PICTURE)
    post(desk, ADD, form, picture=map_, attached=f"{first},{second}", _publish="1")

    notice = Notice.objects.get()
    assert names(notice) == ["지도.png", "b.txt", "a.txt"]
    assert notice.attachments[0] == {
        "id": map_, "name": "지도.png", "type": "image/png", "size": len(PICTURE), "picture": True,
    }  # fmt: skip
    assert set(notice.uploads.values_list("pk", flat=True)) == {first, second, map_}
    page = desk.get(change_page(notice)).content.decode()
    for name in ("지도.png", "b.txt", "a.txt"):
        assert f'data-name="{name}"' in page


def test_a_leader_changes_the_attachments_and_the_history_tells_which(
    desk: Client, form: Form, leader: User
) -> None:
    old, stays = sent(desk, "old.txt"), sent(desk, "stays.txt")
    post(desk, ADD, form, attached=f"{old},{stays}", _publish="1")
    notice = Notice.objects.get()
    map_ = sent(desk, "지도.png", PICTURE)

    post(
        desk, change_page(notice), {**form, "seen_revision": 1}, picture=map_, attached=stays,
        _save="1",
    )  # fmt: skip

    assert names(notice) == ["지도.png", "stays.txt"]
    assert (notice.revision, notice.attached_revision) == (2, 2)
    assert set(notice.uploads.values_list("pk", flat=True)) == {stays, map_}
    change = Change.objects.get()
    assert (change.user, change.revision) == (leader, 2)
    address = reverse("admin:notices_notice_history", args=[notice.pk])
    page = desk.get(address, headers={"Accept-Language": "en"}).content.decode()
    assert "<del>old.txt</del> → <ins>지도.png (picture)</ins>" in page


def test_a_save_that_leaves_the_files_alone_counts_nothing_up(desk: Client, form: Form) -> None:
    pk = sent(desk)
    post(desk, ADD, form, attached=pk, _publish="1")
    notice = Notice.objects.get()
    post(desk, change_page(notice), {**form, "seen_revision": 1}, attached=pk, _save="1")
    notice.refresh_from_db()
    assert (notice.revision, notice.attached_revision) == (1, 1)
    assert not Change.objects.exists()


def test_a_refused_save_still_shows_the_added_files(desk: Client, form: Form) -> None:
    pk = sent(desk, "지도.png", PICTURE)
    answer = post(desk, ADD, {**form, "title": ""}, picture=pk, _draft="1")
    page = answer.content.decode()
    assert f'<input type="hidden" name="picture" value="{pk}">' in page
    assert 'data-name="지도.png"' in page


def test_a_picture_comes_by_an_address_or_as_a_file_not_both(desk: Client, form: Form) -> None:
    pk = sent(desk, "지도.png", PICTURE)
    both = {**form, "image": "https://example.org/a.png"}
    answer = post(desk, ADD, both, picture=pk, _draft="1")
    assert errors_of(answer) == {
        "image": [
            "The notice has a picture already: remove 지도.png above, or leave this address out."
        ]
    }


def test_a_picture_must_be_a_single_one_that_discord_shows(desk: Client, form: Form) -> None:
    answer = post(desk, ADD, form, picture=sent(desk, "a.pdf"), _draft="1")
    assert "PNG, JPEG, GIF or WebP" in str(errors_of(answer)["picture"])
    two = f"{sent(desk, 'a.png', PICTURE)},{sent(desk, 'b.png', PICTURE)}"
    answer = post(desk, ADD, form, picture=two, _draft="1")
    assert "one picture" in str(errors_of(answer)["picture"])


def test_discords_limits_hold_for_all_files_together(
    desk: Client, form: Form, leader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_ = sent(desk, "지도.png", PICTURE)
    ten = ",".join(str(keep(Sent(f"{n}", b"x"), by=leader).pk) for n in range(10))
    answer = post(desk, ADD, form, attached=ten, picture=map_, _draft="1")
    assert "11 files" in str(errors_of(answer)["attached"])
    Upload.objects.filter(name__in=["0", "1"]).update(size=MOST_BYTES_IN_ALL // 2)
    answer = post(desk, ADD, form, attached=ten, _draft="1")
    assert "24.1 MB together" in str(errors_of(answer)["attached"])
    assert not Notice.objects.exists()


@pytest.mark.parametrize("value", ["x", "-1", "1,,", "99999999999999999999", "7;9", "[7]"])
def test_a_forged_list_of_attachments_is_answered(desk: Client, form: Form, value: str) -> None:
    assert post(desk, ADD, form, attached=value, _draft="1").status_code in (200, 302)


def test_a_withdrawn_or_archived_notice_still_tells_what_was_attached(
    desk: Client, form: Form, leader: User
) -> None:
    pk = sent(desk)
    post(desk, ADD, form, attached=pk, _publish="1")
    notice = Notice.objects.get()
    actions.withdraw(notice)
    page = desk.get(change_page(notice)).content.decode()
    assert reverse("admin:upload", args=[pk]) in page
    Notice.objects.update(archived_at=timezone.now())
    notice.uploads.clear()
    Upload.objects.all().delete()
    page = desk.get(change_page(notice)).content.decode()
    assert "계획.pdf" in page
    assert reverse("admin:upload", args=[pk]) not in page


def test_a_missing_permission_is_told_where_files_need_it(
    desk: Client, form: Form, channel: Channel
) -> None:
    held = EVERYTHING & ~permissions.ATTACH_FILES
    Channel.objects.update(permissions=held, seen_at=timezone.now())
    page = desk.get(ADD, headers={"Accept-Language": "en"}).content.decode()
    assert (
        page.count('<span class="trouble for-files">⚠ The bot may not attach files in #공지') == 1
    )
    told = "The bot may not attach files in #공지: Channel settings → Permissions → Attach Files"
    for attached, is_told in ((sent(desk), True), ("", False)):
        form["publish_at"] = ""
        address = desk.post(
            ADD, {**form, "attached": attached, "_publish": "1"}, follow=True,
            headers={"Accept-Language": "en"},
        )  # fmt: skip
        assert (told in [str(message) for message in address.context["messages"]]) is is_told


def test_lists_and_pages_read_no_bytes(desk: Client, form: Form) -> None:
    pk, map_ = sent(desk), sent(desk, "지도.png", PICTURE)
    post(desk, ADD, form, attached=pk, picture=map_, _publish="1")
    notice = Notice.objects.get()
    with CaptureQueriesContext(connection) as queries:
        desk.get(reverse("admin:notices_notice_changelist"))
        desk.get(change_page(notice))
        desk.get(reverse("admin:notices_notice_history", args=[notice.pk]))
        desk.get(UPLOADS, {"id": [pk, map_]})
    assert not [query["sql"] for query in queries if '"data"' in query["sql"]]
