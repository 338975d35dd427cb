"""A new password for who has forgotten hers: by a link of a site admin, or by mail."""

import logging
from smtplib import SMTPException
from threading import Thread
from typing import TYPE_CHECKING, Any

from axes.utils import reset
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views as auth_views
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from notices.desk.coming_in import GONE
from notices.people import public_address
from notices.security.client_address import counted_address
from notices.security.security_log import note

log = logging.getLogger(__name__)

# From one address, and to one account: who is mailed has not asked for it.
MOST_ASKED, ASKED_WITHIN_SECONDS = 5, 15 * 60
MOST_MAILED, MAILED_WITHIN_SECONDS = 3, 60 * 60

if TYPE_CHECKING:  # Django's forms can be subscripted in its stubs alone.
    SetPasswordForm = auth_forms.SetPasswordForm[User]
else:
    SetPasswordForm = auth_forms.SetPasswordForm


def link_for(user: User, request: HttpRequest) -> str:
    """Return a link by which she chooses a new password: for a day, and until she logs in."""
    coded = urlsafe_base64_encode(force_bytes(user.pk))
    places = [coded, default_token_generator.make_token(user)]
    note("password link made", user=user.get_username())
    return public_address.of_path(reverse("password_reset_confirm", args=places), request)


class ChosenPasswordForm(SetPasswordForm):
    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget({"autocomplete": "new-password"})

    def save(self, commit: bool = True) -> User:
        """Save, and lift the lock that wrong passwords have put on the account."""
        user = super().save(commit)
        reset(username=user.get_username())
        note("password link used", user=user.get_username())
        return user


class ChoosePassword(auth_views.PasswordResetConfirmView):
    """The page behind the link. Its GET puts the token into the session, and changes nothing."""

    form_class = ChosenPasswordForm
    template_name = "password/choose.html"
    success_url = reverse_lazy("admin:login")
    title = gettext_lazy("A new password")

    def get_user(self, uidb64: str) -> User | None:
        user: User | None = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        answer = super().form_valid(form)
        messages.success(self.request, _("Your password is changed. Log in with it."))
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        if not context["validlink"]:
            return render(self.request, "password/over.html", status=GONE)
        return super().render_to_response(context, **kwargs)


# --- by mail -----------------------------------------------------------------------------------


class AskForm(auth_forms.PasswordResetForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].widget = UnfoldAdminTextInputWidget(
            {"autocomplete": "email", "inputmode": "email"}
        )

    def get_users(self, email: str) -> Any:
        """Leave out who was mailed often of late: nobody learns of it."""
        for user in super().get_users(email):
            if _counted(f"password-mailed:{user.pk}", MAILED_WITHIN_SECONDS) <= MOST_MAILED:
                note("password link mailed", user=user.get_username())
                yield user

    def send_mail(
        self, subject_template_name: str, email_template_name: str, context: dict[str, Any],
        from_email: str | None, to_email: str, html_email_template_name: str | None = None,
    ) -> None:  # fmt: skip
        """Send it beside the answer: how long a mail server takes would tell who is known."""
        subject = render_to_string(subject_template_name, context).strip()
        body = render_to_string(email_template_name, context)
        message = EmailMessage(subject, body, from_email, [to_email])
        Thread(target=_send, args=[message, context["user"].pk], daemon=True).start()


def _send(message: EmailMessage, user_id: int) -> None:
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.error("account %s: its link for a new password was not mailed: %s", user_id, error)


class AskByMail(auth_views.PasswordResetView):
    """Mails the link, and answers the same whether or not an account has the address."""

    form_class = AskForm
    template_name = "password/ask.html"
    email_template_name = "password/mail.txt"
    subject_template_name = "password/mail_subject.txt"
    success_url = reverse_lazy("password_asked")
    title = gettext_lazy("Password forgotten?")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.SENDS_MAIL:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = _counted(f"password-asked:{counted_address(request)}", ASKED_WITHIN_SECONDS)
        if asked > MOST_ASKED:
            answer = render(request, "429.html", status=429)
            answer["Retry-After"] = str(ASKED_WITHIN_SECONDS)
            return answer
        self.extra_email_context = {"site": public_address.of_path("/", request)[:-1]}
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}


def asked(request: HttpRequest) -> HttpResponse:
    if not settings.SENDS_MAIL:
        raise Http404
    return render(request, "password/asked.html")


def _counted(name: str, within_seconds: int) -> int:
    """Count once more, and return how often it was within these seconds."""
    cache.add(name, 0, within_seconds)
    return cache.incr(name)
