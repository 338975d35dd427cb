"""What each role in a study may do on the desk: every deed, in her own study and in another."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.models import Channel, Delivery, Notice, Right, Study, Upload
from notices.people import rights
from tests.desk.conftest import logged_in

ADD = "/admin/notices/notice/add/"
NOTICES = "/admin/notices/notice/"
LATER = "2099-01-01 20:00"
ROLES = ("leader", "writer", "drafter", "viewer")
# Each deed, and for whom of ROLES it is done.
TABLE = """
sees a notice              yes yes yes yes
opens the empty form       yes yes yes no
writes a draft             yes yes yes no
writes a draft that pings  yes yes yes no
changes a draft            yes yes yes no
deletes a draft            yes yes yes no
duplicates                 yes yes yes no
uploads a file             yes yes yes no
publishes a draft          yes yes no  no
publishes a new one        yes yes no  no
schedules a new one        yes yes no  no
cancels a schedule         yes yes no  no
corrects what is shown     yes yes no  no
withdraws                  yes yes no  no
sends again                yes yes no  no
sends again in a channel   yes yes no  no
publishes one that pings   yes no  no  no
sends a ping again         yes no  no  no
"""
ROWS = [(line[:27].strip(), line[27:].split()) for line in TABLE.strip().splitlines()]
CELLS = [
    (role, deed, answer == "yes")
    for deed, answers in ROWS
    for role, answer in zip(ROLES, answers, strict=True)
]


class Scene(NamedTuple):
    client: Client
    form: dict[str, Any]
    draft: Notice
    shown: Notice
    failed: Delivery

    def post(self, address: str, **sent: object) -> None:
        self.client.post(address, self.form | sent)

    def save(self, notice: Notice, **sent: object) -> Notice:
        self.post(f"{NOTICES}{notice.pk}/change/", **sent)
        notice.refresh_from_db()
        return notice

    def do(self, notice: Notice, deed: str, **sent: object) -> None:
        self.client.post(f"{NOTICES}{notice.pk}/do/{deed}/", sent)


def _sees(scene: Scene) -> bool:
    page = scene.client.get(f"{NOTICES}{scene.shown.pk}/change/")
    return page.status_code == 200 and scene.shown.title in page.content.decode()


def _writes(scene: Scene, **sent: object) -> bool:
    scene.post(ADD, title="새 글", **sent)
    return Notice.objects.filter(title="새 글").exists()


def _publishes(scene: Scene, **sent: object) -> bool:
    return scene.save(scene.draft, **{"_publish": "1", **sent}).publish_at is not None


def _cancels(scene: Scene) -> bool:
    hour = timezone.now() + timedelta(hours=1)
    Notice.objects.filter(pk=scene.draft.pk).update(publish_at=hour, status="scheduled")
    return scene.save(scene.draft, _draft="1").publish_at is None


def _deletes(scene: Scene) -> bool:
    scene.client.post(f"{NOTICES}{scene.draft.pk}/delete/", {"post": "yes"})
    return not Notice.objects.filter(pk=scene.draft.pk).exists()


def _duplicates(scene: Scene) -> bool:
    scene.do(scene.shown, "duplicate")
    return Notice.objects.filter(title=scene.shown.title, status="draft").exists()


def _withdraws(scene: Scene) -> bool:
    scene.do(scene.shown, "withdraw", confirmed="1")
    scene.shown.refresh_from_db()
    return scene.shown.withdrawn_at is not None


def _sends_again(scene: Scene) -> bool:
    scene.do(scene.shown, "send_again")
    scene.failed.refresh_from_db()
    return scene.failed.state != "failed"


def _sends_again_there(scene: Scene) -> bool:
    there = f"channel/{scene.failed.channel_id}/send_again/"
    scene.client.post(f"{NOTICES}{scene.shown.pk}/{there}")
    scene.failed.refresh_from_db()
    return scene.failed.state != "failed"


def _sends_a_ping_again(scene: Scene) -> bool:
    Notice.objects.update(ping="everyone")
    return _sends_again(scene) or _sends_again_there(scene)


def _uploads(scene: Scene) -> bool:
    scene.client.generic(
        "POST", "/admin/uploads/", b"a", "application/octet-stream", headers={"X-File-Name": "a"}
    )
    return Upload.objects.exists()


DEEDS: dict[str, Callable[[Scene], bool]] = {
    "sees a notice": _sees,
    "opens the empty form": lambda scene: scene.client.get(ADD).status_code == 200,
    "writes a draft": lambda scene: _writes(scene, _draft="1"),
    "writes a draft that pings": lambda scene: _writes(scene, _draft="1", ping="everyone"),
    "changes a draft": lambda scene: scene.save(scene.draft, _draft="1", title="나").title == "나",
    "deletes a draft": _deletes,
    "duplicates": _duplicates,
    "uploads a file": _uploads,
    "publishes a draft": _publishes,
    "publishes a new one": lambda scene: _writes(scene, _publish="1"),
    "schedules a new one": lambda scene: _writes(scene, _schedule="1", publish_at=LATER),
    "cancels a schedule": _cancels,
    "corrects what is shown": lambda scene: scene.save(scene.shown, title="나").title == "나",
    "withdraws": _withdraws,
    "sends again": _sends_again,
    "sends again in a channel": _sends_again_there,
    "publishes one that pings": lambda scene: _publishes(scene, ping="here", **sure(scene)),
    "sends a ping again": _sends_a_ping_again,
}


def sure(scene: Scene) -> dict[str, object]:
    """Return her answer to the question about a ping, if she is asked."""
    sent = scene.form | {"_publish": "1", "ping": "here"}
    answer = scene.client.post(f"{NOTICES}{scene.draft.pk}/change/", sent)
    if answer.status_code != 200 or not answer.context["adminform"].form.question:
        return {}
    return {"_publish": answer.context["adminform"].form.question.answer}


def with_role(study: Study, role: str) -> User:
    user = User.objects.create_user(role)
    study.roles.create(user=user, role=role)
    return user


@pytest.fixture
def scene(study: Study, channel: Channel, form: dict[str, Any]) -> Callable[[User], Scene]:
    def laid_out(user: User) -> Scene:
        draft = Notice.objects.create(study=study, title="초안", content="…")
        shown = Notice.objects.create(
            study=study, title="보이는 글", content="…", publish_at=timezone.now()
        )
        for notice in (draft, shown):
            notice.channels.add(channel)
        Notice.objects.update(fanned_out_revision=1)
        failed = Delivery.objects.create(
            notice=shown, channel=channel, wanted=1, state="failed", error_code=50013
        )
        Notice.objects.filter(pk=shown.pk).update(status="failed")
        return Scene(logged_in(user), form, draft, shown, failed)

    return laid_out


@pytest.mark.parametrize(("role", "deed", "is_done"), CELLS)
def test_each_role_does_what_the_table_says(
    scene: Callable[[User], Scene], study: Study, role: str, deed: str, is_done: bool
) -> None:
    assert DEEDS[deed](scene(with_role(study, role))) is is_done


# An upload and an empty form belong to no study yet.
OF_A_STUDY = [deed for deed in DEEDS if deed not in ("uploads a file", "opens the empty form")]


@pytest.mark.parametrize("deed", OF_A_STUDY)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_into_another_study(
    scene: Callable[[User], Scene], other_study: Study, role: str, deed: str
) -> None:
    assert DEEDS[deed](scene(with_role(other_study, role))) is False


def test_the_names_of_readers_are_a_right_of_its_own(study: Study) -> None:
    for role in ROLES:
        user = with_role(study, role)
        assert rights.may(user, Right.SEE_NAMES, study.pk) is (role == "leader")
    study.roles.filter(role="viewer").update(sees_names=True)
    viewer = User.objects.get(username="viewer")
    assert rights.may(viewer, Right.SEE_NAMES, study.pk)
    assert not rights.may(viewer, Right.LEAD, study.pk)
    assert study in Study.objects.allowing(Right.SEE_NAMES, viewer)


def test_a_drafter_is_offered_no_button_that_publishes(
    scene: Callable[[User], Scene], study: Study
) -> None:
    drafters = scene(with_role(study, "drafter"))
    page = drafters.client.get(f"{NOTICES}{drafters.draft.pk}/change/").content.decode()
    assert 'name="_draft"' in page
    assert 'name="_publish"' not in page
    assert 'name="_schedule"' not in page


def test_a_viewer_reads_a_draft_and_is_offered_no_deed(
    scene: Callable[[User], Scene], study: Study
) -> None:
    viewers = scene(with_role(study, "viewer"))
    for notice in (viewers.draft, viewers.shown):
        page = viewers.client.get(f"{NOTICES}{notice.pk}/change/")
        assert page.status_code == 200
        text = page.content.decode()
        assert notice.title in text
        for deed in ("withdraw", "send_again", "duplicate"):
            assert f"/do/{deed}/" not in text
    assert ADD not in viewers.client.get("/admin/").content.decode()


def test_a_refusal_names_her_role_and_whom_to_ask(
    scene: Callable[[User], Scene], study: Study
) -> None:
    drafters = scene(with_role(study, "drafter"))
    sent = drafters.form | {"_publish": "1"}
    answer = drafters.client.post(ADD, sent, headers={"Accept-Language": "en"})
    told = str(answer.context["adminform"].form.errors)
    assert "알고리즘 스터디" in told
    assert "drafter" in told
    assert "ask one of its leaders" in told
