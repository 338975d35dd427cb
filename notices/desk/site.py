"""The admin site: open to site admins, and to whoever leads a study."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold import forms, sites

from notices.models import Study

if TYPE_CHECKING:  # Unfold's have no types, and are Django's.
    AdminSite = admin.AdminSite
    AuthenticationForm = AdminAuthenticationForm
else:
    AdminSite = sites.UnfoldAdminSite
    AuthenticationForm = forms.AuthenticationForm


def may_enter(user: Any) -> bool:
    """A leader is who leads a study: no flag to keep in step with it."""
    if not user.is_active or not user.is_authenticated:
        return False
    return user.is_superuser or Study.objects.filter(leaders=user).exists()


class DeskLoginForm(AuthenticationForm):
    def confirm_login_allowed(self, user: Any) -> None:
        if not may_enter(user):
            raise ValidationError(
                _("The account %(name)s leads no study. Ask a site admin to make it a leader."),
                code="no_study",
                params={"name": user.get_username()},
            )


class Desk(AdminSite):
    index_title = _("Your studies")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deleting many at once is nothing that a notice, a study or a key has a use for.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)
