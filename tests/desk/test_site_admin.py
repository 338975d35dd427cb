"""A site admin sets up studies, channels, people and keys, and cannot change the history."""

import base64
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core import signing
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Schedule, Success
from django_q.signing import SignedPackage

from notices.models import ApiKey, Attempt, BotInstance, Channel, Delivery, Notice, Study


def messages_of(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_a_study_is_set_up_with_leaders_and_channels(
    admin_desk: Client, stranger: User, channel: Channel
) -> None:
    sent = {
        "name": "러스트 스터디",
        "roles-TOTAL_FORMS": 1,
        "roles-INITIAL_FORMS": 0,
        "roles-0-user": "stranger",
        "roles-0-role": "leader",
        "channels": [channel.pk],
        "colour": "#00ff80",
        "language": "ko",
        "time_zone": "Asia/Seoul",
        "ping_role_id": "",
    }
    assert admin_desk.post("/admin/notices/study/add/", sent).status_code == 302
    study = Study.objects.get()
    assert study.colour == 0x00FF80
    assert study.roles.get().user == stranger
    assert study.roles.get().role == "leader"
    page = admin_desk.get(f"/admin/notices/study/{study.pk}/change/").content.decode()
    assert 'value="#00ff80"' in page


@pytest.mark.parametrize("bad", [{"colour": "red"}, {"time_zone": "Seoul"}, {"name": " "}])
def test_a_study_that_cannot_be_is_refused_at_its_field(
    admin_desk: Client, bad: dict[str, str]
) -> None:
    sent = {"name": "x", "colour": "#000000", "language": "ko", "time_zone": "Asia/Seoul"} | bad
    answer = admin_desk.post("/admin/notices/study/add/", sent)
    assert answer.context["adminform"].form.errors.keys() == bad.keys()


def test_a_channel_is_added_by_id_and_says_that_it_was_never_seen(admin_desk: Client) -> None:
    admin_desk.post("/admin/notices/channel/add/", {"id": "1100000000000000099", "name": "꾸밈"})
    channel = Channel.objects.get()
    assert (channel.pk, channel.name) == (1100000000000000099, "")
    page = admin_desk.get("/admin/notices/channel/", headers={"Accept-Language": "en"})
    assert "The bot has not seen 1100000000000000099 yet" in page.content.decode()


@pytest.mark.parametrize("bad", ["", "0", "-3", "abc", "9" * 30])
def test_a_malformed_channel_id_is_refused(admin_desk: Client, bad: str) -> None:
    answer = admin_desk.post("/admin/notices/channel/add/", {"id": bad})
    assert "id" in answer.context["adminform"].form.errors


def test_a_channel_that_is_known_already_is_not_written_over(
    admin_desk: Client, channel: Channel
) -> None:
    answer = admin_desk.post("/admin/notices/channel/add/", {"id": channel.pk})
    assert answer.status_code == 200
    channel.refresh_from_db()
    assert channel.name == "공지"


def test_a_site_admin_cannot_edit_the_bots_facts_about_a_channel(
    admin_desk: Client, channel: Channel
) -> None:
    page = f"/admin/notices/channel/{channel.pk}/change/"
    assert admin_desk.get(page).status_code == 200
    assert admin_desk.post(page, {"name": "x"}).status_code == 403


def make_key(client: Client, **changes: Any) -> Any:
    return client.post("/admin/notices/apikey/add/", {"name": "frontend"} | changes, follow=True)


def test_a_key_is_shown_exactly_once_and_works(admin_desk: Client, study: Study) -> None:
    answer = make_key(admin_desk, studies=[study.pk])
    made = ApiKey.objects.get()
    [message] = [text for text in messages_of(answer) if "<a" not in text]
    key = next(word for word in message.split() if word.startswith(made.prefix))
    assert ApiKey.objects.is_valid(key)
    assert list(Study.objects.open_to(made)) == [study]
    for page in ("", f"{made.pk}/change/", f"{made.pk}/history/"):
        assert key not in admin_desk.get(f"/admin/notices/apikey/{page}").content.decode()


def test_a_key_good_for_nothing_is_refused(admin_desk: Client) -> None:
    assert "studies" in make_key(admin_desk).context["adminform"].form.errors


def test_a_rotated_key_shows_its_successor_once_and_ends_in_a_day(admin_desk: Client) -> None:
    old, old_key = ApiKey.objects.create_key(name="frontend", all_studies=True, read_only=True)
    revoked, _key = ApiKey.objects.create_key(name="lost", all_studies=True, revoked=True)
    chosen = {"action": "rotate", "_selected_action": [old.pk, revoked.pk]}

    answer = admin_desk.post("/admin/notices/apikey/", chosen, follow=True)

    told = " ".join(messages_of(answer))
    successor = ApiKey.objects.exclude(pk__in=[old.pk, revoked.pk]).get()
    key = next(word for word in told.split() if word.startswith(successor.prefix))
    old.refresh_from_db()
    assert (successor.name, successor.read_only) == ("frontend", True)
    assert ApiKey.objects.is_valid(key)
    assert ApiKey.objects.is_valid(old_key)
    assert old.expiry_date is not None
    assert timedelta(hours=23) < old.expiry_date - timezone.now() <= timedelta(hours=24)
    assert "lost" in told


def test_changing_a_key_keeps_it_and_revoking_ends_it_for_good(admin_desk: Client) -> None:
    made, key = ApiKey.objects.create_key(name="frontend", all_studies=True)
    page = f"/admin/notices/apikey/{made.pk}/change/"
    admin_desk.post(page, {"name": "renamed", "all_studies": "on"})
    assert ApiKey.objects.is_valid(key)
    admin_desk.post(page, {"name": "renamed", "all_studies": "on", "revoked": "on"})
    assert not ApiKey.objects.is_valid(key)
    assert admin_desk.post(page, {"name": "renamed", "all_studies": "on"}).status_code == 403
    delete = f"/admin/notices/apikey/{made.pk}/delete/"
    assert admin_desk.post(delete, {"post": "yes"}).status_code == 403


def test_an_account_is_switched_off_not_deleted(admin_desk: Client, stranger: User) -> None:
    page = f"/admin/auth/user/{stranger.pk}/"
    assert admin_desk.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    admin_desk.post(f"{page}change/", {"username": "stranger"})
    stranger.refresh_from_db()
    assert not stranger.is_active


@pytest.fixture
def history(notice: Notice, channel: Channel, admin_desk: Client) -> dict[str, Any]:
    delivery = Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, due_at=timezone.now()
    )
    Attempt.objects.create(
        delivery=delivery, action="create", nonce="N", claim=1, begun_at=timezone.now()
    )
    bot = BotInstance.objects.create(
        name="bot", started_at=timezone.now(), heartbeat_at=timezone.now()
    )
    admin_desk.post("/admin/notices/channel/add/", {"id": "5"})
    return {"notices/delivery": delivery.pk, "notices/botinstance": bot.pk, "admin/logentry": 1}


