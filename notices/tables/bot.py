"""The rows in which a running bot reports about itself, and keeps facts for the next bot."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BotInstance(models.Model):
    """A running bot, with its heartbeat and the shards that it serves."""

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

    @property
    def shards(self) -> list[int]:
        """The shards that it serves; a bot without shard ids serves the only one, 0."""
        named = self.shard_ids if isinstance(self.shard_ids, list) else []
        return [pk for pk in named if type(pk) is int] or [0]


class Pause(models.Model):
    """A channel to which no request goes for a while, as Discord asked, or as it is out of reach.

    It is stored so that a restarted bot keeps to it.
    """

    EVERYTHING = 0
    """The `channel_id` of a pause that holds for all channels."""

    channel_id = models.BigIntegerField()
    # Discord limits creating messages and changing them separately.
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
    """A counter for /metrics, written in the transaction of what it counts."""

    name = models.CharField(max_length=40)
    label = models.CharField(max_length=80, blank=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "label"], name="tally_is_one")]

    def __str__(self) -> str:
        return f"{self.name}{{{self.label}}} {self.value}"
