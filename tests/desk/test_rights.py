"""A leader reaches only her own studies, whatever she sends; a stranger reaches nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.models import Channel, Delivery, Notice, Study
from tests.desk.conftest import logged_in

NOTICES = "/admin/notices/notice/"


@pytest.fixture(autouse=True)
def _others(other_notice: Notice) -> None:
    """Another study has a notice that she could reach for."""


def contents(response: Any) -> str:
    return response.content.decode() if response.status_code == 200 else ""


def test_a_leader_enters_without_any_mark_on_her_account(client: Client, study: Study) -> None:
    answer = client.post(
        "/admin/login/?next=/admin/", {"username": "minji", "password": "a-leaders-password"}
    )
    assert answer.status_code == 302
    assert client.get("/admin/").status_code == 200


def test_a_stranger_is_told_that_she_leads_no_study(client: Client, stranger: User) -> None:
    answer = client.post(
        "/admin/login/?next=/admin/", {"username": "stranger", "password": "a-strangers-password"}
    )
    assert "stranger" in contents(answer)
    assert answer.context["user"].is_anonymous


@pytest.mark.parametrize("path", ["", "notices/notice/", "notices/study/", "notices/channel/"])
def test_a_stranger_is_turned_away_everywhere(stranger: User, path: str) -> None:
    assert logged_in(stranger).get(f"/admin/{path}").status_code == 302


def test_a_leader_who_stops_leading_is_locked_out_at_once(
    desk: Client, leader: User, study: Study, notice: Notice
) -> None:
    study.accounts.remove(leader)
    assert desk.get(f"{NOTICES}{notice.pk}/change/").status_code == 302


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?q=책",
        "?status=queued",
        "?study={study}",
        "?status=queued&study={study}",
        "?all=1",
        "?_popup=1",
        "?o=1.2.3",
    ],
)
def test_no_list_shows_another_studys_notice(
    desk: Client, notice: Notice, other_notice: Notice, query: str
) -> None:
    answer = desk.get(NOTICES + query.format(study=other_notice.study_id))
    assert answer.status_code == 200
    assert other_notice not in answer.context["cl"].result_list
    assert other_notice.study.name not in contents(answer)


@pytest.mark.parametrize(
    "query",
    [
        "study__id__exact=1",
        "study__leaders__password__startswith=a",
        "created_by__password__startswith=a",
        "channels__name__startswith=a",
        "id__exact=1",
        "_to_field=created_by",
    ],
)
def test_a_query_that_no_filter_offers_is_refused(desk: Client, query: str) -> None:
    assert desk.get(f"{NOTICES}?{query}").status_code == 400


@pytest.mark.parametrize(
    "view",
    ["change/", "delete/", "history/", "outcome/", "change/?_popup=1", "change/?_to_field=id"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_no_view_of_another_studys_notice_opens(
    desk: Client, other_notice: Notice, form: dict[str, Any], view: str, method: str
) -> None:
    before = Notice.objects.filter(pk=other_notice.pk).values().get()
    answer = getattr(desk, method)(f"{NOTICES}{other_notice.pk}/{view}", form | {"post": "yes"})
    assert answer.status_code in (302, 404)
    assert Notice.objects.filter(pk=other_notice.pk).values().get() == before


@pytest.mark.parametrize("action", ["send_again", "withdraw", "duplicate"])
def test_no_button_of_another_studys_notice_works(
    desk: Client, other_notice: Notice, action: str
) -> None:
    address = f"{NOTICES}{other_notice.pk}/do/{action}/"
    assert desk.post(address, {"confirmed": "yes"}).status_code == 404
    other_notice.refresh_from_db()
    assert other_notice.withdrawn_at is None
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("action", ["send_again", "withdraw", "duplicate", "delete_selected"])
@pytest.mark.parametrize("select_across", ["0", "1"])
def test_no_action_touches_ids_of_another_study(
    desk: Client, other_notice: Notice, action: str, select_across: str
) -> None:
    sent = {
        "action": action,
        "_selected_action": [other_notice.pk],
        "select_across": select_across,
        "post": "yes",
        "confirmed": "yes",
    }
    desk.post(NOTICES, sent)
    other_notice.refresh_from_db()
    assert other_notice.withdrawn_at is None
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("button", ["_publish", "_draft", "_schedule", "_save", "_saveasnew"])
@pytest.mark.parametrize("extra", [{}, {"_popup": "1"}, {"_to_field": "id"}])
def test_she_cannot_write_for_another_study(
    desk: Client,
    form: dict[str, Any],
    other_study: Study,
    other_channel: Channel,
    button: str,
    extra: dict[str, str],
) -> None:
    sent = form | extra | {"study": other_study.pk, "channels": [other_channel.pk], button: "1"}
    answer = desk.post(f"{NOTICES}add/", sent)
    assert answer.context["adminform"].form.errors.keys() >= {"study"}
    assert Notice.objects.count() == 1


def test_she_cannot_pick_another_studys_channel_for_her_own(
    desk: Client, form: dict[str, Any], other_channel: Channel
) -> None:
    answer = desk.post(f"{NOTICES}add/", form | {"channels": [other_channel.pk], "_publish": "1"})
    assert "channels" in answer.context["adminform"].form.errors
    assert Notice.objects.count() == 1


def test_a_leader_of_two_studies_cannot_mix_their_channels(
    desk: Client, leader: User, form: dict[str, Any], other_study: Study, other_channel: Channel
) -> None:
    other_study.accounts.add(leader)
    answer = desk.post(f"{NOTICES}add/", form | {"channels": [other_channel.pk], "_publish": "1"})
    [error] = answer.context["adminform"].form.errors["channels"]
    assert str(other_channel) in error
    assert "알고리즘 스터디" in error


def test_a_draft_of_hers_cannot_be_moved_to_another_study(
    desk: Client, form: dict[str, Any], study: Study, other_study: Study
) -> None:
    draft = Notice.objects.create(study=study, title="초안", content="초안")
    desk.post(f"{NOTICES}{draft.pk}/change/", form | {"study": other_study.pk, "_draft": "1"})
    draft.refresh_from_db()
    assert draft.study == study


def test_fields_that_are_not_on_the_form_are_not_taken(
    desk: Client, form: dict[str, Any], other_leader: User
) -> None:
    sent = form | {"created_by": other_leader.pk, "status": "sent", "revision": 9, "_draft": "1"}
    desk.post(f"{NOTICES}add/", sent)
    made = Notice.objects.latest("pk")
    assert (made.created_by.username, made.status, made.revision) == ("minji", "draft", 1)  # type: ignore[union-attr]


def test_deliveries_cannot_be_tampered_with_through_the_form(
    desk: Client, notice: Notice, channel: Channel, form: dict[str, Any]
) -> None:
    delivery = Delivery.objects.create(
        notice=notice, channel=channel, wanted=1, due_at=timezone.now()
    )
    tampered = {
        "deliveries-TOTAL_FORMS": 1,
        "deliveries-INITIAL_FORMS": 1,
        "deliveries-0-id": delivery.pk,
        "deliveries-0-message_id": 5,
        "deliveries-0-DELETE": "on",
    }
    desk.post(f"{NOTICES}{notice.pk}/change/", form | tampered | {"_save": "1"})
    delivery.refresh_from_db()
    assert delivery.message_id is None


def test_autocomplete_finds_only_her_channels_and_no_people(
    desk: Client, other_channel: Channel, channel: Channel
) -> None:
    asked = {"app_label": "notices", "model_name": "study", "term": ""}
    answer = desk.get("/admin/autocomplete/", asked | {"field_name": "channels"})
    assert str(other_channel.pk) not in contents(answer)
    assert str(channel.pk) in contents(answer)
    for model, field in (("studyrole", "user"), ("apikey", "studies")):
        asked |= {"model_name": model, "field_name": field}
        answer = desk.get("/admin/autocomplete/", asked)
        assert answer.status_code == 403 or "독서" not in contents(answer)
        assert "junho" not in contents(answer)


def test_she_looks_at_her_study_and_its_channels_but_changes_neither(
    desk: Client, study: Study, channel: Channel, other_leader: User
) -> None:
    for path in (f"study/{study.pk}", f"channel/{channel.pk}"):
        page = f"/admin/notices/{path}/change/"
        assert desk.get(page).status_code == 200
        assert desk.post(page, {"name": "x", "roles-0-user": other_leader.pk}).status_code == 403
        assert desk.post(f"/admin/notices/{path}/delete/", {"post": "yes"}).status_code == 403
    assert desk.post("/admin/notices/study/add/", {"name": "x"}).status_code == 403
    assert desk.post("/admin/notices/channel/add/", {"id": 5}).status_code == 403


def test_she_sees_neither_another_study_nor_its_channels(
    desk: Client, other_study: Study, other_channel: Channel
) -> None:
    for kind, row in (("study", other_study), ("channel", other_channel)):
        assert other_study.name not in contents(desk.get(f"/admin/notices/{kind}/"))
        assert str(other_channel) not in contents(desk.get(f"/admin/notices/{kind}/"))
        for view in ("change", "history", "delete"):
            page = f"/admin/notices/{kind}/{row.pk}/{view}/"
            assert desk.get(page).status_code in (302, 403)


@pytest.mark.parametrize(
    "path",
    [
        "auth/user/",
        "auth/user/1/password/",
        "notices/apikey/",
        "notices/delivery/",
        "notices/botinstance/",
        "admin/logentry/",
        "django_q/failure/",
        "django_q/success/",
        "django_q/schedule/",
    ],
)
def test_the_site_admins_pages_are_closed_to_a_leader(desk: Client, path: str) -> None:
    assert desk.get(f"/admin/{path}").status_code == 403
    assert f'"/admin/{path}"' not in contents(desk.get("/admin/"))


def test_a_site_admin_sees_every_page(admin_desk: Client, notice: Notice) -> None:
    for app in admin_desk.get("/admin/").context["available_apps"]:
        for model in app["models"]:
            assert admin_desk.get(model["admin_url"]).status_code == 200, model
            if model["add_url"]:
                assert admin_desk.get(model["add_url"]).status_code == 200, model


def test_a_site_admin_needs_no_staff_mark(stranger: User) -> None:
    stranger.is_superuser = True
    stranger.save()
    assert logged_in(stranger).get("/admin/notices/study/").status_code == 200


@pytest.mark.parametrize("path", ["rest_framework_api_key/apikey/", "auth/group/"])
def test_tables_of_libraries_that_nothing_uses_have_no_page(admin_desk: Client, path: str) -> None:
    assert admin_desk.get(f"/admin/{path}").status_code == 404
