"""The tables: studies, channels, notices, deliveries and the record of every attempt.

What a leader wishes is changed here; what the bot finds out is written by `ledger`.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, NamedTuple, Self
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    URLValidator,
)
from django.db import models, transaction
from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, Value, When
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from notices.text import is_blank

# Discord's limits for what we show as an embed (its documentation, "Embed Limits").
TITLE_LIMIT = 256
DESCRIPTION_LIMIT = 4096
AUTHOR_LIMIT = 256
URL_LIMIT = 2048
# What a person can read off a message and type: no 0/O, 1/I/L, U.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10
DETAIL_LIMIT = 500
STUDY_NAME_LIMIT = 100
FILE_NAME_LIMIT = 255

http_url = URLValidator(schemes=["http", "https"])

# Sent in the transaction in which a leader's notice was saved. `notice` is it, `before` its status
# and revision until then, null where it is new.
notice_saved = Signal()
# Arguments: old, successor.
key_rotated = Signal()


def new_nonce() -> str:
    """A delivery's reference: Discord's nonce (at most 25 characters) and the message's marker."""
    return "".join(secrets.choice(_REFERENCE_ALPHABET) for _n in range(REFERENCE_LENGTH))


def default_time_zone() -> str:
    return settings.TIME_ZONE


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(
            _("%(value)s is not a time zone; write one such as Asia/Seoul."),
            params={"value": value},
        )


def validate_not_blank(value: str) -> None:
    # Discord strips an embed's texts and then refuses an empty one.
    if is_blank(value):
        raise ValidationError(_("This must not be blank."), code="blank")


class ChannelQuerySet(models.QuerySet["Channel"]):
    def led_by(self, user: Any) -> Self:
        """The channels a leader may pick among: those of her studies."""
        if user.is_superuser:
            return self
        return self.filter(studies__leaders=user).distinct()


