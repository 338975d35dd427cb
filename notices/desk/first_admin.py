"""The page on which the first site admin of a new installation chooses name and password."""

from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from notices.desk.coming_in import GONE, NewAccountForm, behind_a_secret, enter, page
from notices.people import first_admin
from notices.people.first_admin import FirstAdminOverError


@behind_a_secret
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, token: str) -> HttpResponse:
    if not first_admin.is_good(token):
        return _over(request)
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _show(request, form)
    # The password is hashed here already, as SQLite has one writer at a time.
    user = form.save(commit=False)
    try:
        first_admin.make(token, user)
    except FirstAdminOverError:
        return _over(request)
    except IntegrityError:
        form.add_error("username", _("Somebody has just taken this name: choose another."))
        return _show(request, form)
    return enter(request, user)


def _show(request: HttpRequest, form: NewAccountForm) -> HttpResponse:
    return page(request, "first_admin/page.html", {"title": _("First site admin"), "form": form})


def _over(request: HttpRequest) -> HttpResponse:
    return render(request, "first_admin/over.html", status=GONE)