@pytest.mark.parametrize("kind", ["notices/delivery", "notices/botinstance", "admin/logentry"])
def test_history_is_read_by_site_admins_and_edited_by_nobody(
    admin_desk: Client, history: dict[str, Any], kind: str
) -> None:
    [pk] = [pk for name, pk in history.items() if name == kind]
    if kind == "admin/logentry":
        pk = admin_desk.get("/admin/admin/logentry/").context["cl"].result_list[0].pk
    page = f"/admin/{kind}/{pk}/"
    assert admin_desk.get(f"{page}change/").status_code == 200
    assert admin_desk.post(f"{page}change/", {"state": "sent"}).status_code == 403
    assert admin_desk.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert admin_desk.post(f"/admin/{kind}/add/", {}).status_code == 403


def test_an_attempt_is_not_edited_through_its_delivery(
    admin_desk: Client, history: dict[str, Any]
) -> None:
    attempt = Attempt.objects.get()
    tampered = {
        "attempts-TOTAL_FORMS": 1,
        "attempts-INITIAL_FORMS": 1,
        "attempts-0-id": attempt.pk,
        "attempts-0-detail": "forged",
        "attempts-0-DELETE": "on",
    }
    page = f"/admin/notices/delivery/{attempt.delivery_id}/change/"
    assert admin_desk.post(page, tampered).status_code == 403
    attempt.refresh_from_db()
    assert attempt.detail == ""


