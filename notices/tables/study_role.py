"""The roles of logins in studies, and what each role may do."""

from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from notices.outside import clock
from notices.tables.conditions import check


class Right(Enum):
    """What somebody may do in a study. Site admins may do all of it in every study."""

    SEE = auto()
    """The notices, and what became of them."""
    DRAFT = auto()
    """Write drafts, and delete them."""
    PUBLISH = auto()
    """Publish, correct, send again and withdraw."""
    PING = auto()
    """Ping @everyone, @here or the study's role."""
    SEE_NAMES = auto()
    """The names of readers, beside their number."""
    LEAD = auto()
    """Invite people, give roles, keep the roster."""


class StudyRole(models.Model):
    """A login's role in one study."""

    class Role(models.TextChoices):
        LEADER = "leader", _("leader")
        WRITER = "writer", _("writer")
        DRAFTER = "drafter", _("drafter")
        VIEWER = "viewer", _("viewer")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="roles", verbose_name=_("account")
    )
    study = models.ForeignKey(
        "notices.Study", models.CASCADE, related_name="roles", verbose_name=_("study")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.LEADER)
    sees_names = models.BooleanField(
        _("sees names"),
        default=False,
        help_text=_("She sees who has read and answered. Leaders do anyway."),
    )
    since = models.DateTimeField(_("since"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("role in a study")
        verbose_name_plural = _("roles in a study")
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="study_role_once_per_user"),
            check("study_role_is_known", Q(role__in=["leader", "writer", "drafter", "viewer"])),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"


_WRITES = {Right.SEE, Right.DRAFT, Right.PUBLISH}
RIGHTS: dict[str, set[Right]] = {
    StudyRole.Role.LEADER: set(Right),
    StudyRole.Role.WRITER: _WRITES,
    StudyRole.Role.DRAFTER: {Right.SEE, Right.DRAFT},
    StudyRole.Role.VIEWER: {Right.SEE},
}


def roles_with(right: Right) -> list[str]:
    return [role for role, rights in RIGHTS.items() if right in rights]


def giving(right: Right, user: Any) -> Q:
    """Return the condition on a study that one of its roles gives `user` this right."""
    return Q(pk__in=studies_giving(right, user))


def studies_giving(right: Right, user: Any) -> QuerySet[StudyRole, Any]:
    """Return the ids of these studies."""
    has_it = Q(role__in=roles_with(right))
    if right is Right.SEE_NAMES:
        has_it |= Q(sees_names=True)
    return StudyRole.objects.filter(has_it, user=user).values("study")