class Channel(models.Model):
    """A Discord channel as the bot last saw it; kept in step by the gateway's events."""

    class Type(models.IntegerChoices):
        TEXT = 0, _("text")
        DIRECT = 1, _("direct messages")
        VOICE = 2, _("voice")
        GROUP = 3, _("group")
        CATEGORY = 4, _("category")
        ANNOUNCEMENT = 5, _("announcement")
        ANNOUNCEMENT_THREAD = 10, _("announcement thread")
        PUBLIC_THREAD = 11, _("thread")
        PRIVATE_THREAD = 12, _("private thread")
        STAGE = 13, _("stage")
        DIRECTORY = 14, _("directory")
        FORUM = 15, _("forum")
        MEDIA = 16, _("media channel")

    # The others are known where somebody took their id for such a channel's.
    TYPES_WITH_MESSAGES = frozenset(
        {
            Type.TEXT, Type.VOICE, Type.ANNOUNCEMENT, Type.ANNOUNCEMENT_THREAD,
            Type.PUBLIC_THREAD, Type.PRIVATE_THREAD, Type.STAGE,
        }
    )  # fmt: skip

    id = models.BigIntegerField(_("channel id"), primary_key=True)
    guild_id = models.BigIntegerField(_("guild id"), null=True, blank=True)
    guild_name = models.CharField(_("server"), max_length=100, blank=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    type = models.PositiveSmallIntegerField(_("type"), choices=Type, default=Type.TEXT)
    # Of a thread: without it the thread is gone, too.
    parent_id = models.BigIntegerField(_("channel of the thread"), null=True, blank=True)
    is_archived = models.BooleanField(_("archived"), default=False, db_default=False)
    is_locked = models.BooleanField(_("locked"), default=False, db_default=False)
    # What it would have without a timeout.
    permissions = models.BigIntegerField(_("the bot's permissions"), null=True, blank=True)
    timed_out_until = models.DateTimeField(_("bot timed out until"), null=True, blank=True)
    seen_at = models.DateTimeField(_("last seen by the bot"), null=True, blank=True)
    gone_at = models.DateTimeField(_("gone since"), null=True, blank=True)
    refused_at = models.DateTimeField(_("refused us at"), null=True, blank=True)
    refused_code = models.IntegerField(_("refused us with code"), null=True, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ("guild_name", "name", "id")
        constraints = [
            models.CheckConstraint(condition=Q(id__gt=0), name="channel_id_is_positive"),
            models.CheckConstraint(
                condition=Q(refused_at__isnull=True, refused_code__isnull=True)
                | Q(refused_at__isnull=False, refused_code__isnull=False),
                name="channel_refusal_has_time_and_code",
            ),
        ]
        # For keeping in step: what the bot knows of one guild.
        indexes = [models.Index(fields=["guild_id"], name="channel_of_guild")]

    def __str__(self) -> str:
        if not self.name:
            return str(self.id)
        return f"#{self.name} ({self.guild_name})" if self.guild_name else f"#{self.name}"

    @property
    def short_name(self) -> str:
        """Where its server is plain."""
        return f"#{self.name}" if self.name else str(self.pk)

    @property
    def url(self) -> str:
        """Where a person sees the channel."""
        return f"{settings.DISCORD_APP_URL}/channels/{self.guild_id or '@me'}/{self.pk}"


class RoleQuerySet(models.QuerySet["Role"]):
    def pickable_for(self, study: Study) -> Self:
        """The roles that can be its ping role: those of the servers its channels are on."""
        return self.of_study(study).exclude(pk=F("guild_id"))

    def of_study(self, study: Study) -> Self:
        """Those of the servers that its channels are on, @everyone too."""
        guilds = study.channels.filter(guild_id__isnull=False).values("guild_id")
        return self.filter(guild_id__in=guilds)

    def ask_to_count(self, now: datetime) -> int:
        """Have the people counted again by the bot, unless they just were."""
        return self.filter(pk=F("guild_id"), counted_at__lt=now - Role.COUNTED_RECENTLY).update(
            counted_at=None
        )

    def to_count(self, before: datetime) -> Self:
        """The @everyone roles of servers with a study, where people were last counted before."""
        with_study = Channel.objects.filter(studies__isnull=False, guild_id__isnull=False)
        return self.filter(
            Q(counted_at=None) | Q(counted_at__lt=before),
            pk=F("guild_id"),
            guild_id__in=with_study.values("guild_id"),
        )


class Role(models.Model):
    """A Discord role as the bot last saw it, kept in step by the gateway's events.

    As in Discord, @everyone is the role with its guild's own id: its members are the guild's.
    """

    # Whoever picks a ping has the people counted, at most this often.
    COUNTED_RECENTLY = timedelta(minutes=1)

    id = models.BigIntegerField(_("role id"), primary_key=True)
    guild_id = models.BigIntegerField(_("guild id"))
    guild_name = models.CharField(_("server"), max_length=100)
    name = models.CharField(_("name"), max_length=100)
    mentionable = models.BooleanField(_("anyone may mention it"), default=False)
    member_count = models.PositiveIntegerField(_("people"), null=True, blank=True)
    counted_at = models.DateTimeField(_("counted"), null=True, blank=True)

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ("guild_name", "name", "id")
        constraints = [models.CheckConstraint(condition=Q(id__gt=0), name="role_id_is_positive")]
        # For keeping in step, and for the study's page: the roles of one guild.
        indexes = [models.Index(fields=["guild_id"], name="role_of_guild")]

    def __str__(self) -> str:
        return f"@{self.name.removeprefix('@')}"


class StudyQuerySet(models.QuerySet["Study"]):
    def led_by(self, user: Any) -> Self:
        if user.is_superuser:
            return self
        return self.filter(leaders=user)


class Study(models.Model):
    """A study group: its leaders write, its channels show."""

    class Language(models.TextChoices):
        KOREAN = "ko", _("Korean")
        ENGLISH = "en", _("English")

    name = models.CharField(_("name"), max_length=STUDY_NAME_LIMIT, validators=[validate_not_blank])
    leaders = models.ManyToManyField(
        settings.AUTH_USER_MODEL, related_name="studies", blank=True, verbose_name=_("leaders")
    )
    channels = models.ManyToManyField(
        Channel, related_name="studies", blank=True, verbose_name=_("channels")
    )
    colour = models.PositiveIntegerField(
        _("colour"), default=0x5865F2, validators=[MaxValueValidator(0xFFFFFF)]
    )
    language = models.CharField(
        _("language"), max_length=2, choices=Language, default=Language.KOREAN
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=default_time_zone, validators=[validate_time_zone]
    )
    ping_role_id = models.BigIntegerField(
        _("role to ping"), null=True, blank=True, help_text=_("The role's id in Discord.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        ordering = ("name", "id")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="study_has_a_name"),
            models.CheckConstraint(condition=Q(colour__lte=0xFFFFFF), name="study_colour_is_rgb"),
            models.CheckConstraint(
                condition=Q(language__in=["ko", "en"]), name="study_language_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ping_role_id__isnull=True) | Q(ping_role_id__gt=0),
                name="study_ping_role_is_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApiKeyManager(BaseAPIKeyManager):
    pass


class ApiKey(AbstractAPIKey):
    """A frontend's key, kept hashed; good for the studies it was made for."""

    # A write for every request would cost more than it tells.
    USE_NOTED_EVERY = timedelta(minutes=1)
    INHERITED_FIELDS = ("name", "all_studies", "read_only", "may_ping")

    studies = models.ManyToManyField(
        Study, related_name="api_keys", blank=True, verbose_name=_("studies")
    )
    all_studies = models.BooleanField(
        _("every study"), default=False, help_text=_("Good for every study, later ones too.")
    )
    read_only = models.BooleanField(
        _("only reads"), default=False, help_text=_("It may read notices, and write none.")
    )
    may_ping = models.BooleanField(
        _("may ping"),
        default=False,
        help_text=_("Its notices may ping @everyone, @here or the role."),
    )
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    objects: ClassVar[ApiKeyManager] = ApiKeyManager()  # type: ignore[assignment]

    class Meta(AbstractAPIKey.Meta):
        abstract = False
        verbose_name = _("API key")  # type: ignore[assignment]
        verbose_name_plural = _("API keys")  # type: ignore[assignment]

    @property
    def is_usable(self) -> bool:
        return not self.revoked and not self.has_expired

    def allowed_studies(self) -> StudyQuerySet:
        return Study.objects.all() if self.all_studies else Study.objects.filter(api_keys=self)

    def note_use(self, now: datetime) -> None:
        """Write down when it was last used, at most once a minute."""
        if self.last_used_at is None or now - self.last_used_at >= self.USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    def rotate(self, overlap: timedelta) -> tuple[ApiKey, str]:
        """Make a successor with the same rights; this key is good for `overlap` more, no longer.

        Returns it and its key, which is not kept. It lives as long as this one was to live.
        """
        now = timezone.now()
        ends = now + overlap
        with transaction.atomic():
            successor = ApiKey(**{name: getattr(self, name) for name in self.INHERITED_FIELDS})
            if self.expiry_date is not None:
                successor.expiry_date = now + (self.expiry_date - self.created)
            key = ApiKey.objects.assign_key(successor)
            successor.save()
            successor.studies.set(self.studies.all())
            CallbackEndpoint.objects.filter(key=self).update(key=successor)
            self.expiry_date = min(self.expiry_date or ends, ends)
            self.save(update_fields=["expiry_date"])
        key_rotated.send(ApiKey, old=self, successor=successor)
        return successor, key


class KeptAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, for whoever repeats it.

    Written in the transaction of what the request did: either both are there or neither.
    """

    KEPT = timedelta(hours=24)

    caller = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    # Null within the transaction alone, while the request is under way.
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    # The body's, in bytes: to add them up nobody need read them.
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once_per_key"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["begun_at"], name="kept_answer_by_time")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"


class Submission(models.Model):
    """A form of the desk that made something: sent once more, it leads to what it made.

    Written in the transaction of what it made: either both are there or neither.
    """

    # Nobody goes back to a page that is older.
    KEPT = timedelta(days=30)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # The page's own name for what was written in it.
    writing = models.CharField(max_length=16)
    # Of all that was sent: another one says that something was changed since.
    digest = models.CharField(max_length=32)
    # Empty within the transaction alone.
    led_to = models.TextField(blank=True)
    submitted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "writing"], name="submission_once_per_page"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["submitted_at"], name="submission_by_time")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.writing}"


# Who does something to a notice: a user, a frontend by its key, or nobody that is known.
Actor = Any


def under_way() -> Case:
    """What was settled is no longer, from the moment that the wish has changed."""
    settled = (Notice.Status.SENT, Notice.Status.PARTLY_SENT, Notice.Status.FAILED)
    again = When(status__in=settled, archived_at=None, then=Value(Notice.Status.SENDING))
    return Case(again, default=F("status"))


class Minus(models.Func):
    """The negative of a number."""

    template = "(-%(expressions)s)"


class NoticeQuerySet(models.QuerySet["Notice"]):
    def led_by(self, user: Any) -> Self:
        if user.is_superuser:
            return self
        return self.filter(study__in=Study.objects.led_by(user))

    def waiting(self) -> Self:
        """For a person, or for their hour (of a key: index notice_waiting_of_key)."""
        return self.filter(status__in=["draft", "scheduled"])

    def not_fanned_out(self) -> Self:
        """Notices with a change that the deliveries do not know yet (index notice_to_fan_out)."""
        return self.filter(revision__gt=F("fanned_out_revision"))

    def in_status(self, status: str, now: datetime) -> Self:
        """Filter by the status as of `now`: the hour strikes without a write."""
        if status == Notice.Status.SCHEDULED:
            return self.filter(status=status, publish_at__gt=now)
        if status == Notice.Status.QUEUED:
            struck = Q(status=Notice.Status.SCHEDULED, publish_at__lte=now)
            return self.filter(Q(status=status) | struck)
        return self.filter(status=status)

    def update(self, **changes: Any) -> int:
        """A bulk change is a change too: it counts up what the sweep looks for."""
        if Notice.SHOWN_FIELDS & changes.keys():
            changes.setdefault("revision", F("revision") + 1)
            changes.setdefault("status", under_way())
        if "attachments" in changes:
            changes.setdefault("attached_revision", F("revision") + 1)
        if Notice.FANNED_OUT_FIELDS & changes.keys():
            changes.setdefault("fanned_out_revision", 0)
        if {"revision", "fanned_out_revision"} & changes.keys():
            changes.setdefault("changed_at", timezone.now())
        touched = Change.FIELDS & {*changes, *(f"{name}_id" for name in changes)}
        if not touched:
            return super().update(**changes)
        with Change.objects.recording(self.values_list("pk", flat=True), touched):
            return super().update(**changes)

    update.alters_data = True  # type: ignore[attr-defined]


class Notice(models.Model):
    """What a leader wrote, and what became of it.

        draft ──publish──► scheduled ──the hour──► queued ──► sending ──► sent
                                                                 │  ├──► partly_sent
                                                                 │  └──► failed
              withdrawn ◄──all messages gone── sending ◄──withdraw──┘

    `status` is computed from the deliveries in SQL (`statuses.refresh`), never set by hand.
    `revision` counts changes of what is shown. `fanned_out_revision` is the revision that the
    deliveries know; 0 says that something else changed (channels, times, withdrawal).
    Once archived it has no deliveries any more, and stays as it is: see `pruning`.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SCHEDULED = "scheduled", _("scheduled")
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        PARTLY_SENT = "partly_sent", _("partly sent")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Ping(models.TextChoices):
        NONE = "none", _("nobody")
        ROLE = "role", _("the study's role")
        HERE = "here", _("everyone online (@here)")
        EVERYONE = "everyone", _("everyone (@everyone)")

    NOT_BEGUN = (Status.DRAFT, Status.SCHEDULED, Status.QUEUED)
    SHOWN_FIELDS = frozenset(
        {"title", "content", "author", "url", "image", "attachments", "ping", "study", "study_id"}
    )
    FANNED_OUT_FIELDS = frozenset({"publish_at", "expires_at", "withdrawn_at"})

    study = models.ForeignKey(
        Study,
        on_delete=models.PROTECT,
        related_name="notices",
        db_index=False,  # `notice_of_study` begins with it
        verbose_name=_("study"),
    )
    channels = models.ManyToManyField(
        Channel, related_name="notices", blank=True, verbose_name=_("channels")
    )
    title = models.CharField(_("title"), max_length=TITLE_LIMIT, validators=[validate_not_blank])
    content = models.TextField(
        _("content"),
        validators=[MaxLengthValidator(DESCRIPTION_LIMIT), validate_not_blank],
        help_text=_("Discord's Markdown; at most 4096 characters."),
    )
    author = models.CharField(_("author"), max_length=AUTHOR_LIMIT, blank=True)
    url = models.CharField(
        _("link"),
        max_length=URL_LIMIT,
        blank=True,
        validators=[http_url],
        help_text=_("Opens when the title is clicked."),
    )
    image = models.CharField(
        _("picture"),
        max_length=URL_LIMIT,
        blank=True,
        validators=[http_url],
        help_text=_("The address of a picture on the web."),
    )
    # What is attached, as `attachments.py` writes it: whoever reads a notice knows its files
    # without a look at them, and the history still does when they are gone.
    attachments = models.JSONField(_("files"), default=list, blank=True)
    ping = models.CharField(_("ping"), max_length=8, choices=Ping, default=Ping.NONE)
    publish_at = models.DateTimeField(
        _("publish at"), null=True, blank=True, help_text=_("Empty: a draft.")
    )
    expires_at = models.DateTimeField(
        _("not after"),
        null=True,
        blank=True,
        help_text=_("Where it could not be shown by then, it is no longer sent."),
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)
    # Its deliveries were pruned: nobody knows its messages any more, so it stays as it is.
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("written by"),
    )
    created_with = models.ForeignKey(
        ApiKey,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,  # nobody asks by it, and every notice would pay for it
        verbose_name=_("written with the key"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    fanned_out_revision = models.PositiveIntegerField(default=0, editable=False)
    # The one with which the attachments last changed: a message that shows it, or a later one,
    # has them.
    attached_revision = models.PositiveIntegerField(default=1, editable=False)
    status = models.CharField(
        _("status"), max_length=16, choices=Status, default=Status.DRAFT, editable=False
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="notice_has_a_title"),
            models.CheckConstraint(condition=~Q(content=""), name="notice_has_content"),
            models.CheckConstraint(
                condition=Q(ping__in=["none", "role", "here", "everyone"]),
                name="notice_ping_is_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "draft",
                        "scheduled",
                        "queued",
                        "sending",
                        "sent",
                        "partly_sent",
                        "failed",
                        "withdrawn",
                    ]
                ),
                name="notice_status_is_known",
            ),
            models.CheckConstraint(condition=Q(revision__gte=1), name="notice_revision_from_1"),
            models.CheckConstraint(
                condition=Q(fanned_out_revision__lte=F("revision")),
                name="notice_fanned_out_is_not_ahead",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(publish_at__isnull=True)
                | Q(expires_at__gt=F("publish_at")),
                name="notice_expires_after_publishing",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True) | Q(publish_at__isnull=False),
                name="notice_withdrawn_was_published",
            ),
        ]
        indexes = [
            # The sweep and /readyz: what the deliveries do not know yet, oldest first.
            models.Index(
                fields=["changed_at"],
                condition=Q(revision__gt=F("fanned_out_revision")),
                name="notice_to_fan_out",
            ),
            # The lists of the admin and the API (`newest`): those of a study, by status. By the
            # id itself PostgreSQL would rather walk the primary key, past all other studies.
            models.Index("study", Minus("id"), name="notice_of_study"),
            models.Index("status", Minus("id"), name="notice_by_status"),
            models.Index("study", "status", Minus("id"), name="notice_of_study_by_status"),
            # How many of a key wait: what is published at once never is in it.
            models.Index(
                fields=["created_with"],
                condition=Q(status__in=["draft", "scheduled"]),
                name="notice_waiting_of_key",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save what a leader may change; count the revision up where what is shown changes.

        The database itself compares: what this process once loaded may be old. For the same
        reason a plain save() leaves alone what is not hers to edit (status, withdrawal).
        """
        with transaction.atomic():
            if self._state.adding:
                before = None
                self.status = self.first_status()
                super().save(*args, **kwargs)
            else:
                before = Notice.objects.values_list("status", "revision").filter(pk=self.pk).first()
                self._save_changes(*args, **kwargs)
            notice_saved.send(Notice, notice=self, before=before)

    def _save_changes(self, *args: Any, **kwargs: Any) -> None:
        fields = set(kwargs.get("update_fields") or self._editable_fields())
        shown = self.SHOWN_FIELDS & (fields | {f"{name}_id" for name in fields})
        same = Q(**{name: getattr(self, name) for name in shown})
        same_files = When(attachments=self.attachments, then=F("attached_revision"))
        counted: dict[str, Any] = {
            "revision": Case(When(same, then=F("revision")), default=F("revision") + 1)
            if shown
            else F("revision"),
            "fanned_out_revision": 0,
            "attached_revision": Case(same_files, default=F("revision") + 1)
            if "attachments" in shown
            else F("attached_revision"),
            "changed_at": timezone.now(),
            "status": Case(
                When(status__in=self.NOT_BEGUN, withdrawn_at=None, then=Value(self.first_status())),
                *([When(same, then=F("status"))] if shown else []),
                default=under_way(),
            ),
        }
        for name, value in counted.items():
            setattr(self, name, value)
        kwargs["update_fields"] = fields | counted.keys()
        super().save(*args, **kwargs)
        self.refresh_from_db(fields=["revision", "attached_revision", "status"])

    def clean(self) -> None:
        if self.publish_at and self.expires_at and self.expires_at <= self.publish_at:
            raise ValidationError({"expires_at": _("This is not after the moment of publishing.")})

    @property
    def current_status(self) -> str:
        """The stored status, but for the hour that has struck since it was stored."""
        struck = self.publish_at is not None and self.publish_at <= timezone.now()
        if self.status == self.Status.SCHEDULED and struck:
            return self.Status.QUEUED
        return self.status

    def _editable_fields(self) -> set[str]:
        concrete = self._meta.concrete_fields
        return {field.name for field in concrete if field.editable and not field.primary_key}

    def first_status(self) -> str:
        if self.publish_at is None:
            return self.Status.DRAFT
        if self.publish_at > timezone.now():
            return self.Status.SCHEDULED
        return self.Status.QUEUED

    def withdraw(self, *, by: Actor = None) -> bool:
        """Wish every message gone. Returns whether this call did it; a draft was never shown."""
        with transaction.atomic():
            locked = Notice.objects.select_for_update().get(pk=self.pk)
            if locked.withdrawn_at is not None or locked.publish_at is None:
                return False
            if locked.archived_at is not None:
                return False
            self.withdrawn_at = timezone.now()
            self.save(update_fields=["withdrawn_at"])
            Change.objects.did(Change.Deed.WITHDRAWN, locked, by)
        return True

    def send_again(self, *, by: Actor = None, undecided: bool = True) -> int:
        """Try once more what failed, and what is unknown. Returns how many channels.

        Without `undecided` only what surely is not shown, or can be looked for first.
        """
        again = ~Q(error_code=ErrorCode.LEFT)
        if not undecided:
            again &= ~Delivery.UNDECIDED
        return self._decide(DeliveryQuerySet.send_again, Change.Deed.SENT_AGAIN, by, again)

    def send_again_in(self, channel_id: int, *, by: Actor = None) -> bool:
        """In one channel; where nobody could tell, somebody has looked: it is not shown."""
        only = Q(channel=channel_id)
        return bool(self._decide(DeliveryQuerySet.send_again, Change.Deed.SENT_AGAIN, by, only))

    def look_again_in(self, channel_id: int, *, by: Actor = None) -> bool:
        """Whether the message is there can be found out now, by the channel's history."""
        only = Q(channel=channel_id)
        return bool(self._decide(DeliveryQuerySet.look_again, Change.Deed.LOOKED_AGAIN, by, only))

    def leave_in(self, channel_id: int, *, by: Actor = None) -> bool:
        """Somebody has looked: what should be in the channel is, or what should be gone is."""
        only = Q(channel=channel_id)
        return bool(self._decide(DeliveryQuerySet.leave, Change.Deed.LEFT, by, only))

    def _decide(
        self,
        decide: Callable[[DeliveryQuerySet, datetime], list[int]],
        deed: str,
        by: Actor,
        only: Q,
    ) -> int:
        """Returns in how many channels it changed something."""
        with transaction.atomic():
            locked = Notice.objects.select_for_update().get(pk=self.pk)
            channel_ids = decide(self.deliveries.filter(only), timezone.now())
            if channel_ids:
                self.save(update_fields=["changed_at"])
                Change.objects.did(deed, locked, by, channel_ids)
        return len(channel_ids)

    def allowed_channels(self) -> ChannelQuerySet:
        """Where it may be shown: in its study's, and where it stands, to be corrected there."""
        standing = self.deliveries.filter(Delivery.MAY_BE_SHOWN).values("channel")
        return Channel.objects.filter(Q(studies=self.study_id) | Q(pk__in=standing)).distinct()

    def hold_uploads(self) -> None:
        """Have what is attached kept for as long as the notice has it. (See `pruning`.)

        Raises Upload.DoesNotExist, with its id, of one that is gone since it was picked.
        """
        ids = [attached["id"] for attached in self.attachments]
        with transaction.atomic():
            locked = Upload.objects.select_for_update().filter(pk__in=ids)
            for gone in set(ids).difference(locked.values_list("pk", flat=True)):
                raise Upload.DoesNotExist(gone)
            self.uploads.set(ids)

    def duplicate(self, by: Any) -> Notice:
        """A draft of the same words and files for those of its channels that the study has yet."""
        with transaction.atomic():
            held = set(self.uploads.select_for_update().values_list("pk", flat=True))
            copy = Notice.objects.create(
                study_id=self.study_id,
                title=self.title,
                content=self.content,
                author=self.author,
                url=self.url,
                image=self.image,
                attachments=[one for one in self.attachments if one["id"] in held],
                ping=self.ping,
                created_by=by,
            )
            copy.channels.set(self.study.channels.filter(notices=self))
            copy.hold_uploads()
        return copy


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, studies: StudyQuerySet, *, user: Any = None, key: ApiKey | None = None) -> Self:
        """Those that these studies' notices hold, and what the user, or the key, uploaded."""
        holding = Notice.objects.filter(uploads=OuterRef("pk"), study__in=studies)
        found = Q(Exists(holding))
        if user is not None:
            found |= Q(created_by=user)
        if key is not None:
            found |= Q(created_with=key)
        return self.filter(found)

    def held_by_none(self) -> Self:
        """By no notice (the index of the relation's other side answers)."""
        return self.filter(~Exists(Upload.notices.through.objects.filter(upload=OuterRef("pk"))))


class UploadManager(models.Manager["Upload"]):
    def get_queryset(self) -> UploadQuerySet:
        """Without the bytes: who needs them asks for them by name."""
        return UploadQuerySet(self.model, using=self._db).defer("data")


class Upload(models.Model):
    """A file that somebody has sent to be attached: in the database, so that a bot on another
    machine has it too, and one backup holds all. It never changes.
    """

    # The formats that an embed shows. One of these was found in the file, not read off its name.
    PICTURE_TYPES: ClassVar[dict[str, str]] = {
        "image/png": "png",
        "image/jpeg": "jpg",
        "image/gif": "gif",
        "image/webp": "webp",
    }

    name = models.CharField(_("name"), max_length=FILE_NAME_LIMIT)
    content_type = models.CharField(_("content type"), max_length=100)
    size = models.PositiveIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)
    data = models.BinaryField()
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_with = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    notices = models.ManyToManyField(Notice, related_name="uploads")

    objects = UploadManager.from_queryset(UploadQuerySet)()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="upload_has_a_name"),
            models.CheckConstraint(condition=Q(size__gte=1), name="upload_is_not_empty"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["uploaded_at"], name="upload_by_time")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        return self.content_type in self.PICTURE_TYPES


class ErrorCode(models.IntegerChoices):
    """Our own reasons, beside Discord's codes and HTTP's (which are all above 99)."""

    EXPIRED = 1, _("expired")
    NO_ANSWER = 2, _("no answer")
    NOT_READABLE = 3, _("history not readable")
    LEFT = 4, _("left as it is")
    FILE_GONE = 5, _("file no longer kept")
    CHANNEL_TAKEN = 6, _("channel no longer the study's")
    SERVER_AWAY = 7, _("server out of reach")
    UNSENDABLE = 8, _("cannot be sent")
    NOT_FROM_DISCORD = 9, _("not Discord's answer")
    EMBED_REMOVED = 11, _("embed removed in Discord")
    TIMED_OUT = 12, _("bot timed out")
    A_SERVER = 13, _("a server's id")
    A_ROLE = 14, _("a role's id")
    CHANNEL_DELETED = 10003, _("channel deleted in Discord")
    MESSAGE_DELETED = 10008, _("message deleted in Discord")


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def send_again(self, now: datetime) -> list[int]:
        """Make due again what ended without showing what is wanted; the channels' ids."""
        # Where nobody can tell whether it is shown, the leader has decided: create, same nonce.
        self.filter(Delivery.UNDECIDED, wanted__isnull=False).update(
            state=Delivery.State.FAILED, unknown_since=None
        )
        ended = Delivery.UNDECIDED | Q(state=Delivery.State.FAILED)
        return self.filter(ended)._make_due(now)

    def look_again(self, now: datetime) -> list[int]:
        """As `send_again`, but what nobody can tell, or was left, is looked for first."""
        return self.filter(Delivery.UNDECIDED | Q(error_code=ErrorCode.LEFT))._make_due(now)

    def leave(self, now: datetime) -> list[int]:
        """End what nobody can tell as it is. It stays unknown: a later wish looks for it first."""
        undecided = self.filter(Delivery.UNDECIDED)
        channel_ids = list(undecided.values_list("channel_id", flat=True))
        undecided.filter(wanted=None).update(
            state=Delivery.State.WITHDRAWN, unknown_since=None, error_code=None, error_detail="",
            changed_at=now,
        )  # fmt: skip
        undecided.update(
            state=Delivery.State.FAILED, error_code=ErrorCode.LEFT, error_detail="", changed_at=now
        )
        return channel_ids

    def _make_due(self, now: datetime) -> list[int]:
        channel_ids = list(self.values_list("channel_id", flat=True))
        self.update(
            state=Case(
                When(unknown_since__isnull=False, then=Value(Delivery.State.UNKNOWN)),
                default=Value(Delivery.State.WAITING),
            ),
            due_at=now,
            tries=0,
            setbacks=0,
            error_code=None,
            error_detail="",
        )
        return channel_ids


class Delivery(models.Model):
    """A notice in a channel: what it should show, and what it does show.

                ┌────────── transient error: due again later ─────────┐
                ▼                                                      │
     waiting ──claim──► sending ──shown = wanted──► sent ──edited/withdrawn──► waiting
                           │            └─ nothing wanted, nothing shown ──► withdrawn
                           ├── refused for good ──► failed (code, reason, what to do about it)
                           └── outcome unknown  ──► unknown ──nonce or history──► sent | waiting

    `wanted` and `shown` are revisions of the notice; null is nothing. `due_at` is the moment of
    the next request, null when none is due; while sending it is the end of the lease.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("unknown")
        WITHDRAWN = "withdrawn", _("withdrawn")

    # Nobody can find out whether it is shown: a person has to look.
    UNDECIDED = Q(state=State.UNKNOWN, due_at=None)
    # As far as anybody knows.
    MAY_BE_SHOWN = Q(shown__isnull=False) | Q(unknown_since__isnull=False) | Q(state=State.SENDING)

    notice = models.ForeignKey(
        Notice,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,  # `delivery_once_per_channel` begins with it
        verbose_name=_("notice"),
    )
    channel = models.ForeignKey(
        Channel, on_delete=models.PROTECT, related_name="deliveries", verbose_name=_("channel")
    )
    wanted = models.PositiveIntegerField(_("wanted revision"), null=True, blank=True)
    shown = models.PositiveIntegerField(_("shown revision"), null=True, blank=True)
    message_id = models.BigIntegerField(_("message"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.WAITING)
    nonce = models.CharField(max_length=25, default=new_nonce, editable=False)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    expires_at = models.DateTimeField(_("not after"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    setbacks = models.PositiveSmallIntegerField(
        default=0, help_text=_("Requests since the last success; the pauses grow with it.")
    )
    unknown_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("Begin of the first create, or delete, whose outcome nobody knows yet."),
    )
    error_code = models.IntegerField(_("error code"), null=True, blank=True)
    error_detail = models.CharField(_("error"), max_length=DETAIL_LIMIT, blank=True)
    claim = models.BigIntegerField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once_per_channel"),
            models.UniqueConstraint(fields=["nonce"], name="delivery_nonce_is_its_own"),
            models.UniqueConstraint(
                fields=["message_id"],
                condition=Q(message_id__isnull=False),
                name="delivery_message_is_its_own",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["waiting", "sending", "sent", "failed", "unknown", "withdrawn"]
                ),
                name="delivery_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(shown__isnull=True, message_id__isnull=True)
                | Q(shown__isnull=False, message_id__isnull=False),
                name="delivery_shown_has_a_message",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent")
                | Q(shown__isnull=False, wanted=F("shown"), due_at__isnull=True),
                name="delivery_sent_shows_what_is_wanted",
            ),
            models.CheckConstraint(
                condition=~Q(state="withdrawn")
                | Q(shown__isnull=True, wanted__isnull=True, due_at__isnull=True),
                name="delivery_withdrawn_shows_nothing",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | Q(error_code__isnull=False, due_at__isnull=True),
                name="delivery_failed_has_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "sending"]) | Q(due_at__isnull=False),
                name="delivery_under_way_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(claim__isnull=False),
                name="delivery_sending_is_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(state="unknown") | Q(unknown_since__isnull=False),
                name="delivery_unknown_since_when",
            ),
        ]
        indexes = [
            # The claim: creates first, then edits and deletes, each by the moment they are due.
            models.Index(
                fields=["due_at", "id"],
                condition=Q(due_at__isnull=False, message_id__isnull=True),
                name="delivery_due_create",
            ),
            models.Index(
                fields=["due_at", "id"],
                condition=Q(due_at__isnull=False, message_id__isnull=False),
                name="delivery_due_change",
            ),
            # The sweep: what a bot had in hand when it died.
            models.Index(fields=["id"], condition=Q(state="sending"), name="delivery_sending"),
            # Pruning: what was settled long ago.
            models.Index(
                fields=["changed_at"], condition=Q(due_at__isnull=True), name="delivery_settled"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} → {self.channel_id}"

    @property
    def message_url(self) -> str | None:
        """Where a person sees the message; null while none is shown."""
        if self.message_id is None:
            return None
        return f"{self.channel.url}/{self.message_id}"


class Attempt(models.Model):
    """One request to Discord: written before it goes out, closed when answered, never edited."""

    class Action(models.TextChoices):
        CREATE = "create", _("create")
        EDIT = "edit", _("edit")
        DELETE = "delete", _("delete")
        LOOK_UP = "look_up", _("look up")

    class Outcome(models.TextChoices):
        SHOWN = "shown", _("shown")
        GONE = "gone", _("gone")
        ABSENT = "absent", _("not found")
        TRANSIENT = "transient", _("try again")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("unknown")

    delivery = models.ForeignKey(
        Delivery,
        on_delete=models.CASCADE,
        related_name="attempts",
        db_index=False,  # `attempt_once_per_claim` begins with it
        verbose_name=_("delivery"),
    )
    action = models.CharField(_("action"), max_length=8, choices=Action)
    revision = models.PositiveIntegerField(_("revision"), null=True, blank=True)
    nonce = models.CharField(max_length=25)
    claim = models.BigIntegerField()
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, null=True, blank=True)
    code = models.IntegerField(_("code"), null=True, blank=True)
    detail = models.CharField(_("detail"), max_length=DETAIL_LIMIT, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["delivery", "claim"], name="attempt_once_per_claim"),
            models.CheckConstraint(
                condition=Q(action__in=["create", "edit", "delete", "look_up"]),
                name="attempt_action_is_known",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, outcome__isnull=True)
                | Q(ended_at__isnull=False, outcome__isnull=False),
                name="attempt_ended_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(outcome__isnull=True)
                | Q(outcome__in=["shown", "gone", "absent", "transient", "refused", "unknown"]),
                name="attempt_outcome_is_known",
            ),
        ]
        # A restarted bot's look at the last seconds, and pruning.
        indexes = [models.Index(fields=["begun_at"], name="attempt_by_time")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.begun_at:%Y-%m-%d %H:%M:%S}"


class ChangeManager(models.Manager["Change"]):
    def entry(self, notice: Notice, studies: StudyQuerySet) -> Change | None:
        """The change that last brought the notice here from a study that is none of these.

        What was before it is that study's, and told to nobody who may read only these.
        """
        moves = self.filter(notice=notice, differences__has_key="study_id").order_by("-id")
        if not moves:
            return None
        known = set(studies.values_list("pk", flat=True))
        return next((one for one in moves if one.differences["study_id"][0] not in known), None)

    @contextmanager
    def recording(
        self, notice_ids: Iterable[int], fields: Collection[str] | None = None, *, by: Actor = None
    ) -> Iterator[None]:
        """Write down what the block changes, compared with what the database held before.

        `fields`: the only ones that it may change; if none are named, all and the channels.
        """
        with transaction.atomic():
            before = _written(list(notice_ids), fields)
            yield
            after = _written(list(before), fields)
            self.bulk_create(
                Change(
                    notice_id=pk, deed=Change.Deed.CHANGED, differences=differences,
                    revision=row.revision, **_actor(by),
                )
                for pk, row in after.items()
                if (differences := row.differences_from(before[pk]))
            )  # fmt: skip

    def did(self, deed: str, notice: Notice, by: Actor, channel_ids: Collection[int] = ()) -> None:
        self.create(
            notice=notice, deed=deed, revision=notice.revision, channel_ids=list(channel_ids),
            **_actor(by),
        )  # fmt: skip


class Change(models.Model):
    """What somebody did to a notice: written with what was done, never edited.

    `differences` holds what was and what is, `{"title": ["7주차", "8주차"]}`, as JSON knows it;
    channels by their ids. Neither `user` nor `key`: it came from a command, or in bulk.
    """

    class Deed(models.TextChoices):
        CHANGED = "changed"
        WITHDRAWN = "withdrawn"
        SENT_AGAIN = "sent_again"
        LOOKED_AGAIN = "looked_again"
        LEFT = "left"

    FIELDS = frozenset(
        {"study_id", "title", "content", "author", "url", "image", "attachments", "ping"}
        | Notice.FANNED_OUT_FIELDS
    )

    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="changes", verbose_name=_("notice")
    )
    at = models.DateTimeField(default=timezone.now)
    deed = models.CharField(max_length=12, choices=Deed)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="+")
    revision = models.PositiveIntegerField()
    differences = models.JSONField(default=dict)
    channel_ids = models.JSONField(default=list)

    objects = ChangeManager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    deed__in=["changed", "withdrawn", "sent_again", "looked_again", "left"]
                ),
                name="change_deed_is_known",
            ),
            models.CheckConstraint(
                condition=Q(user=None) | Q(key=None), name="change_has_one_author"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deed} {self.at:%Y-%m-%d %H:%M:%S}"


def _actor(by: Actor) -> dict[str, Any]:
    return {"key" if isinstance(by, ApiKey) else "user": by}


class _Written(NamedTuple):
    """What a notice says, as JSON knows it."""

    revision: int
    values: dict[str, Any]

    def differences_from(self, before: _Written) -> dict[str, list[Any]]:
        return {
            name: [before.values[name], value]
            for name, value in self.values.items()
            if before.values[name] != value
        }


def _written(notice_ids: Collection[int], fields: Collection[str] | None) -> dict[int, _Written]:
    """By the notices' ids, their rows locked."""
    names = sorted(Change.FIELDS if fields is None else fields)
    rows = Notice.objects.select_for_update().order_by("pk")  # as whoever writes deliveries does
    locked = rows.only("revision", *names).in_bulk(notice_ids)
    found = {
        pk: _Written(notice.revision, {name: _plain(getattr(notice, name)) for name in names})
        for pk, notice in locked.items()
    }
    if fields is None:
        for pk, notice in locked.items():
            ids = notice.channels.order_by("pk").values_list("pk", flat=True)
            found[pk].values["channels"] = list(ids)
    return found


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def new_secret() -> str:
    """As Standard Webhooks writes one."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def every_event() -> list[str]:
    return list(CallbackMessage.Type.values)


class CallbackEndpointQuerySet(models.QuerySet["CallbackEndpoint"]):
    def with_rights(self, study_ids: Collection[int]) -> Self:
        """With what `silence` reads, as far as these studies are concerned. Four queries."""
        concerned = Study.objects.filter(pk__in=study_ids).only("pk").order_by()
        return self.select_related("key", "owner").prefetch_related(
            *(
                Prefetch(f"{whose}studies", concerned, to_attr="concerned")
                for whose in ("", "key__", "owner__")
            )
        )


class CallbackEndpoint(models.Model):
    """An address of a frontend's that is told what becomes of notices."""

    url = models.CharField(_("address"), max_length=URL_LIMIT, validators=[http_url])
    # Kept as it is: every message is signed with it.
    secret = models.CharField(_("secret"), max_length=80, default=new_secret, editable=False)
    studies = models.ManyToManyField(Study, related_name="+", blank=True, verbose_name=_("studies"))
    all_studies = models.BooleanField(
        _("every study"), default=False, help_text=_("Told of every study, later ones too.")
    )
    events = models.JSONField(_("events"), default=every_event)
    active = models.BooleanField(_("active"), default=True)
    key = models.ForeignKey(
        ApiKey, null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="+", verbose_name=_("registered with the key"),
    )  # fmt: skip
    # With neither a key nor an owner it is the site's own: it was made before owners were kept.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="+", verbose_name=_("answered for by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    setbacks = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text=_("Failures since the last success.")
    )
    # Until then it is left alone: it has failed, or a worker is at it, whose lease this is.
    rests_until = models.DateTimeField(_("rests until"), null=True, blank=True, editable=False)
    # The longest of its last requests: a slow one is begun only while there is time for it.
    seconds = models.FloatField(default=0, editable=False)

    objects = CallbackEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.url

    def silence(self, study_id: int) -> str:
        """Why it may not be told of this study at this moment; empty where it may.

        Of an endpoint that was read `with_rights`.
        """
        if not self.active:
            return "it is switched off"
        if not _knows(self, study_id):
            return "it does not listen to the notice's study"
        if self.key is not None:
            return _silence_of_key(self.key, study_id)
        return _silence_of_owner(self.owner, study_id)


