"""People on the desk: made by a site admin, switched off rather than deleted."""

from typing import TYPE_CHECKING, Any

from axes.utils import reset
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold import forms

from notices.desk.rights import ModelAdmin

if TYPE_CHECKING:  # Unfold's has no types, and is Django's.
    PasswordChangeForm = auth_forms.AdminPasswordChangeForm[User]
else:
    PasswordChangeForm = forms.AdminPasswordChangeForm

# Rights follow from leading a study: Django's groups and permissions decide nothing here.
admin.site.unregister(Group)
admin.site.unregister(User)


class NewPasswordForm(PasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        """Whoever is given a new password may try it at once."""
        user = super().save(commit)
        reset(username=user.get_username())
        return user


@admin.register(User)
class DeskUserAdmin(auth_admin.UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = forms.UserChangeForm
    add_form = forms.UserCreationForm
    change_password_form = NewPasswordForm
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
