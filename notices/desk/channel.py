"""Channels on the desk, as the bot last saw them."""

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from notices.advice import reasons
from notices.advice.channel import never_show, troubles
from notices.desk.rights import LedAdmin
from notices.ids import LARGEST_ID
from notices.models import Channel


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    id = forms.IntegerField(
        label=gettext_lazy("channel id"),
        min_value=1,
        max_value=LARGEST_ID,
        # In a number field a scroll or the browser's rounding could change the id.
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
        help_text=gettext_lazy(
            "In Discord: settings, Advanced, Developer Mode; then Copy Channel ID in the "
            "channel's menu. The bot fills in the rest once it sees the channel."
        ),
    )

    class Meta:
        model = Channel
        fields = ("id",)

    def clean_id(self) -> int:
        channel_id: int = self.cleaned_data["id"]
        for why in never_show([Channel(pk=channel_id)]).values():
            raise forms.ValidationError(why)
        return channel_id


@admin.register(Channel)
class ChannelAdmin(LedAdmin):
    form = ChannelForm
    list_display = ("__str__", "guild_name", "state", "seen_at")
    search_fields = ("name", "guild_name", "=id")
    readonly_fields = (
        "guild_name",
        "guild_id",
        "name",
        "type",
        "state",
        "refusal",
        "seen_at",
        "gone_at",
    )
    fields = ("id", *readonly_fields)

    def get_fields(self, request: HttpRequest, obj: Channel | None = None) -> tuple[str, ...]:
        return self.fields if obj else ("id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Channel | None = None) -> bool:
        """Let nobody edit it: the bot overwrites it with what it sees."""
        return False

    @admin.display(description=gettext_lazy("state"))
    def state(self, channel: Channel) -> SafeString:
        if found := troubles(channel):
            return format_html('<span class="badge badge-failed">{}</span>', " ".join(found))
        archived = _("archived: the next notice opens it")
        told = archived if channel.is_archived else _("can be sent to")
        return format_html('<span class="badge badge-sent">{}</span>', told)

    @admin.display(description=gettext_lazy("refusal"))
    def refusal(self, channel: Channel) -> str | None:
        """Explain Discord's last refusal, with its remedy."""
        if channel.refused_code is None:
            return None
        why = reasons.explain(channel.refused_code)
        return f"{why.reason} {why.remedy} ({channel.refused_code})"
