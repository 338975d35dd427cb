"""Makes invitations, and lets in whoever comes by the link of one."""

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from notices.models import Invitation, Study, StudyRole
from notices.outside import clock
from notices.tables.study_role import RIGHTS

SECRET_BYTES = 24


class InvitationOverError(Exception):
    """The link lets nobody in (any more): it is unknown, used, over or revoked."""


def make(
    study: Study,
    role: str,
    by: User | None,
    *,
    is_single_use: bool = True,
    expires_at: datetime | None = None,
) -> tuple[Invitation, str]:
    """Return the invitation and its secret, which cannot be told again."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    made = Invitation.objects.create(
        study=study, role=role, secret_hash=_hash(secret), is_single_use=is_single_use,
        expires_at=expires_at, created_by=by,
    )  # fmt: skip
    return made, secret


def find(secret: str) -> Invitation | None:
    """Return the invitation if it still lets somebody in."""
    open_ones = Invitation.objects.open_at(clock.now())
    return open_ones.filter(secret_hash=_hash(secret)).select_related("study").first()


def accept(secret: str, user: User) -> StudyRole:
    """Give `user` the role, once for each of them. A role that may do more stays as it is.

    Raises InvitationOverError. Call it in the transaction that makes the account, if one is made.
    """
    with transaction.atomic():
        open_ones = Invitation.objects.open_at(clock.now()).select_for_update()
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
    return role


def revoke(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=clock.now())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
