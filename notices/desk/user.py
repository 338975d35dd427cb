"""User accounts on the desk: a site admin makes them, and deactivates instead of deleting."""

from typing import TYPE_CHECKING, Any

from allauth.account.admin import EmailAddress
from allauth.socialaccount.admin import SocialAccount, SocialApp, SocialToken
from axes.utils import reset
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold import forms as unfold_forms
from unfold.widgets import UnfoldAdminTextInputWidget

from notices.desk import forgotten, shown_once
from notices.desk.display_name import display_name
from notices.desk.rights import ModelAdmin
from notices.people import discord_accounts
from notices.security.security_log import note

if TYPE_CHECKING:  # Unfold's class has no types; it is a subclass of Django's.
    PasswordChangeForm = auth_forms.AdminPasswordChangeForm[User]
else:
    PasswordChangeForm = unfold_forms.AdminPasswordChangeForm

# Rights follow from leading a study: Django's groups and permissions decide nothing here.
admin.site.unregister(Group)
admin.site.unregister(User)
# A Discord account that somebody else writes down for her would let him in.
admin.site.unregister([EmailAddress, SocialAccount, SocialApp, SocialToken])


class NewPasswordForm(PasswordChangeForm):
    def save(self, commit: bool = True) -> User:
        """Save, and lift the lock that wrong passwords have put on the account."""
        user = super().save(commit)
        reset(username=user.get_username())
        return user


class PersonForm(unfold_forms.UserChangeForm):  # type: ignore[misc]
    """A form with one field for the whole name, since the order of parts differs by language."""

    first_name = forms.CharField(
        required=False,
        max_length=User._meta.get_field("first_name").max_length,
        label=_("displayed name"),
        help_text=_("As people call her: it stands under her notices as their author."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.get_full_name():
            self.initial["first_name"] = display_name(self.instance)

    def save(self, commit: bool = True) -> User:
        self.instance.last_name = ""
        user: User = super().save(commit)
        return user


@admin.register(User)
class DeskUserAdmin(auth_admin.UserAdmin, ModelAdmin):  # type: ignore[type-arg]
    form = PersonForm
    add_form = unfold_forms.UserCreationForm
    change_password_form = NewPasswordForm
    list_display = ("username", "name", "email", "is_active", "is_superuser")
    list_filter = ("is_active", "is_superuser")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined", "discord")
    actions = ("unlink_discord",)
    fieldsets = (
        (None, {"fields": ("username", "password", "discord")}),
        (_("Person"), {"fields": ("first_name", "email")}),
        (
            _("Rights"),
            {
                "fields": ("is_active", "is_superuser"),
                "description": _(
                    "A leader needs no mark here: add her to the leaders of her study."
                ),
            },
        ),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_urls(self) -> list[URLPattern]:
        reset_link = self.admin_site.admin_view(self.reset_link)
        return [
            path("<int:pk>/reset-link/", reset_link, name="auth_user_reset_link"),
            *super().get_urls(),
        ]

    def reset_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a link by which the person chooses a new password, which nobody else then knows."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        user = get_object_or_404(User, pk=pk, is_active=True)
        if request.method == "POST":
            shown_once.keep(request, user, forgotten.link_for(user, request))
            self.log_change(request, user, gettext_noop("Made a link for a new password."))
        return redirect("admin:auth_user_change", pk)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        shown: User | None = kwargs.get("obj")
        if shown is not None:
            context |= {"link": shown_once.take(request, shown), "may_reset": shown.is_active}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("displayed name"), ordering="first_name")
    def name(self, user: User) -> str:
        return display_name(user) if user.get_full_name() else ""

    @admin.display(description=_("Discord account"))
    def discord(self, user: User) -> str:
        """Say which accounts let her in without the password."""
        profiles = map(discord_accounts.profile_of, discord_accounts.linked_to(user))
        return ", ".join(f"{one.name} ({one.username}, {one.id})" for one in profiles)

    @admin.action(description=_("Unlink the Discord account"))
    def unlink_discord(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """For whoever has lost hers, or whose account is no longer her own."""
        for user in users:
            if discord_accounts.linked_to(user).exists():
                discord_accounts.forget(user)
                note("Discord account unlinked", user=user.get_username())
        messages.success(request, gettext("These accounts are linked to no Discord account now."))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Let nobody delete an account, by which the log would lose its name."""
        return False
