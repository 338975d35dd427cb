"""The page on which somebody links her Discord account to her login, and unlinks it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminPasswordWidget

from notices.desk import discord_oauth
from notices.desk.discord_login import lead_to_linking, with_button
from notices.desk.rights import user_of
from notices.desk.wrong_passwords import locked_out_words
from notices.people import discord_accounts
from notices.security import security_log


class PasswordForm(forms.Form):
    """Asks for her password: whoever finds a logged-in browser could link an account of his."""

    password = forms.CharField(
        label=gettext_lazy("Your password"),
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(*args)
        self._request = request

    def clean_password(self) -> str:
        """Check it as at the login, where wrong ones are counted."""
        password: str = self.cleaned_data["password"]
        name = user_of(self._request).get_username()
        if authenticate(self._request, username=name, password=password) is None:
            is_locked_out = getattr(self._request, "axes_locked_out", False)
            raise ValidationError(
                locked_out_words() if is_locked_out else _("The password is not right.")
            )
        return password


def page(request: HttpRequest) -> HttpResponse:
    if not discord_oauth.is_offered():
        raise Http404
    user = user_of(request)
    has_password = user.has_usable_password()
    form = (
        PasswordForm(request, request.POST) if request.method == "POST" else PasswordForm(request)
    )
    if request.method == "POST" and (not has_password or form.is_valid()):
        return lead_to_linking(request)
    linked = [discord_accounts.profile_of(one) for one in discord_accounts.linked_to(user)]
    context = {
        **admin.site.each_context(request),
        "title": _("Discord account"),
        "linked": linked,
        "form": form,
        "has_password": has_password,
    }
    return with_button(TemplateResponse(request, "admin/discord.html", context))


@require_POST
def unlink(request: HttpRequest) -> HttpResponse:
    """Without a password she could not come in again."""
    if not discord_oauth.is_offered():
        raise Http404
    user = user_of(request)
    if not user.has_usable_password():
        messages.error(request, _("Without a password, your Discord account is your only way in."))
    elif discord_accounts.linked_to(user).exists():
        discord_accounts.forget(user)
        security_log.note("Discord account unlinked", user=user.get_username())
        messages.success(request, _("Your Discord account is unlinked."))
    return redirect("admin:discord")