def _silence_of_key(key: ApiKey, study_id: int) -> str:
    if not key.is_usable:
        return "its key is revoked or has expired"
    return "" if _knows(key, study_id) else "its key may not read the notice's study"


def _silence_of_owner(owner: Any, study_id: int) -> str:
    if owner is None or (owner.is_active and owner.is_superuser):
        return ""
    if not owner.is_active:
        return "the account that answers for it is switched off"
    if study_id in {study.pk for study in owner.concerned}:
        return ""
    return "the account that answers for it may not read the notice's study"


def _knows(listener: Any, study_id: int) -> bool:
    """Of a key or an endpoint."""
    return listener.all_studies or study_id in {study.pk for study in listener.concerned}


class CallbackMessageQuerySet(models.QuerySet["CallbackMessage"]):
    def due(self, now: datetime) -> Self:
        """In the order of the events (index callback_message_due)."""
        return self.filter(due_at__lte=now).order_by("id")

    def send_again(self, now: datetime) -> int:
        """Once more, as often as a new one; the receiver knows it again by its id."""
        return self.exclude(state=CallbackMessage.State.WAITING).update(
            state=CallbackMessage.State.WAITING,
            due_at=now,
            expires_at=now + CallbackMessage.GIVEN_UP_AFTER,
            tries=0,
        )


