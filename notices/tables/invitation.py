"""The links by which people come in."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.translation import gettext_lazy as _

from notices.outside import clock
from notices.tables.change import AnyUser
from notices.tables.conditions import check, given
from notices.tables.key import ApiKey
from notices.tables.study_role import Right, StudyRole, roles_with


def _maker_leads() -> Q:
    """Return the condition that who made it may still invite, or that a command made it."""
    leads = StudyRole.objects.filter(
        user=OuterRef("created_by"), study=OuterRef("study"), role__in=roles_with(Right.LEAD)
    )
    of_a_leader = Q(created_by__is_superuser=True) | Q(Exists(leads))
    return Q(created_by=None) | (Q(created_by__is_active=True) & of_a_leader)


def _key_is_good(now: datetime) -> Q:
    """Return the condition that no key made it, or one that may still invite to the study."""
    key = ApiKey.objects.filter(
        Q(all_studies=True) | Q(studies=OuterRef("study")),
        Q(expiry_date=None) | Q(expiry_date__gt=now),
        pk=OuterRef("created_with"), revoked=False, read_only=False, may_see_people=True,
    )  # fmt: skip
    return Q(created_with=None) | Q(Exists(key))


def _lets_in(now: datetime) -> Q:
    in_time = Q(expires_at=None) | Q(expires_at__gt=now)
    has_use_left = Q(is_single_use=False) | Q(uses=0)
    return in_time & has_use_left & _maker_leads() & _key_is_good(now) & Q(revoked_at=None)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def allowing(self, right: Right, user: AnyUser) -> Self:
        """Return those to the studies in which the user may do this: all for a site admin."""
        if user.is_superuser:
            return self
        hers = Q(study__roles__user=user, study__roles__role__in=roles_with(right))
        return self.filter(hers)

    def open_at(self, now: datetime) -> Self:
        """Return those that still let somebody in."""
        return self.filter(_lets_in(now))

    def with_state(self, now: datetime) -> Self:
        """Add `state`; of several ends that counts which a person made."""
        State = Invitation.State  # noqa: N806
        state = Case(
            When(revoked_at__isnull=False, then=Value(State.REVOKED)),
            When(is_single_use=True, uses__gt=0, then=Value(State.USED)),
            When(_lets_in(now), then=Value(State.OPEN)),
            default=Value(State.OVER),
        )
        return self.annotate(state=state)


class Invitation(models.Model):
    """A link to a role in a study. The secret part of the link is stored as a hash."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        USED = "used", _("used up")
        OVER = "over", _("over")
        REVOKED = "revoked", _("revoked")

    state: str  # where `with_state` has read it
    study = models.ForeignKey(
        "notices.Study", models.CASCADE, related_name="invitations", verbose_name=_("study")
    )
    role = models.CharField(
        _("role"), max_length=10, choices=StudyRole.Role, default=StudyRole.Role.LEADER
    )
    secret_hash = models.CharField(max_length=64, unique=True, editable=False)
    is_single_use = models.BooleanField(
        _("for one person"), default=True, help_text=_("It ends with its first use.")
    )
    expires_at = models.DateTimeField(_("until"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("used"), default=0, db_default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("made by"),
    )  # fmt: skip
    # With the key end the doors that it has opened.
    created_with = models.ForeignKey(
        "notices.ApiKey", models.CASCADE, null=True, editable=False, related_name="+",
        verbose_name=_("made with the key"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("made"), default=clock.now, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ("-id",)
        constraints = [
            check(
                "invitation_role_is_known",
                Q(role__in=["leader", "writer", "drafter", "viewer"]),
            ),
            check("invitation_ends", Q(is_single_use=True) | given("expires_at")),
            check("invitation_is_used_once", Q(is_single_use=False) | Q(uses__lte=1)),
            check(
                "invitation_expires_later", Q(expires_at=None) | Q(expires_at__gt=F("created_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.study}, {self.get_role_display()}"
