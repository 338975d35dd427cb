"""The errors outside of views: a page for the desk's addresses, JSON for the API's."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils import translation
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied

from notices.api.errors import problem
from notices.api.refusals import InternalError

API_PATH = re.compile(r"/(api(/.*)?|notice/?)", re.DOTALL)


def is_of_api(request: HttpRequest) -> bool:
    return API_PATH.fullmatch(request.path_info) is not None


def refused(request: HttpRequest, refusal: APIException) -> HttpResponse:
    if is_of_api(request):
        return problem(refusal)
    page = loader.get_template("400.html").render(request=request)
    return HttpResponse(page, status=refusal.status_code)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    # A wrong host is refused before Django's middleware looks for the language.
    with translation.override(translation.get_language_from_request(request)):
        if not is_of_api(request):
            return defaults.bad_request(request, exception)
        told = _("The address, a header or the body of this request is not one that can be read.")
        return problem(ParseError(told))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_of_api(request):
        return defaults.permission_denied(request, exception)
    return problem(PermissionDenied())


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not is_of_api(request):
        return defaults.page_not_found(request, exception)
    return problem(NotFound())


def server_error(request: HttpRequest, *_args: Any) -> HttpResponse:
    return problem(InternalError()) if is_of_api(request) else defaults.server_error(request)
