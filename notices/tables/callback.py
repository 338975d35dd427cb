"""The endpoints of frontends that are told about notices, and the messages to them."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notices.outside import chance, clock
from notices.tables.key import ApiKey
from notices.tables.limits import DETAIL_LIMIT, URL_LIMIT, http_url


def new_secret() -> str:
    """Return a signing secret in the format of Standard Webhooks."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def every_event() -> list[str]:
    return list(CallbackMessage.Type.values)


class CallbackEndpoint(models.Model):
    """An address of a frontend that is told what happens to notices."""

    url = models.CharField(_("address"), max_length=URL_LIMIT, validators=[http_url])
    # It is not hashed, because each message is signed with it.
    secret = models.CharField(_("secret"), max_length=80, default=new_secret, editable=False)
    studies = models.ManyToManyField(
        "notices.Study", related_name="+", blank=True, verbose_name=_("studies")
    )
    all_studies = models.BooleanField(
        _("every study"), default=False, help_text=_("Told of every study, later ones too.")
    )
    events = models.JSONField(_("events"), default=every_event)
    active = models.BooleanField(_("active"), default=True)
    key = models.ForeignKey(
        ApiKey, null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="+", verbose_name=_("registered with the key"),
    )  # fmt: skip
    # Without a key and an owner the site answers for it: it is older than this column.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, editable=False, on_delete=models.CASCADE,
        related_name="+", verbose_name=_("answered for by"),
    )  # fmt: skip
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)
    setbacks = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text=_("Failures since the last success.")
    )
    # Until then nothing is sent: a pause after a failure, or the lease of the worker that sends.
    rests_until = models.DateTimeField(_("rests until"), null=True, blank=True, editable=False)
    # The longest of its last requests: a task begins one only if so much of its time is left.
    seconds = models.FloatField(default=0, editable=False)

    class Meta:
        verbose_name = _("callback")
        verbose_name_plural = _("callbacks")
        ordering = ("id",)

    def __str__(self) -> str:
        return self.url


class CallbackMessageQuerySet(models.QuerySet["CallbackMessage"]):
    def due(self, now: datetime) -> Self:
        """Return what is due, in the order of the events (index callback_message_due)."""
        return self.filter(due_at__lte=now).order_by("id")

    def send_again(self, now: datetime) -> int:
        """Make ended messages due with all tries of a new one; return how many.

        They keep their ids, by which receivers recognise repetitions.
        """
        return self.exclude(state=CallbackMessage.State.WAITING).update(
            state=CallbackMessage.State.WAITING,
            due_at=now,
            expires_at=now + CallbackMessage.GIVEN_UP_AFTER,
            tries=0,
        )


def new_message_id() -> str:
    return f"msg_{chance.bits(96):024x}"


class CallbackMessage(models.Model):
    """An event for one endpoint, written in the transaction of what it tells of.

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
        "notices.Notice", on_delete=models.CASCADE, related_name="+", verbose_name=_("notice")
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
            # Both the leader's save and the bot's claim of a scheduled notice may write it.
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
            # The next message to an endpoint.
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
