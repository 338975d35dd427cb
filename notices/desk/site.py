"""The admin site: open to site admins, and to whoever leads a study."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.core.paginator import InvalidPage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils.translation import gettext_lazy as _
from django.views.i18n import JavaScriptCatalog
from unfold import forms, sites

from notices.desk import discord_account, discord_login, discord_oauth, setup, uploads, web_app
from notices.desk.autocomplete import ChannelsAutocomplete
from notices.desk.front_page import front_page
from notices.desk.rights import LEADS_NO_STUDY, may_enter
from notices.desk.wrong_passwords import locked_out_words
from notices.models import Right
from notices.outside import clock
from notices.people import rights

if TYPE_CHECKING:  # Unfold's classes have no types; they are subclasses of Django's.
    AdminSite = admin.AdminSite
    AuthenticationForm = AdminAuthenticationForm
else:
    AdminSite = sites.UnfoldAdminSite
    AuthenticationForm = forms.AuthenticationForm


class DeskLoginForm(AuthenticationForm):
    # Django's message asks for a staff account, which no leader has.
    error_messages = AuthenticationForm.error_messages | {
        "invalid_login": _("The %(username)s or the password is not right. Mind capital letters."),
    }

    def get_invalid_login_error(self) -> ValidationError:
        if not getattr(self.request, "axes_locked_out", False):
            return super().get_invalid_login_error()
        return ValidationError(locked_out_words(), code="locked_out")

    def confirm_login_allowed(self, user: User) -> None:
        if not may_enter(user):
            raise ValidationError(
                LEADS_NO_STUDY,
                code="no_study",
                params={"name": user.get_username()},
            )


def locked_out(
    request: HttpRequest, answer: HttpResponse, credentials: Mapping[str, str]
) -> HttpResponse:
    """Give the page, which explains the lock already, a status that programs understand."""
    answer.status_code = 429
    answer["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return answer


def _locked_out_page(request: HttpRequest) -> HttpResponse:
    return render(request, "locked_out.html", {"words": locked_out_words()})


class Desk(AdminSite):
    index_title = _("Front page")

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Notices are withdrawn, keys are revoked, and a study is deleted alone if at all.
        self.disable_action("delete_selected")

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        own = [
            path("manifest.webmanifest", web_app.manifest, name="manifest"),
            path("uploads/", uploads.collection, name="uploads"),
            path("uploads/<int:pk>/", self.admin_view(uploads.file), name="upload"),
            path("discord/", self.admin_view(discord_account.page), name="discord"),
            path("discord/unlink/", self.admin_view(discord_account.unlink), name="discord_unlink"),
            path("discord/login/", discord_login.begin, name="discord_login"),
            path("discord/callback/", discord_login.callback, name="discord_callback"),
            path("setup/", self.admin_view(setup.page), name="setup"),
            path("setup/connect/", self.admin_view(setup.connect), name="setup_connect"),
            path("setup/test/", self.admin_view(setup.send_test), name="setup_test"),
            path("setup/test/<int:pk>/", self.admin_view(setup.outcome), name="setup_outcome"),
        ]
        return [*own, *super().get_urls()]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "offers_discord": discord_oauth.is_offered()}

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        return discord_login.with_button(super().login(request, extra_context))

    def autocomplete_view(self, request: HttpRequest) -> HttpResponseBase:  # type: ignore[override]
        return ChannelsAutocomplete.as_view(admin_site=self)(request)

    def password_change(  # type: ignore[override]  # Django's returns a template's page.
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Count wrong old passwords too: whoever finds a logged-in browser could guess them."""
        hers = {"username": request.user.get_username()}
        if request.method == "POST" and not AxesProxyHandler.is_allowed(request, hers):
            return locked_out(request, _locked_out_page(request), hers)
        answer = super().password_change(request, extra_context)
        form = getattr(answer, "context_data", {}).get("form")
        if form is not None and form.has_error("old_password", "password_incorrect"):
            user_login_failed.send(__name__, credentials=hers, request=request)
        return answer

    def i18n_javascript(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponseBase:
        """Serve the scripts' texts: ours replace Django's where both have one."""
        packages = ["django.contrib.admin", "notices"]
        return JavaScriptCatalog.as_view(packages=packages)(request)

    def search(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Answer a page number that does not exist with 404: Unfold lets the error through."""
        try:
            found: HttpResponse = super().search(request, extra_context)  # type: ignore[misc]
        except InvalidPage as error:
            raise Http404 from error
        return found

    def index(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> TemplateResponse:
        answers = {
            "front": front_page(request.user, clock.now()),
            "may_write": rights.may_somewhere(request.user, Right.DRAFT),
            "needs_setup": request.user.is_superuser and not setup.is_begun(),
        }
        return super().index(request, {**answers, **(extra_context or {})})
