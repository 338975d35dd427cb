"""The readers: who they are in Discord, and whose studies they take part in."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from notices.outside import clock
from notices.tables.conditions import check, null
from notices.tables.study_role import Right, studies_giving

# Longer than any name that Discord has: those have 32 characters.
PERSON_NAME_LIMIT = 100


class Person(models.Model):
    """A Discord account. No more is kept than what names it, and how to speak to it."""

    discord_id = models.BigIntegerField(_("Discord id"), unique=True)
    name = models.CharField(
        _("name"),
        max_length=PERSON_NAME_LIMIT,
        blank=True,
        help_text=_("As last seen on a server."),
    )
    language = models.CharField(_("language"), max_length=2, blank=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="person",
        verbose_name=_("account"),
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("persons")
        constraints = [
            check("person_discord_id_is_positive", Q(discord_id__gt=0)),
            check("person_language_is_known", Q(language__in=["", "ko", "en"])),
        ]

    def __str__(self) -> str:
        return self.name or str(self.discord_id)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def allowing(self, right: Right, user: Any) -> Self:
        """Return the rosters' rows of the studies that allow it, or all for a site admin."""
        return self if user.is_superuser else self.filter(study__in=studies_giving(right, user))

    def of_today(self) -> Self:
        """Return who has not left (index membership_of_today)."""
        return self.filter(until=None)


class Membership(models.Model):
    """A person on the roster of a study, also after she has left it."""

    class Way(models.TextChoices):
        JOINED = "joined", _("by the join button")
        LISTED = "listed", _("from a list")
        PICKED = "picked", _("picked in Discord")
        ANSWERED = "answered", _("by an answer")
        ADDED = "added", _("by the API or a command")

    class Sight(models.TextChoices):
        """What Discord said last of her and the study's channels."""

        UNKNOWN = "unknown", _("not known yet")
        SEES = "sees", _("sees the channels")
        CANNOT_SEE = "cannot_see", _("cannot see the channels")
        LEFT = "left", _("left the server")

    # The constraint's index begins with the study. With one of its own, SQLite would look for a
    # few people among all of the study's.
    study = models.ForeignKey(
        "notices.Study",
        models.CASCADE,
        related_name="memberships",
        db_index=False,
        verbose_name=_("study"),
    )
    person = models.ForeignKey(
        Person, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    way = models.CharField(_("how she came"), max_length=10, choices=Way)
    since = models.DateTimeField(_("since"), default=clock.now)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    sight = models.CharField(_("still there"), max_length=10, choices=Sight, default=Sight.UNKNOWN)
    looked_at = models.DateTimeField(_("looked"), null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(fields=["study", "person"], name="membership_once_per_person"),
            check(
                "membership_way_is_known",
                Q(way__in=["joined", "listed", "picked", "answered", "added"]),
            ),
            check(
                "membership_sight_is_known", Q(sight__in=["unknown", "sees", "cannot_see", "left"])
            ),
            check("membership_ends_after_it_begins", null("until") | Q(until__gte=F("since"))),
        ]
        # A study's roster, page by page, and how many it has.
        indexes = [
            models.Index(
                fields=["study", "id"], condition=Q(until=None), name="membership_of_today"
            ),
            # Those whom the bot looks for next.
            models.Index(
                fields=["looked_at"], condition=Q(until=None), name="membership_to_look_for"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.study}"
