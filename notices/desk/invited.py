"""The page behind an invitation's link. Messengers fetch it for previews, so only POST acts."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from notices.desk import discord_login, discord_oauth
from notices.desk.coming_in import GONE, NewAccountForm, behind_a_secret, enter, page
from notices.desk.discord_login import INVITATION
from notices.desk.display_name import display_name
from notices.desk.rights import user_of
from notices.desk.site import DeskLoginForm
from notices.models import Invitation
from notices.people import invitations
from notices.people.invitations import InvitationOverError


@behind_a_secret
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Show what the link is for, or make the account that the form asks for."""
    found = invitations.find(secret)
    if found is None:
        return _over(request)
    # Who has logged in since she opened the page sees first as whom she takes the role.
    if request.method != "POST" or request.user.is_authenticated:
        return _show(request, found, secret, NewAccountForm())
    form = NewAccountForm(request.POST)
    if not form.is_valid():
        return _show(request, found, secret, form)
    try:
        return enter(request, _join(secret, form))
    except InvitationOverError:
        return _over(request)
    except IntegrityError:
        form.add_error("username", _("Somebody has just taken this name: choose another."))
        return _show(request, found, secret, form)


def _join(secret: str, form: NewAccountForm) -> User:
    """Make the account with its role: neither is there without the other."""
    # The password is hashed here already, as SQLite has one writer at a time.
    user = form.save(commit=False)
    with transaction.atomic():
        user.save()
        invitations.accept(secret, user)
    return user


class AccountLoginForm(DeskLoginForm):
    """Lets in an account that has no role yet: it is about to take one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("login name")

    def confirm_login_allowed(self, user: User) -> None:
        auth_forms.AuthenticationForm.confirm_login_allowed(self, user)


class LogInToTake(auth_views.LoginView):
    """The login of whoever has an account: the desk's own asks for a role."""

    form_class = AccountLoginForm
    template_name = "invitation/login.html"
    redirect_field_name = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if invitations.find(kwargs["secret"]) is None:
            return _over(request)
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        return reverse("invitation", args=[self.kwargs["secret"]])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**admin.site.each_context(self.request), **context, "title": _("Log in")}


@behind_a_secret
@require_POST
def take(request: HttpRequest, secret: str) -> HttpResponse:
    """Give the role to the account that is logged in."""
    if not request.user.is_authenticated:
        return redirect("invitation", secret)
    try:
        role = invitations.accept(secret, user_of(request))
    except InvitationOverError:
        return _over(request)
    told = _("Your role in %(study)s is now: %(role)s.")
    names = {"study": role.study, "role": role.get_role_display()}
    messages.success(request, told % names)
    return redirect("admin:index")


@behind_a_secret
@require_POST
def by_discord(request: HttpRequest, secret: str) -> HttpResponse:
    """Keep the secret for whoever comes back from Discord, and lead there."""
    if not discord_oauth.is_offered():
        raise Http404
    if invitations.find(secret) is None:
        return _over(request)
    request.session[INVITATION] = secret
    return discord_login.lead_to_login(request)


def _show(
    request: HttpRequest, found: Invitation, secret: str, form: NewAccountForm
) -> HttpResponse:
    shown = {
        "title": _("Invitation"),
        "invitation": found,
        "secret": secret,
        "form": form,
        "by_discord": discord_oauth.is_offered(),
        "name": display_name(user_of(request)) if request.user.is_authenticated else "",
    }
    return discord_login.with_button(page(request, "invitation/page.html", shown))


def _over(request: HttpRequest) -> HttpResponse:
    """Say the same of every link that lets nobody in: a guess is told nothing."""
    return render(request, "invitation/over.html", status=GONE)
