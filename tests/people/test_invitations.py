"""A link gives its role to whom it is for, and to nobody once it is over."""

import logging
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from notices.models import Invitation, Study, StudyRole
from notices.people import invitations
from notices.people.invitations import InvitationOverError

Role = StudyRole.Role


def role_of(user: User, study: Study) -> str | None:
    return StudyRole.objects.filter(user=user, study=study).values_list("role", flat=True).first()


def states() -> dict[int, str]:
    return {one.pk: one.state for one in Invitation.objects.with_state(timezone.now())}


def is_refused(secret: str, user: User) -> bool:
    assert invitations.find(secret) is None
    with pytest.raises(InvitationOverError):
        invitations.accept(secret, user)
    return role_of(user, Study.objects.get()) is None


def test_it_gives_its_role_and_ends_with_its_one_use(
    study: Study, leader: User, stranger: User, site_admin: User
) -> None:
    made, secret = invitations.make(study, Role.WRITER, leader)
    assert invitations.find(secret) == made
    invitations.accept(secret, stranger)
    assert role_of(stranger, study) == "writer"
    assert is_refused(secret, site_admin)


def test_one_for_many_lets_many_in_until_its_day_is_over(
    study: Study, leader: User, stranger: User, site_admin: User
) -> None:
    soon = timezone.now() + timedelta(hours=1)
    made, secret = invitations.make(
        study, Role.VIEWER, leader, is_single_use=False, expires_at=soon
    )
    invitations.accept(secret, stranger)
    invitations.accept(secret, site_admin)
    made.refresh_from_db()
    assert made.uses == 2
    StudyRole.objects.exclude(user=leader).delete()
    Invitation.objects.update(
        created_at=timezone.now() - timedelta(days=2),
        expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert is_refused(secret, stranger)


def test_a_revoked_or_an_unknown_one_lets_nobody_in(
    study: Study, leader: User, stranger: User
) -> None:
    made, secret = invitations.make(study, Role.LEADER, leader)
    assert invitations.revoke(made)
    assert not invitations.revoke(made)
    assert is_refused(secret, stranger)
    assert is_refused("", stranger)
    assert is_refused("\ud800", stranger)


def test_who_has_a_greater_role_keeps_it_and_leaves_the_link_for_another(
    study: Study, leader: User, stranger: User
) -> None:
    _made, secret = invitations.make(study, Role.DRAFTER, leader)
    invitations.accept(secret, leader)
    assert role_of(leader, study) == "leader"
    invitations.accept(secret, stranger)
    assert role_of(stranger, study) == "drafter"


def test_it_raises_a_lesser_role(study: Study, leader: User, stranger: User) -> None:
    StudyRole.objects.create(study=study, user=stranger, role=Role.VIEWER)
    _made, secret = invitations.make(study, Role.LEADER, leader)
    invitations.accept(secret, stranger)
    assert role_of(stranger, study) == "leader"


# --- whoever made it -------------------------------------------------------------------------


def _loses_the_role(leader: User) -> None:
    StudyRole.objects.filter(user=leader).delete()


def _becomes_a_writer(leader: User) -> None:
    StudyRole.objects.filter(user=leader).update(role=Role.WRITER)


def _is_switched_off(leader: User) -> None:
    User.objects.filter(pk=leader.pk).update(is_active=False)


@pytest.mark.parametrize("happens", [_loses_the_role, _becomes_a_writer, _is_switched_off])
def test_it_ends_when_its_maker_leads_the_study_no_more(
    study: Study, leader: User, stranger: User, happens: Callable[[User], None]
) -> None:
    made, secret = invitations.make(study, Role.WRITER, leader)
    happens(leader)
    assert is_refused(secret, stranger)
    assert states() == {made.pk: "over"}


def test_leading_another_study_is_not_enough(study: Study, leader: User, stranger: User) -> None:
    _made, secret = invitations.make(study, Role.WRITER, leader)
    StudyRole.objects.filter(user=leader).update(study=Study.objects.create(name="독서 모임"))
    assert invitations.find(secret) is None


def test_one_of_a_site_admin_or_of_a_command_stays_good(
    study: Study, site_admin: User, stranger: User, other_leader: User
) -> None:
    _made, of_admin = invitations.make(study, Role.WRITER, site_admin)
    _made, of_command = invitations.make(study, Role.WRITER, None)
    invitations.accept(of_admin, stranger)
    invitations.accept(of_command, other_leader)
    assert role_of(stranger, study) == role_of(other_leader, study) == "writer"


def test_it_ends_with_its_makers_account_unless_that_is_a_site_admins(
    study: Study, leader: User, site_admin: User
) -> None:
    _made, of_leader = invitations.make(study, Role.WRITER, leader)
    _made, of_admin = invitations.make(study, Role.WRITER, site_admin)
    leader.delete()
    site_admin.delete()
    assert invitations.find(of_leader) is None
    assert invitations.find(of_admin) is not None


# --- states, days, the log ---------------------------------------------------------------------


def test_every_invitation_is_in_one_state(study: Study, leader: User, stranger: User) -> None:
    now = timezone.now()
    links = {state: invitations.make(study, Role.VIEWER, leader) for state in Invitation.State}
    invitations.revoke(links[Invitation.State.REVOKED][0])
    invitations.accept(links[Invitation.State.USED][1], stranger)
    Invitation.objects.filter(pk=links[Invitation.State.OVER][0].pk).update(
        created_at=now - timedelta(days=2), expires_at=now - timedelta(days=1)
    )
    assert states() == {made.pk: state for state, (made, _secret) in links.items()}


def test_its_last_day_ends_where_the_study_is(study: Study) -> None:
    study.time_zone = "America/New_York"
    day = invitations.may_last_until(study)
    end = timezone.localtime(invitations.last_moment(day, study), invitations.zone_of(study))
    assert (end.date(), end.hour) == (day + timedelta(days=1), 0)


def test_the_security_log_tells_of_it_and_never_its_secret(
    study: Study, leader: User, stranger: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "studybot.security")
    made, secret = invitations.make(study, Role.WRITER, leader)
    invitations.accept(secret, stranger)
    invitations.revoke(made)
    for event in ("invitation made", "invitation used", "invitation revoked", "rights changed"):
        assert f"{event}: " in caplog.text
    assert secret not in caplog.text
    assert made.secret_hash not in caplog.text


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_let_in(study: Study, leader: User) -> None:
    for _round in range(5):
        StudyRole.objects.exclude(user=leader).delete()
        _made, secret = invitations.make(study, Role.WRITER, leader)
        names = [f"{_round}-{n}" for n in range(3)]
        outcomes = _accept_at_once(secret, [User.objects.create_user(name) for name in names])
        assert sorted(outcomes) == ["in", "over", "over"]
        assert StudyRole.objects.exclude(user=leader).count() == 1


def _accept_at_once(secret: str, users: list[User]) -> list[str]:
    outcomes: list[str] = []
    start = Barrier(len(users))

    def run(user: Any) -> None:
        start.wait()
        try:
            invitations.accept(secret, user)
            outcomes.append("in")
        except InvitationOverError:
            outcomes.append("over")
        finally:
            connection.close()

    threads = [Thread(target=run, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