def new_message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


class CallbackMessage(models.Model):
    """An event, for one endpoint: written in the transaction of what it tells of.

    waiting ──2xx──► delivered
       │ └─ anything else: due again later, for a day
       └──► failed
    """

    class Type(models.TextChoices):
        QUEUED = "notice.queued", _("published")
        SENT = "notice.sent", _("sent")
        FAILED = "notice.failed", _("failed, or failed in part")
        EDITED = "notice.edited", _("edited")
        WITHDRAWN = "notice.withdrawn", _("withdrawn")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    GIVEN_UP_AFTER = timedelta(days=1)

    message_id = models.CharField(
        _("message id"), max_length=32, unique=True, default=new_message_id
    )
    endpoint = models.ForeignKey(
        CallbackEndpoint, on_delete=models.CASCADE, related_name="messages",
        verbose_name=_("callback"),
    )  # fmt: skip
    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="+", verbose_name=_("notice")
    )
    type = models.CharField(_("event"), max_length=20, choices=Type)
    payload = models.TextField(_("payload"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    expires_at = models.DateTimeField(_("not after"))
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    code = models.PositiveSmallIntegerField(_("last answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=DETAIL_LIMIT, blank=True)
    created_at = models.DateTimeField(_("created"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = CallbackMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("callback message")
        verbose_name_plural = _("callback messages")
        ordering = ("-id",)
        constraints = [
            # Whoever comes first: the leader who publishes, or the bot that claims what was
            # scheduled.
            models.UniqueConstraint(
                fields=["endpoint", "notice"],
                condition=Q(type="notice.queued"),
                name="callback_message_tells_once_of_publishing",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", due_at__isnull=False)
                | Q(state__in=["delivered", "failed"], due_at__isnull=True),
                name="callback_message_is_due_while_it_waits",
            ),
        ]
        indexes = [
            # What goes next to an endpoint.
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(due_at__isnull=False),
                name="callback_message_due",
            ),
            # Pruning.
            models.Index(fields=["created_at"], name="callback_message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"


class BotInstance(models.Model):
    """A running bot: it says here that it is alive, and which shards it serves."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    started_at = models.DateTimeField(_("started"))
    heartbeat_at = models.DateTimeField(_("heartbeat"))
    is_active = models.BooleanField(_("active"), default=False)
    display_name = models.CharField(_("name in Discord"), max_length=100, blank=True, db_default="")
    application_id = models.BigIntegerField(
        _("application id"), null=True, help_text=_("Whom an invite link invites.")
    )
    shard_ids = models.JSONField(_("shards"), null=True, blank=True)
    shard_count = models.PositiveIntegerField(_("shard count"), null=True, blank=True)
    gateway_latency_ms = models.PositiveIntegerField(_("gateway latency (ms)"), null=True)
    paused_since = models.DateTimeField(
        _("paused since"), null=True, blank=True, help_text=_("Discord fails, and all wait.")
    )

    class Meta:
        verbose_name = _("bot")
        verbose_name_plural = _("bots")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Pause(models.Model):
    """A channel that is left alone: Discord named a pause there, or it is out of reach.

    Kept so that a bot that starts anew does not ask what it was told not to ask.
    """

    EVERYTHING = 0
    """In place of a channel's id."""

    channel_id = models.BigIntegerField()
    # Discord limits making messages and changing them each by itself.
    of_creates = models.BooleanField(default=True)
    is_named = models.BooleanField(default=True)
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel_id", "of_creates"], name="pause_is_one")
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} until {self.until}"


class Tally(models.Model):
    """A number that only grows, for /metrics: counted where what it counts is committed."""

    name = models.CharField(max_length=40)
    label = models.CharField(max_length=80, blank=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "label"], name="tally_is_one")]

    def __str__(self) -> str:
        return f"{self.name}{{{self.label}}} {self.value}"
