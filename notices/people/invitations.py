"""Makes invitations, and lets in whoever comes by the link of one."""

import hashlib
import secrets
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext as _

from notices import moments
from notices.models import Invitation, Study, StudyRole
from notices.outside import clock
from notices.security.security_log import note
from notices.tables.study_role import RIGHTS

SECRET_BYTES = 24
MOST_DAYS = timedelta(days=30)


class InvitationOverError(Exception):
    """The link lets nobody in (any more): it is unknown, used, over, revoked, or its maker leads
    the study no more."""


def make(
    study: Study,
    role: str,
    by: User | None,
    *,
    is_single_use: bool = True,
    expires_at: datetime | None = None,
) -> tuple[Invitation, str]:
    """Return the invitation and its secret, which cannot be told again."""
    made = Invitation(
        study=study, role=role, is_single_use=is_single_use, expires_at=expires_at, created_by=by
    )
    return made, issue(made)


def issue(invitation: Invitation) -> str:
    """Save a new invitation, and return its secret."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    invitation.secret_hash = _hash(secret)
    invitation.save(force_insert=True)
    _note(
        "invitation made", invitation, one_person=invitation.is_single_use,
        until=invitation.expires_at,
    )  # fmt: skip
    return secret


def renew(invitation: Invitation) -> str:
    """Return another secret, with which the former one ends."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    Invitation.objects.filter(pk=invitation.pk).update(secret_hash=_hash(secret))
    _note("invitation's link made anew", invitation)
    return secret


def find(secret: str) -> Invitation | None:
    """Return the invitation if it still lets somebody in."""
    open_ones = Invitation.objects.open_at(clock.now())
    return open_ones.filter(secret_hash=_hash(secret)).select_related("study").first()


def zone_of(study: Study) -> tzinfo:
    return moments.zone_named(study.time_zone)


def last_moment(day: date, study: Study) -> datetime:
    """Return the end of the day where the study is."""
    return datetime.combine(day + timedelta(days=1), time.min, zone_of(study))


def today_in(study: Study) -> date:
    return clock.now().astimezone(zone_of(study)).date()


def may_last_until(study: Study) -> date:
    return today_in(study) + MOST_DAYS


def why_not_until(day: date, study: Study) -> str:
    """Say which days can be picked if this one cannot; "" if it can."""
    first, last = today_in(study), may_last_until(study)
    if first <= day <= last:
        return ""
    days = {"day": day, "first": first, "last": last}
    told = _("%(day)s cannot be: pick a day from %(first)s to %(last)s.")
    return told % {name: one.isoformat() for name, one in days.items()}


def accept(secret: str, user: User) -> StudyRole:
    """Give `user` the role, once for each of them. A role that may do more stays as it is.

    Raises InvitationOverError. Call it in the transaction that makes the account, if one is made.
    """
    with transaction.atomic():
        # PostgreSQL locks no row of the maker, who may be nobody.
        open_ones = Invitation.objects.open_at(clock.now()).select_for_update(of=("self",))
        invitation = open_ones.filter(secret_hash=_hash(secret)).first()
        if invitation is None:
            raise InvitationOverError
        role, is_new = StudyRole.objects.get_or_create(
            study_id=invitation.study_id, user=user, defaults={"role": invitation.role}
        )
        if not is_new and RIGHTS[role.role] >= RIGHTS[invitation.role]:
            return role  # she has it, so that it is left for somebody else
        if not is_new:
            role.role = invitation.role
            role.save(update_fields=["role"])
        Invitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + 1)
    _note("invitation used", invitation, user=user.get_username())
    return role


def revoke(invitation: Invitation) -> bool:
    """Return whether it was not revoked before."""
    kept = Invitation.objects.filter(pk=invitation.pk, revoked_at=None)
    is_news = kept.update(revoked_at=clock.now()) == 1
    if is_news:
        _note("invitation revoked", invitation)
    return is_news


@receiver(pre_delete, sender=User)
def _end_with_the_maker(instance: User, **_told: object) -> None:
    """Revoke what a deleted leader has made, which would look as a command's afterwards."""
    if not instance.is_superuser:
        for made in Invitation.objects.filter(created_by=instance, revoked_at=None):
            revoke(made)


def _note(event: str, invitation: Invitation, **more: Any) -> None:
    note(event, invitation=invitation.pk, of=str(invitation.study), role=invitation.role, **more)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