@pytest.fixture
def queue_rows(db: None) -> dict[str, str]:
    """A row of each of django-q2's tables, by its page."""
    now = timezone.now()
    kept = {"func": "f", "args": (), "kwargs": {}, "started": now, "stopped": now, "result": "why"}
    Success.objects.create(id="1" * 32, name="done", **kept)
    Failure.objects.create(id="2" * 32, name="failed", success=False, **kept)
    schedule = Schedule.objects.get(name="prune")
    queued = OrmQ.objects.create(key="test", payload=SignedPackage.dumps({"func": "f"}), lock=now)
    rows = {"success": "1" * 32, "failure": "2" * 32, "schedule": str(schedule.pk)}
    return rows | ({"ormq": str(queued.pk)} if admin.site.is_registered(OrmQ) else {})


def test_the_queues_pages_are_read_and_nothing_is_written_there(
    admin_desk: Client, queue_rows: dict[str, str]
) -> None:
    tables: tuple[Any, ...] = (Schedule, Success, Failure, OrmQ)
    before = [list(table.objects.order_by("pk").values()) for table in tables]
    shell = {"func": "os.system", "args": "'true'", "schedule_type": "O", "repeats": "-1"}
    moment = {"next_run_0": "2026-01-01", "next_run_1": "00:00", "key": "x", "_save": "1"}
    for page, pk in queue_rows.items():
        address = f"/admin/django_q/{page}/"
        shown = admin_desk.get(address)
        assert shown.status_code == 200
        assert shown.context["cl"].model_admin.get_actions(shown.wsgi_request) == {}
        assert admin_desk.get(f"{address}{pk}/change/").status_code == 200
        assert admin_desk.get(f"{address}add/").status_code == 403
        assert admin_desk.post(f"{address}add/", shell | moment).status_code == 403
        assert admin_desk.post(f"{address}{pk}/change/", shell | moment).status_code == 403
        assert admin_desk.post(f"{address}{pk}/delete/", {"post": "yes"}).status_code == 403
        for action in ("resubmit_task", "delete_selected"):
            chosen = {"action": action, "_selected_action": [pk], "post": "yes", "index": "0"}
            admin_desk.post(address, chosen)
        admin_desk.post(address, {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "1"})
    assert [list(table.objects.order_by("pk").values()) for table in tables] == before


def test_a_result_that_holds_more_than_plain_values_breaks_no_page(
    admin_desk: Client, queue_rows: dict[str, str], tmp_path: Path
) -> None:
    mark = tmp_path / "was run"
    command = b"cposix\nsystem\n(S'touch %b'\ntR." % str(mark).encode()
    stored = base64.b64encode(command).decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_q_task SET result = %s, args = %s", [stored, stored])
    OrmQ.objects.update(
        payload=signing.dumps(command, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=AsItIs)
    )
    for page, pk in queue_rows.items():
        assert admin_desk.get(f"/admin/django_q/{page}/").status_code == 200
        assert admin_desk.get(f"/admin/django_q/{page}/{pk}/change/").status_code == 200
    assert not mark.exists()


class AsItIs:
    """A serializer for content that is pickled already."""

    def dumps(self, content: Any) -> bytes:
        return bytes(content)

    def loads(self, data: bytes) -> Any:
        return data


def test_a_new_study_begins_with_a_colour_that_is_seen(admin_desk: Client) -> None:
    page = admin_desk.get("/admin/notices/study/add/").content.decode()
    assert re.search(r'name="colour"[^>]*value="#5865f2"|value="#5865f2"[^>]*name="colour"', page)


def test_a_study_that_has_notices_offers_no_deletion(
    admin_desk: Client, notice: Notice, other_study: Study
) -> None:
    for study, is_offered in ((notice.study, False), (other_study, True)):
        there = f"/admin/notices/study/{study.pk}/"
        page = admin_desk.get(f"{there}change/").content.decode()
        assert (f'href="{there}delete/"' in page) == is_offered


def test_a_study_that_nobody_leads_is_shown(
    admin_desk: Client, study: Study, other_study: Study
) -> None:
    other_study.roles.update(role="writer")
    listed = admin_desk.get("/admin/notices/study/", headers={"Accept-Language": "en"})
    assert "nobody leads it" in listed.content.decode()
    assert "minji" in listed.content.decode()
    found = admin_desk.get("/admin/notices/study/?leaders=none")
    assert list(found.context["cl"].queryset) == [other_study]
