"""Answers "may she …?" for the desk, the API and the bot."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.models import Channel, Notice, Right, Study, StudyRole
from notices.tables.change import AnyUser
from notices.tables.study_role import RIGHTS

_ROLES = "_roles_by_study"
_DEEDS: dict[Right, Promise] = {
    Right.SEE: gettext_lazy("see notices"),
    Right.DRAFT: gettext_lazy("write notices"),
    Right.PUBLISH: gettext_lazy("publish, change or withdraw what readers see"),
    Right.PING: gettext_lazy("ping anybody"),
    Right.SEE_NAMES: gettext_lazy("see who the readers are"),
    Right.LEAD: gettext_lazy("invite people or change the roster"),
}


def may(user: AnyUser, right: Right, study_id: int) -> bool:
    if user.is_superuser:
        return True
    role = _roles_of(user).get(study_id)
    if role is None:
        return False
    return right in RIGHTS[role.role] or (right is Right.SEE_NAMES and role.sees_names)


def may_somewhere(user: AnyUser, right: Right) -> bool:
    return user.is_superuser or any(may(user, right, pk) for pk in _roles_of(user))


def studies_of(user: AnyUser) -> list[Study]:
    """Return the studies in which she has a role, by name. A site admin needs none."""
    return [role.study for role in _roles_of(user).values()]


def why_not(user: AnyUser, right: Right, study: Study) -> str:
    """Say that her role does not allow it, and whom to ask."""
    role = _roles_of(user).get(study.pk)
    if role is None:
        return _("You have no role in %(study)s; ask one of its leaders.") % {"study": study}
    return _("Your role in %(study)s, %(role)s, may not %(deed)s; ask one of its leaders.") % {
        "study": study,
        "role": role.get_role_display(),
        "deed": _DEEDS[right],
    }


def to_save(*moments: datetime | None) -> Right:
    """Return the right to save a notice, by its moment of publishing before and afterwards."""
    return Right.PUBLISH if any(moments) else Right.DRAFT


def to_send_again(notice: Notice) -> Right:
    return Right.PUBLISH if notice.ping == Notice.Ping.NONE else Right.PING


def pings(
    notice: Notice, ping: str, channels: Iterable[Channel], publish_at: datetime | None
) -> bool:
    """Return whether a notice that is saved so pings somebody, whoever wrote it.

    A draft pings nobody, nor does an edit of what is shown everywhere.
    """
    if ping == Notice.Ping.NONE or publish_at is None:
        return False
    known = set(notice.channels.all()) if notice.pk else set()
    is_changed = ping != notice.ping or notice.status != Notice.Status.SENT
    return is_changed or not known.issuperset(channels)


def _roles_of(user: AnyUser) -> dict[int, StudyRole]:
    """They are kept on `user`, which lives for a request."""
    if not isinstance(user, User):
        return {}
    if not hasattr(user, _ROLES):
        roles = user.roles.select_related("study").order_by("study__name", "study")
        setattr(user, _ROLES, {role.study_id: role for role in roles})
    found: dict[int, StudyRole] = getattr(user, _ROLES)
    return found
