"""API keys on the desk: a key is shown once when it is made, and is revoked if it is lost."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework_api_key import admin as _library_admin  # noqa: F401  registers its own
from rest_framework_api_key.models import APIKey

from notices import actions
from notices.desk.once import made
from notices.desk.rights import ModelAdmin
from notices.models import ApiKey

OVERLAP = timedelta(hours=24)
# Our ApiKey, which belongs to studies, replaces the library's own model.
admin.site.unregister(APIKey)


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ApiKey
        fields = (
            "name",
            "all_studies",
            "studies",
            "read_only",
            "may_ping",
            "may_see_people",
            "expiry_date",
            "revoked",
        )
        # The library's labels are not translated.
        labels = {
            "name": gettext_lazy("name"),
            "expiry_date": gettext_lazy("expires"),
            "revoked": gettext_lazy("revoked"),
        }
        help_texts = {
            "name": gettext_lazy("A free-form name: where it is used."),
            "expiry_date": gettext_lazy("Once it has expired, the key is no longer good."),
            "revoked": gettext_lazy("A revoked key is no longer good. This cannot be undone."),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not cleaned.get("all_studies") and not cleaned.get("studies"):
            self.add_error("studies", _("Pick at least one study, or tick “every study”."))
        return cleaned


class RevokedFilter(admin.SimpleListFilter):
    title = gettext_lazy("revoked")
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        return queryset.filter(revoked=self.value() == "1") if self.value() else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    form = ApiKeyForm
    list_display = (
        "beginning", "name_given", "all_studies", "read_only", "may_ping", "may_see_people",
        "last_used_at", "expires", "is_revoked",
    )  # fmt: skip
    list_display_links = ("beginning", "name_given")
    actions = ("rotate",)
    making_actions = ("rotate",)
    list_filter = (RevokedFilter,)
    search_fields = ("name", "prefix")
    autocomplete_fields = ("studies",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        shown = ApiKeyForm.Meta.fields
        return ("beginning", *shown, "made_at", "last_used_at") if obj else shown[:-1]

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiKey | None = None
    ) -> tuple[str, ...]:
        return ("beginning", "made_at", "last_used_at")

    @admin.display(description=gettext_lazy("beginning"), ordering="prefix")
    def beginning(self, key: ApiKey) -> str:
        return key.prefix

    @admin.display(description=gettext_lazy("name"), ordering="name")
    def name_given(self, key: ApiKey) -> str:
        return key.name

    @admin.display(description=gettext_lazy("expires"), ordering="expiry_date")
    def expires(self, key: ApiKey) -> datetime | None:
        return key.expiry_date

    @admin.display(description=gettext_lazy("revoked"), ordering="revoked", boolean=True)
    def is_revoked(self, key: ApiKey) -> bool:
        return key.revoked

    @admin.display(description=gettext_lazy("created"), ordering="created")
    def made_at(self, key: ApiKey) -> datetime:
        return key.created

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Let nobody change a revoked key: revoking is final."""
        return super().has_change_permission(request, obj) and not (obj and obj.revoked)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Let nobody delete a key: a revoked one still shows who had it."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.Form, change: bool) -> None:
        if change:
            obj.save()
            return
        key = ApiKey.objects.assign_key(obj)
        obj.save()
        _show_once(request, obj, key)

    @admin.action(
        description=gettext_lazy("Rotate: make a successor, the old key ends in 24 hours"),
        permissions=["change"],
    )
    def rotate(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """Make a new key for each, and keep the old one working until the frontend has changed."""
        for old in keys:
            if old.revoked:
                messages.error(
                    request, _("%(name)s is revoked: make a new key.") % {"name": old.name}
                )
                continue
            successor, key = actions.rotate(old, OVERLAP)
            made(request)
            _show_once(request, successor, key)


def _show_once(request: HttpRequest, api_key: ApiKey, key: str) -> None:
    messages.warning(
        request,
        _("The key of %(name)s is %(key)s — keep it now: it is not shown again.")
        % {"name": api_key.name, "key": key},
    )
