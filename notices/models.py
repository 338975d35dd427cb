"""The central tables: studies, channels, roles, notices, deliveries and attempts.

`actions.py` has what a person does to a notice, `delivery/` writes what the bot finds out, and
`tables/` has the other tables.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _

from notices.outside import chance, clock
from notices.sql import Minus
from notices.tables import limits, notice_fields, revision
from notices.tables.bot import BotInstance, Pause, Tally
from notices.tables.callback import (
    CallbackEndpoint,
    CallbackMessage,
    every_event,
    new_message_id,
    new_secret,
)
from notices.tables.change import Actor, AnyUser, Change
from notices.tables.conditions import all_or_none, check, given, null
from notices.tables.error_code import ErrorCode
from notices.tables.invitation import Invitation
from notices.tables.key import ApiKey, KeptAnswer
from notices.tables.limits import default_time_zone, validate_not_blank, validate_time_zone
from notices.tables.notice_fields import AUTHOR_LIMIT, CONTENT_LIMIT, TITLE_LIMIT
from notices.tables.person import Membership, Person
from notices.tables.study_role import Right, StudyRole, giving
from notices.tables.submission import Submission
from notices.tables.upload import Upload

# All tables, for whoever imports one; the functions are here because old migrations name them.
__all__ = [
    "Actor", "ApiKey", "Attempt", "BotInstance", "CallbackEndpoint", "CallbackMessage", "Change",
    "Channel", "ChannelQuerySet", "Delivery", "ErrorCode", "Invitation", "KeptAnswer", "Membership",
    "Minus", "Notice", "NoticeQuerySet", "Pause", "Person", "Right", "Role", "RoleQuerySet",
    "Study", "StudyQuerySet", "StudyRole", "Submission", "Tally", "Upload", "default_time_zone",
    "every_event", "new_message_id", "new_nonce", "new_secret", "notice_saved",
    "validate_not_blank", "validate_time_zone",
]  # fmt: skip

# A person reads a reference off a message and types it, so 0/O, 1/I/L and U are left out.
_REFERENCE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
REFERENCE_LENGTH = 10

# Sent within the transaction that saves a notice. `before` is its former status and revision, or
# None for a new notice.
notice_saved = Signal()


def new_nonce() -> str:
    """Return a random nonce; Discord allows at most 25 characters."""
    return "".join(chance.pick(_REFERENCE_ALPHABET) for _n in range(REFERENCE_LENGTH))


class ChannelQuerySet(models.QuerySet["Channel"]):
    def allowing(self, right: Right, user: AnyUser) -> Self:
        """Return the channels of the studies that allow it, or all for a site admin."""
        if user.is_superuser:
            return self
        return self.filter(studies__in=Study.objects.allowing(right, user)).distinct()


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

    # Other types are stored if somebody entered such a channel's id.
    TYPES_WITH_MESSAGES = frozenset({
        Type.TEXT, Type.VOICE, Type.ANNOUNCEMENT, Type.ANNOUNCEMENT_THREAD, Type.PUBLIC_THREAD,
        Type.PRIVATE_THREAD, Type.STAGE,
    })  # fmt: skip

    id = models.BigIntegerField(_("channel id"), primary_key=True)
    guild_id = models.BigIntegerField(_("guild id"), null=True, blank=True)
    guild_name = models.CharField(_("server"), max_length=100, blank=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    type = models.PositiveSmallIntegerField(_("type"), choices=Type, default=Type.TEXT)
    # Set for a thread, which Discord deletes with this channel.
    parent_id = models.BigIntegerField(_("channel of the thread"), null=True, blank=True)
    is_archived = models.BooleanField(_("archived"), default=False, db_default=False)
    is_locked = models.BooleanField(_("locked"), default=False, db_default=False)
    # A timeout takes permissions away for a while; these are the ones without it.
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
            check("channel_id_is_positive", Q(id__gt=0)),
            check("channel_refusal_has_time_and_code", all_or_none("refused_at", "refused_code")),
        ]
        # The bot's update of a guild reads the guild's channels.
        indexes = [models.Index(fields=["guild_id"], name="channel_of_guild")]

    def __str__(self) -> str:
        if not self.name:
            return str(self.id)
        return f"#{self.name} ({self.guild_name})" if self.guild_name else f"#{self.name}"

    @property
    def short_name(self) -> str:
        """The name without its server's."""
        return f"#{self.name}" if self.name else str(self.pk)

    @property
    def url(self) -> str:
        """The channel's address in Discord."""
        return f"{settings.DISCORD_APP_URL}/channels/{self.guild_id or '@me'}/{self.pk}"


class RoleQuerySet(models.QuerySet["Role"]):
    def pickable_for(self, study: Study) -> Self:
        """Return the roles that a study can ping: those of its servers except @everyone."""
        return self.of_study(study).exclude(pk=F("guild_id"))

    def of_study(self, study: Study) -> Self:
        """Return the roles of the servers that have channels of the study, with @everyone."""
        guilds = study.channels.filter(guild_id__isnull=False).values("guild_id")
        return self.filter(guild_id__in=guilds)

    def ask_to_count(self, now: datetime) -> int:
        """Have the bot count the servers' people again, unless it has just done so."""
        return self.filter(pk=F("guild_id"), counted_at__lt=now - Role.COUNTED_RECENTLY).update(
            counted_at=None
        )

    def to_count(self, before: datetime) -> Self:
        """Return @everyone of each server with a study whose last count is older than `before`."""
        with_study = Channel.objects.filter(studies__isnull=False, guild_id__isnull=False)
        return self.filter(
            Q(counted_at=None) | Q(counted_at__lt=before),
            pk=F("guild_id"),
            guild_id__in=with_study.values("guild_id"),
        )


class Role(models.Model):
    """A Discord role as the bot last saw it, kept in step by the gateway's events.

    As in Discord, @everyone is the role that has the guild's id; its members are the guild's.
    """

    # Picking a ping starts a count of the people, at most this often.
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
        constraints = [check("role_id_is_positive", Q(id__gt=0))]
        # The bot's update of a guild, and the study's page, read the guild's roles.
        indexes = [models.Index(fields=["guild_id"], name="role_of_guild")]

    def __str__(self) -> str:
        return f"@{self.name.removeprefix('@')}"


class StudyQuerySet(models.QuerySet["Study"]):
    def allowing(self, right: Right, user: AnyUser) -> Self:
        """Return the studies in which the user may do this: all of them for a site admin."""
        return self if user.is_superuser else self.filter(giving(right, user))

    def without_leader(self) -> Self:
        leads = StudyRole.objects.filter(study=OuterRef("pk"), role=StudyRole.Role.LEADER)
        return self.filter(~Exists(leads))

    def open_to(self, key: ApiKey) -> Self:
        return self if key.all_studies else self.filter(api_keys=key)


class Study(models.Model):
    """A study group: its leaders write notices, and its channels show them."""

    class Language(models.TextChoices):
        KOREAN = "ko", _("Korean")
        ENGLISH = "en", _("English")

    name = models.CharField(
        _("name"), max_length=limits.STUDY_NAME_LIMIT, validators=[validate_not_blank]
    )
    accounts = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through=StudyRole, related_name="studies"
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
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    objects = StudyQuerySet.as_manager()

    class Meta:
        verbose_name = _("study")
        verbose_name_plural = _("studies")
        ordering = ("name", "id")
        constraints = [
            check("study_has_a_name", ~Q(name="")),
            check("study_colour_is_rgb", Q(colour__lte=0xFFFFFF)),
            check("study_language_is_known", Q(language__in=["ko", "en"])),
            check("study_ping_role_is_positive", null("ping_role_id") | Q(ping_role_id__gt=0)),
        ]

    def __str__(self) -> str:
        return self.name


class NoticeQuerySet(models.QuerySet["Notice"]):
    def allowing(self, right: Right, user: AnyUser) -> Self:
        if user.is_superuser:
            return self
        return self.filter(study__in=Study.objects.allowing(right, user))

    def waiting(self) -> Self:
        """Return drafts and scheduled notices (of a key: index notice_waiting_of_key)."""
        return self.filter(status__in=["draft", "scheduled"])

    def not_fanned_out(self) -> Self:
        """Return notices with a change that is not fanned out yet (index notice_to_fan_out)."""
        return self.filter(revision__gt=F("fanned_out_revision"))

    def in_status(self, status: str, now: datetime) -> Self:
        """Filter by the status at `now`: a scheduled notice becomes queued without a write."""
        if status == Notice.Status.SCHEDULED:
            return self.filter(status=status, publish_at__gt=now)
        if status == Notice.Status.QUEUED:
            struck = Q(status=Notice.Status.SCHEDULED, publish_at__lte=now)
            return self.filter(Q(status=status) | struck)
        return self.filter(status=status)

    def update(self, **changes: Any) -> int:
        """A bulk change is a change too: it counts up what the sweep looks for."""
        revision.count_in_bulk(Notice, changes)
        touched = Change.FIELDS & notice_fields.columns(changes)
        if not touched:
            return super().update(**changes)
        with Change.objects.recording(self.values_list("pk", flat=True), touched):
            return super().update(**changes)

    update.alters_data = True  # type: ignore[attr-defined]


