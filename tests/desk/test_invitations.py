"""A leader makes invitations to her studies, sees each link once, and revokes them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notices.models import Invitation, Study, StudyRole
from notices.people import invitations
from tests.desk.conftest import logged_in
from tests.desk.test_once import press_at_once, writing_of

LIST = "/admin/notices/invitation/"
ADD = f"{LIST}add/"
LINK = re.compile(r"http://testserver/invitation/([\w-]{32})/")


def sent(to: Study, **changes: str) -> dict[str, Any]:
    return {"study": to.pk, "role": "writer", "is_single_use": "on", "until": ""} | changes


def day(off: int) -> str:
    return (timezone.localdate() + timedelta(days=off)).isoformat()


def errors(answer: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = answer.context["adminform"].form.errors
    return found


def page_of(invitation: Invitation) -> str:
    return f"{LIST}{invitation.pk}/change/"


def shown_link(page: Any) -> str:
    found = LINK.search(page.content.decode())
    return found[1] if found else ""


# --- making ------------------------------------------------------------------------------------


def test_the_link_is_shown_once_and_lets_in(
    desk: Client, leader: User, study: Study, stranger: User
) -> None:
    answer = desk.post(ADD, sent(study), follow=True)
    made = Invitation.objects.get()
    secret = shown_link(answer)
    assert invitations.find(secret) == made
    assert (made.role, made.created_by, made.is_single_use) == ("writer", leader, True)
    for page in (page_of(made), LIST, f"{LIST}{made.pk}/history/"):
        assert secret not in desk.get(page).content.decode()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_says_that_the_link_cannot_be_shown_again(
    desk: Client, study: Study, language: str
) -> None:
    headers = {"Accept-Language": language}
    page = desk.post(ADD, sent(study), follow=True, headers=headers).content.decode()
    words = {"ko": "다시 볼 수 없어요", "en": "cannot be shown again"}
    assert words[language] in page
    # Without scripts there is no button that does nothing.
    assert re.search(r'<button type="button"[^>]* hidden', page)


def test_one_for_many_ends_with_its_day_where_the_study_is(desk: Client, study: Study) -> None:
    Study.objects.update(time_zone="America/New_York")
    study.refresh_from_db()
    last = invitations.may_last_until(study)
    form = sent(study, until=last.isoformat())
    del form["is_single_use"]
    assert desk.post(ADD, form).status_code == 302
    made = Invitation.objects.get()
    assert not made.is_single_use
    assert made.expires_at == invitations.last_moment(last, study)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"until": day(33)}, "until"),
        ({"until": day(-3)}, "until"),
        ({"until": "someday"}, "until"),
        ({"until": "9999-12-31"}, "until"),
        ({"until": "0001-01-01"}, "until"),
        ({"is_single_use": ""}, "until"),
        ({"role": "admin"}, "role"),
        ({"study": ""}, "study"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_at_its_field(
    desk: Client, study: Study, changes: dict[str, str], field: str
) -> None:
    form = {name: value for name, value in sent(study, **changes).items() if value}
    assert field in errors(desk.post(ADD, form))
    assert not Invitation.objects.exists()


def test_a_double_press_makes_one_and_the_link_is_not_lost(desk: Client, study: Study) -> None:
    form = sent(study) | {"writing": writing_of(desk.get(ADD))}
    answers = [desk.post(ADD, form) for _press in range(2)]
    made = Invitation.objects.get()
    assert {answer["Location"] for answer in answers} == {page_of(made)}
    assert invitations.find(shown_link(desk.get(page_of(made)))) == made


@pytest.mark.django_db(transaction=True)
def test_of_presses_at_once_whichever_answers_first_leads_to_the_link(
    leader: User, study: Study
) -> None:
    browser = logged_in(leader)
    form = sent(study) | {"writing": writing_of(browser.get(ADD))}
    same = [Client() for _press in range(3)]
    for one in same:
        one.cookies = browser.cookies
    pages = press_at_once(same, lambda one: one.post(ADD, form, follow=True))
    assert Invitation.objects.count() == 1
    assert any(map(shown_link, pages))


# --- whose -------------------------------------------------------------------------------------


def test_a_leader_invites_to_no_study_that_she_does_not_lead(
    desk: Client, leader: User, study: Study, other_study: Study
) -> None:
    assert "study" in errors(desk.post(ADD, sent(other_study)))
    StudyRole.objects.create(study=other_study, user=leader, role="writer")
    assert "study" in errors(desk.post(ADD, sent(other_study)))
    assert other_study.name not in desk.get(ADD).content.decode()
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("role", ["writer", "drafter", "viewer"])
def test_who_leads_nothing_sees_no_invitations(
    stranger: User, study: Study, leader: User, role: str
) -> None:
    StudyRole.objects.create(study=study, user=stranger, role=role)
    made, _secret = invitations.make(study, "viewer", leader)
    browser = logged_in(stranger)
    for page in (LIST, ADD, page_of(made), f"{LIST}{made.pk}/revoke/"):
        assert browser.post(page, sent(study)).status_code in (302, 403, 404)
        assert browser.get(page).status_code in (302, 403, 404)
    assert LIST not in browser.get("/admin/").content.decode()
    made.refresh_from_db()
    assert (made.revoked_at, Invitation.objects.count()) == (None, 1)


def test_a_leader_neither_sees_nor_revokes_what_another_study_has(
    desk: Client, other_study: Study, other_leader: User
) -> None:
    theirs, _secret = invitations.make(other_study, "viewer", other_leader)
    assert other_study.name not in desk.get(LIST).content.decode()
    assert desk.get(page_of(theirs)).status_code in (302, 403, 404)
    assert desk.post(f"{LIST}{theirs.pk}/revoke/").status_code == 404
    desk.post(LIST, {"action": "revoke", "_selected_action": [theirs.pk], "select_across": "1"})
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_a_site_admin_invites_to_every_study(
    admin_desk: Client, study: Study, other_study: Study
) -> None:
    for one in (study, other_study):
        assert shown_link(admin_desk.post(ADD, sent(one), follow=True))
    assert len(admin_desk.get(LIST).context["cl"].result_list) == 2


# --- the list, and revoking ----------------------------------------------------------------------


def test_the_list_tells_what_became_of_each(desk: Client, study: Study, leader: User) -> None:
    made = {state: invitations.make(study, "viewer", leader)[0] for state in Invitation.State}
    Invitation.objects.filter(pk=made[Invitation.State.USED].pk).update(uses=1)
    invitations.revoke(made[Invitation.State.REVOKED])
    now = timezone.now()
    Invitation.objects.filter(pk=made[Invitation.State.OVER].pk).update(
        created_at=now - timedelta(days=3), expires_at=now - timedelta(days=1)
    )
    for state, one in made.items():
        [listed] = desk.get(LIST, {"state": state}).context["cl"].result_list
        assert listed == one
    page = desk.get(LIST, headers={"Accept-Language": "en"}).content.decode()
    for words in ("open", "used up", "over", "revoked", "viewer", "minji"):
        assert words in page
    assert page.count("formaction=") == 1


@pytest.mark.parametrize("way", ["button", "action"])
def test_a_revoked_one_lets_nobody_in(desk: Client, study: Study, leader: User, way: str) -> None:
    made, secret = invitations.make(study, "viewer", leader)
    if way == "button":
        assert f'formaction="{LIST}{made.pk}/revoke/"' in desk.get(LIST).content.decode()
        assert f'action="{LIST}{made.pk}/revoke/"' in desk.get(page_of(made)).content.decode()
        desk.post(f"{LIST}{made.pk}/revoke/")
    else:
        desk.post(LIST, {"action": "revoke", "_selected_action": [made.pk]})
    assert invitations.find(secret) is None
    assert LogEntry.objects.get().object_id == str(made.pk)
    assert "formaction" not in desk.get(LIST).content.decode()


def test_opening_the_address_of_the_button_revokes_nothing(
    desk: Client, study: Study, leader: User
) -> None:
    made, secret = invitations.make(study, "viewer", leader)
    assert desk.get(f"{LIST}{made.pk}/revoke/").status_code == 302
    assert invitations.find(secret) == made


def test_nobody_changes_or_deletes_one(admin_desk: Client, study: Study) -> None:
    made, _secret = invitations.make(study, "viewer", None)
    assert admin_desk.post(page_of(made), sent(study, role="leader")).status_code == 403
    assert admin_desk.post(f"{LIST}{made.pk}/delete/", {"post": "yes"}).status_code == 403
    made.refresh_from_db()
    assert made.role == "viewer"
