"""Frontends' keys on the desk: shown once when made, revoked when lost."""

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

from notices.desk.once import made
from notices.desk.rights import ModelAdmin
from notices.models import ApiKey

OVERLAP = timedelta(hours=24)
# The library's own model, and its admin, are replaced by ours: keys that know their studies.
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
            "expiry_date",
            "revoked",
        )
        # The library's fields speak English alone.
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

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Yes")), ("0", _("No"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(revoked=self.value() == "1") if self.value() else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    form = ApiKeyForm
    list_display = (
        "beginning", "name_given", "all_studies", "read_only", "may_ping", "last_used_at",
        "expires", "is_revoked",
    )  # fmt: skip
    list_display_links = ("beginning", "name_given")
    actions = ("rotate",)
    making_actions = ("rotate",)
    list_filter = (RevokedFilter,)
    search_fields = ("name", "prefix")
    autocomplete_fields = ("studies",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ApiKeyForm.Meta.fields
        return ("beginning", *shown, "made_at", "last_used_at") if obj else shown[:-1]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
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

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A revoked key is done with for good."""
        return super().has_change_permission(request, obj) and not (obj and obj.revoked)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Revoking leaves a trace of who had a key; deleting would not."""
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
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
        """The frontend changes to the new key while the old one still works."""
        for old in keys:
            if old.revoked:
                messages.error(
                    request, _("%(name)s is revoked: make a new key.") % {"name": old.name}
                )
                continue
            successor, key = old.rotate(OVERLAP)
            made(request)
            _show_once(request, successor, key)


def _show_once(request: HttpRequest, api_key: ApiKey, key: str) -> None:
    messages.warning(
        request,
        _("The key of %(name)s is %(key)s — keep it now: it is not shown again.")
        % {"name": api_key.name, "key": key},
    )