class Notice(models.Model):
    """A leader's text, with its status.

        draft ──publish──► scheduled ──the hour──► queued ──► sending ──► sent
                                                                 │  ├──► partly_sent
                                                                 │  └──► failed
              withdrawn ◄──all messages gone── sending ◄──withdraw──┘

    `status` is computed from the deliveries in SQL (`statuses.refresh`), never set by hand.
    `revision` counts changes of what is shown. `fanned_out_revision` is the revision that the
    deliveries know; 0 means that something else has changed (channels, times, withdrawal).
    An archived notice cannot change, since `upkeep/pruning.py` has deleted its deliveries.
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
    ON_ITS_WAY = (Status.QUEUED, Status.SENDING)
    SETTLED = (Status.SENT, Status.PARTLY_SENT, Status.FAILED)

    # No index of its own: `notice_of_study` begins with it.
    study = models.ForeignKey(
        Study, on_delete=models.PROTECT, related_name="notices", db_index=False,
        verbose_name=_("study"),
    )  # fmt: skip
    channels = models.ManyToManyField(
        Channel, related_name="notices", blank=True, verbose_name=_("channels")
    )
    title = models.CharField(_("title"), max_length=TITLE_LIMIT, validators=[validate_not_blank])
    content = models.TextField(
        _("content"), validators=[MaxLengthValidator(CONTENT_LIMIT), validate_not_blank],
        help_text=_("Discord's Markdown; at most 4096 characters."),
    )  # fmt: skip
    author = models.CharField(_("author"), max_length=AUTHOR_LIMIT, blank=True)
    url = models.CharField(
        _("link"), max_length=limits.URL_LIMIT, blank=True, validators=[limits.http_url],
        help_text=_("Opens when the title is clicked."),
    )  # fmt: skip
    image = models.CharField(
        _("picture"), max_length=limits.URL_LIMIT, blank=True, validators=[limits.http_url],
        help_text=_("The address of a picture on the web."),
    )  # fmt: skip
    # In the form of `files/attached.py`: it describes the files without reading them, and still
    # does so in the history after they are deleted.
    attachments = models.JSONField(_("files"), default=list, blank=True)
    ping = models.CharField(_("ping"), max_length=8, choices=Ping, default=Ping.NONE)
    publish_at = models.DateTimeField(
        _("publish at"), null=True, blank=True, help_text=_("Empty: a draft.")
    )
    expires_at = models.DateTimeField(
        _("not after"), null=True, blank=True,
        help_text=_("Where it could not be shown by then, it is no longer sent."),
    )  # fmt: skip
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True, editable=False)
    # Set when its deliveries are pruned, after which its messages cannot be changed.
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.SET_NULL,
        related_name="+", verbose_name=_("written by"),
    )  # fmt: skip
    # No index of its own: no query needs it, and it would slow down each insert.
    created_with = models.ForeignKey(
        ApiKey, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+",
        db_index=False, verbose_name=_("written with the key"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=clock.now, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    fanned_out_revision = models.PositiveIntegerField(default=0, editable=False)
    # The revision that last changed the attachments: a message that shows this revision or a
    # later one has the right files.
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
            check("notice_has_a_title", ~Q(title="")),
            check("notice_has_content", ~Q(content="")),
            check("notice_ping_is_known", Q(ping__in=["none", "role", "here", "everyone"])),
            check("notice_status_is_known", Q(status__in=[
                "draft", "scheduled", "queued", "sending", "sent", "partly_sent", "failed",
                "withdrawn",
            ])),
            check("notice_revision_from_1", Q(revision__gte=1)),
            check("notice_fanned_out_is_not_ahead", Q(fanned_out_revision__lte=F("revision"))),
            check("notice_expires_after_publishing", null("expires_at") | null("publish_at")
                   | Q(expires_at__gt=F("publish_at"))),
            check("notice_withdrawn_was_published", null("withdrawn_at") | given("publish_at")),
        ]  # fmt: skip
        indexes = [
            # The sweep and /readyz: notices that are not fanned out, the oldest first.
            models.Index(fields=["changed_at"], name="notice_to_fan_out",
                         condition=Q(revision__gt=F("fanned_out_revision"))),
            # The lists of the desk and the API (`paging`), by study and status. With a plain id in
            # place of Minus, PostgreSQL would scan the primary key past all other studies.
            models.Index("study", Minus("id"), name="notice_of_study"),
            models.Index("status", Minus("id"), name="notice_by_status"),
            models.Index("study", "status", Minus("id"), name="notice_of_study_by_status"),
            # The quota of a key's waiting notices; one that is published at once is never in it.
            models.Index(fields=["created_with"], name="notice_waiting_of_key",
                         condition=Q(status__in=["draft", "scheduled"])),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the editable fields; count the revision up if what is shown changes.

        The database compares old and new values, since this process may have loaded old ones.
        For the same reason save() writes fields that are not editable only if they are named.
        """
        # A savepoint would cost each notice two statements, and nobody goes on after a failed save.
        with transaction.atomic(savepoint=False):
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
        counted = revision.counted(self, fields)
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
        """The stored status, except that a scheduled notice whose moment has come is queued."""
        struck = self.publish_at is not None and self.publish_at <= clock.now()
        if self.status == self.Status.SCHEDULED and struck:
            return self.Status.QUEUED
        return self.status

    def _editable_fields(self) -> set[str]:
        concrete = self._meta.concrete_fields
        return {field.name for field in concrete if field.editable and not field.primary_key}

    def first_status(self) -> str:
        if self.publish_at is None:
            return self.Status.DRAFT
        if self.publish_at > clock.now():
            return self.Status.SCHEDULED
        return self.Status.QUEUED

    def allowed_channels(self) -> ChannelQuerySet:
        """Return its study's channels and those that show it, where it can still be edited."""
        standing = self.deliveries.filter(Delivery.MAY_BE_SHOWN).values("channel")
        return Channel.objects.filter(Q(studies=self.study_id) | Q(pk__in=standing)).distinct()


