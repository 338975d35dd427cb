"""What the public pages share by which people come in: the form, the login, the headers."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

if TYPE_CHECKING:  # Django's forms can be subscripted in its stubs alone.
    UserCreationForm = auth_forms.UserCreationForm[User]
else:
    UserCreationForm = auth_forms.UserCreationForm

View = Callable[..., HttpResponseBase]
# Wherever a library's backend makes the login, it is one of this.
BACKEND = "django.contrib.auth.backends.ModelBackend"
GONE = 410


class NewAccountForm(UserCreationForm):
    """Asks for what a new account needs, with the words of the desk."""

    first_name = forms.CharField(
        max_length=User._meta.get_field("first_name").max_length,
        label=_("displayed name"),
        help_text=_("As people call you: it stands under your notices as their author."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "name"}),
    )

    class Meta(auth_forms.UserCreationForm.Meta):
        model = User
        fields = ("username", "first_name")
        widgets = {"username": UnfoldAdminTextInputWidget}
        labels = {"username": _("login name")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            self.fields[name].widget = UnfoldAdminPasswordWidget({"autocomplete": "new-password"})


def behind_a_secret(view: View) -> View:
    """Keep an address with a secret from caches, from search engines and from other sites.

    The browser still tells our own site where a form came from, by which CSRF is refused.
    """

    @wraps(view)
    def guarded(request: HttpRequest, **places: str) -> HttpResponseBase:
        answer = view(request, **places)
        answer["Referrer-Policy"] = "same-origin"
        answer["X-Robots-Tag"] = "noindex"
        return answer

    return never_cache(guarded)


def page(
    request: HttpRequest, template: str, context: Mapping[str, object], status: int = 200
) -> HttpResponse:
    shown = {**admin.site.each_context(request), **context}
    return TemplateResponse(request, template, shown, status=status)


def enter(request: HttpRequest, user: User) -> HttpResponse:
    """Log in whoever has just chosen her password, and lead her to the desk."""
    login(request, user, BACKEND)
    return redirect("admin:index")
