"""Read-only pages for site admins: deliveries, bots and the log."""

from datetime import datetime, timedelta

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices.advice import reasons
from notices.desk.long_list import LongList
from notices.desk.rights import ModelAdmin, ReadOnly, TabularInline
from notices.models import Attempt, BotInstance, Delivery
from notices.outside import clock

HEARTBEAT_IS_LATE_AFTER = timedelta(seconds=30)


class AttemptInline(ReadOnly, TabularInline):
    model = Attempt
    fields = ("action", "revision", "begun_at", "ended_at", "outcome", "code", "detail")
    extra = 0


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, LongList):
    list_display = ("notice", "channel", "state", "reason", "changed_at")
    list_filter = ("state",)
    list_select_related = ("notice", "channel")
    search_fields = ("=notice__id", "notice__title", "=channel__id", "channel__name")
    ordering = ("-id",)
    inlines = (AttemptInline,)
    exclude = ("setbacks", "unknown_since")
    readonly_fields = ("failures", "since")

    @admin.display(description=gettext_lazy("failures in a row"))
    def failures(self, delivery: Delivery) -> int:
        return delivery.setbacks

    @admin.display(description=gettext_lazy("unknown since"))
    def since(self, delivery: Delivery) -> datetime | None:
        return delivery.unknown_since

    @admin.display(description=gettext_lazy("error"))
    def reason(self, delivery: Delivery) -> str | None:
        if delivery.error_code is None:
            return None
        return str(reasons.explain(delivery.error_code, delivery.channel).reason)


@admin.register(BotInstance)
class BotInstanceAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "is_active", "heartbeat", "shard_ids", "gateway_latency_ms")

    @admin.display(description=gettext_lazy("heartbeat"), ordering="heartbeat_at")
    def heartbeat(self, bot: BotInstance) -> SafeString:
        late = clock.now() - bot.heartbeat_at > HEARTBEAT_IS_LATE_AFTER
        age = _("%(time)s ago") % {"time": timesince(bot.heartbeat_at)}
        look = "failed" if late else "sent"
        return format_html('<span class="badge badge-{}">{}</span>', look, age)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, LongList):
    list_display = ("action_time", "user", "kind", "object_repr", "change")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__username")
    fields = ("action_time", "user", "kind", "object_repr", "action_flag", "change")
    readonly_fields = ("kind", "change")

    @admin.display(description=gettext_lazy("kind"), ordering="content_type")
    def kind(self, entry: LogEntry) -> str:
        return str((entry.content_type and entry.content_type.name) or "")

    @admin.display(description=gettext_lazy("change"))
    def change(self, entry: LogEntry) -> str:
        """Translate the message: Django does so with its own, and ours are stored in English."""
        message = str(entry.get_change_message())
        return _(message) if message else message