class Delivery(models.Model):
    """One notice in one channel: the revision that it should show, and the one that it shows.

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

    # The bot cannot find out whether it is shown, so a person has to look.
    UNDECIDED = Q(state=State.UNKNOWN, due_at=None)
    # A message may be in the channel: it is shown, or a request's outcome is not known yet.
    MAY_BE_SHOWN = Q(shown__isnull=False) | Q(unknown_since__isnull=False) | Q(state=State.SENDING)

    # No index of its own: `delivery_once_per_channel` begins with it.
    notice = models.ForeignKey(
        Notice, on_delete=models.CASCADE, related_name="deliveries", db_index=False,
        verbose_name=_("notice"),
    )  # fmt: skip
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
    tries = models.PositiveSmallIntegerField(_("tries"), default=0, db_default=0)
    setbacks = models.PositiveSmallIntegerField(
        default=0, db_default=0,
        help_text=_("Requests since the last success; the pauses grow with it."),
    )  # fmt: skip
    unknown_since = models.DateTimeField(
        null=True, blank=True,
        help_text=_("Begin of the first create, or delete, whose outcome nobody knows yet."),
    )  # fmt: skip
    error_code = models.IntegerField(_("error code"), null=True, blank=True)
    error_detail = models.CharField(
        _("error"), max_length=limits.DETAIL_LIMIT, blank=True, db_default=""
    )
    claim = models.BigIntegerField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel"], name="delivery_once_per_channel"),
            models.UniqueConstraint(fields=["nonce"], name="delivery_nonce_is_its_own"),
            models.UniqueConstraint(fields=["message_id"], condition=given("message_id"),
                                    name="delivery_message_is_its_own"),
            check("delivery_state_is_known", Q(state__in=[
                "waiting", "sending", "sent", "failed", "unknown", "withdrawn",
            ])),
            check("delivery_shown_has_a_message", all_or_none("shown", "message_id")),
            check("delivery_sent_shows_what_is_wanted", ~Q(state="sent")
                   | Q(shown__isnull=False, wanted=F("shown"), due_at__isnull=True)),
            check("delivery_withdrawn_shows_nothing", ~Q(state="withdrawn")
                   | null("shown", "wanted", "due_at")),
            check("delivery_failed_has_a_reason", ~Q(state="failed")
                   | Q(error_code__isnull=False, due_at__isnull=True)),
            check("delivery_under_way_is_due", ~Q(state__in=["waiting", "sending"])
                   | given("due_at")),
            check("delivery_sending_is_claimed", ~Q(state="sending") | given("claim")),
            check("delivery_unknown_since_when", ~Q(state="unknown") | given("unknown_since")),
        ]  # fmt: skip
        indexes = [
            # The claim: creates first, then edits and deletes, both in the order of `due_at`.
            models.Index(fields=["due_at", "id"], name="delivery_due_create",
                         condition=Q(due_at__isnull=False, message_id__isnull=True)),
            models.Index(fields=["due_at", "id"], name="delivery_due_change",
                         condition=given("due_at", "message_id")),
            # The take-over by a new bot: what the last one had claimed when it died.
            models.Index(fields=["id"], condition=Q(state="sending"), name="delivery_sending"),
            # Pruning: deliveries that ended long ago.
            models.Index(fields=["changed_at"], condition=null("due_at"), name="delivery_settled"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.notice_id} → {self.channel_id}"

    @property
    def message_url(self) -> str | None:
        """The message's address in Discord, or None while none is shown."""
        if self.message_id is None:
            return None
        return f"{self.channel.url}/{self.message_id}"


class Attempt(models.Model):
    """One request to Discord: written before it goes out, and completed by its answer."""

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

    # No index of its own: `attempt_once_per_claim` begins with it.
    delivery = models.ForeignKey(
        Delivery, on_delete=models.CASCADE, related_name="attempts", db_index=False,
        verbose_name=_("delivery"),
    )  # fmt: skip
    action = models.CharField(_("action"), max_length=8, choices=Action)
    revision = models.PositiveIntegerField(_("revision"), null=True, blank=True)
    nonce = models.CharField(max_length=25)
    claim = models.BigIntegerField()
    begun_at = models.DateTimeField(_("begun"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome, null=True, blank=True)
    code = models.IntegerField(_("code"), null=True, blank=True)
    detail = models.CharField(
        _("detail"), max_length=limits.DETAIL_LIMIT, blank=True, db_default=""
    )

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["delivery", "claim"], name="attempt_once_per_claim"),
            check("attempt_action_is_known",
                   Q(action__in=["create", "edit", "delete", "look_up"])),
            check("attempt_ended_has_an_outcome", all_or_none("ended_at", "outcome")),
            check("attempt_outcome_is_known", null("outcome") | Q(outcome__in=[
                "shown", "gone", "absent", "transient", "refused", "unknown",
            ])),
        ]  # fmt: skip
        # A restarted bot reads the last seconds, and pruning the oldest.
        indexes = [models.Index(fields=["begun_at"], name="attempt_by_time")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.begun_at:%Y-%m-%d %H:%M:%S}"
