"""Callbacks on the desk: their endpoints, and the log of the messages to them."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from notices.callbacks import queueing
from notices.callbacks.http import names_private_address
from notices.desk.long_list import LongList
from notices.desk.rights import ModelAdmin, ReadOnly, user_of
from notices.models import CallbackEndpoint, CallbackMessage
from notices.outside import clock

LOOKS = {
    CallbackMessage.State.WAITING: "sending",
    CallbackMessage.State.DELIVERED: "sent",
    CallbackMessage.State.FAILED: "failed",
}


class CallbackEndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    events = forms.MultipleChoiceField(
        label=gettext_lazy("events"),
        choices=CallbackMessage.Type.choices,
        initial=CallbackMessage.Type.values,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = CallbackEndpoint
        fields = ("url", "all_studies", "studies", "events", "active")

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        if names_private_address(url):
            raise forms.ValidationError(
                _("%(url)s leads to an address that is not public; write one on the internet."),
                params={"url": url},
            )
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("all_studies") and not cleaned.get("studies"):
            self.add_error("studies", _("Pick at least one study, or tick “every study”."))
        return cleaned


@admin.register(CallbackEndpoint)
class CallbackEndpointAdmin(ModelAdmin):
    form = CallbackEndpointForm
    list_display = ("url", "all_studies", "key", "owner", "active", "failures", "rests_until")
    list_filter = ("active",)
    list_select_related = ("key", "owner")
    search_fields = ("url",)
    autocomplete_fields = ("studies",)

    def get_fields(
        self, request: HttpRequest, obj: CallbackEndpoint | None = None
    ) -> tuple[str, ...]:
        shown = CallbackEndpointForm.Meta.fields
        return (*shown, *self.get_readonly_fields(request, obj)) if obj else shown

    def get_readonly_fields(
        self, request: HttpRequest, obj: CallbackEndpoint | None = None
    ) -> tuple[str, ...]:
        return ("key", "owner", "created_at", "failures", "rests_until")

    @admin.display(description=gettext_lazy("failures in a row"), ordering="setbacks")
    def failures(self, endpoint: CallbackEndpoint) -> int:
        return endpoint.setbacks

    def has_delete_permission(
        self, request: HttpRequest, obj: CallbackEndpoint | None = None
    ) -> bool:
        """Let nobody delete it, which would delete its log; it can be switched off."""
        return False

    def save_model(
        self, request: HttpRequest, obj: CallbackEndpoint, form: forms.Form, change: bool
    ) -> None:
        # The address may be right now, so it need not wait out the pause after a failure.
        obj.rests_until, obj.setbacks = None, 0
        # It is told what its owner may read, so its owner is whoever saved it last.
        if obj.key_id is None:
            obj.owner = user_of(request)
        obj.save()
        if not change:
            messages.warning(
                request,
                _("The secret of %(url)s is %(secret)s — keep it now: it is not shown again.")
                % {"url": obj.url, "secret": obj.secret},
            )


@admin.register(CallbackMessage)
class CallbackMessageAdmin(ReadOnly, LongList):
    list_display = ("created_at", "type", "notice", "endpoint", "outcome", "tries", "code", "error")
    list_filter = ("state", "type", "endpoint")
    list_select_related = ("notice", "endpoint")
    search_fields = ("=message_id", "=notice__id")
    ordering = ("-id",)
    actions = ("send_again",)
    exclude = ("payload",)
    readonly_fields = ("body",)

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def outcome(self, message: CallbackMessage) -> SafeString:
        look = LOOKS[CallbackMessage.State(message.state)]
        words = message.get_state_display()
        return format_html('<span class="badge badge-{}">{}</span>', look, words)

    @admin.display(description=gettext_lazy("payload"))
    def body(self, message: CallbackMessage) -> SafeString:
        text = json.dumps(json.loads(message.payload), ensure_ascii=False, indent=2)
        return format_html('<pre class="payload">{}</pre>', text)

    @admin.action(description=gettext_lazy("Send again"), permissions=["resend"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[CallbackMessage]) -> None:
        """Send the messages again with their old ids, by which receivers recognise repetitions."""
        again = CallbackMessage.objects.filter(pk__in=chosen.values("pk")).send_again(clock.now())
        if again:
            queueing.schedule()
        messages.info(request, _("To be sent again: %(count)s.") % {"count": again})

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser
