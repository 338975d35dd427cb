"""Frontends' API keys, and the answers to their requests that are kept for repetitions."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from notices.sql import CompiledQuery, Parameter

# Arguments: old, successor.
key_rotated = Signal()


class ApiKeyManager(BaseAPIKeyManager):
    def get_from_key(self, key: str) -> ApiKey:
        """As the library's, for which every request waits, by a query that is put together once.

        Raises ApiKey.DoesNotExist.
        """
        prefix, _dot, _secret = key.partition(".")
        found = _BY_PREFIX.first(prefix=prefix)
        if found is None or not found.is_valid(key):
            raise ApiKey.DoesNotExist
        return found


class ApiKey(AbstractAPIKey):
    """A frontend's key, stored as a hash, which gives access to some studies or to all."""

    # A write for each request would cost too much.
    USE_NOTED_EVERY = timedelta(minutes=1)
    INHERITED_FIELDS = ("name", "all_studies", "read_only", "may_ping", "may_see_people")

    studies = models.ManyToManyField(
        "notices.Study", related_name="api_keys", blank=True, verbose_name=_("studies")
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
    may_see_people = models.BooleanField(
        _("may see people"),
        default=False,
        db_default=False,
        help_text=_("It may read who is on a study's roster, and change that if it may write."),
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

    def note_use(self, now: datetime) -> None:
        """Store when it was last used, at most once a minute."""
        if self.last_used_at is None or now - self.last_used_at >= self.USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)


_BY_PREFIX: CompiledQuery[ApiKey] = CompiledQuery(
    lambda: ApiKey.objects.get_usable_keys().filter(prefix=Parameter("prefix")).order_by()
)


class KeptAnswer(models.Model):
    """The answer to a request with an Idempotency-Key, which a repetition gets again.

    It is written in the transaction of what the request did.
    """

    KEPT = timedelta(hours=24)

    caller = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    # Null only within the transaction, before the request is answered.
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True)
    # The body's bytes: the quota adds them up without reading the bodies.
    size = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once_per_key"),
        ]
        # Pruning.
        indexes = [models.Index(fields=["begun_at"], name="kept_answer_by_time")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
