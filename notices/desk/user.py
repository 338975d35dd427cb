"""People on the desk: made by a site admin, switched off rather than deleted."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from notices.desk.rights import ModelAdmin

# Rights follow from leading a study: Django's groups and permissions decide nothing here.
admin.site.unregister(Group)
admin.site.unregister(User)


@admin.register(User)
class DeskUserAdmin(auth_admin.UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "email", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email")}),
        (
            _("Rights"),
            {
                "fields": ("is_active", "is_superuser"),
                "description": _(
                    "A leader needs no mark here: add her to the leaders of her study."
                ),
            },
        ),
        (_("Dates"), {"fields": readonly_fields}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The log of who did what keeps its names: an account is switched off instead."""
        return False
