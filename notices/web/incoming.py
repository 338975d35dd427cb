"""The middleware that cleans each request's texts and refuses what cannot be worked with.

The desk's texts are composed (Unicode NFC), a text without a visible character becomes empty, and
characters that PostgreSQL refuses are replaced. The API's fields (`api/fields`) do the same for its
JSON, and name the field that they refuse.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import APIException

from notices import moments
from notices.api.refusals import LengthRequired, PlainHttp
from notices.text import composed, is_blank
from notices.web.refusing import is_of_api, refused

# An answer depends on the caller and on her language.
VARIES_ON = ("Accept", "Accept-Language", "Cookie", "X-API-Key")
# Django's admin would look for a column without a name if this parameter is empty.
COLUMN = "_to_field"
# Composing would change what an address leads to, and a password would no longer match.
_AS_IT_IS = re.compile("url|image|.*password.*|csrfmiddlewaretoken")

GetResponse = Callable[[HttpRequest], HttpResponse]


class Incoming:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        _leave_out_escapes(request)
        if refusal := _refusal(request):
            with translation.override(translation.get_language_from_request(request)):
                answer = refused(request, refusal())
        else:
            with timezone.override(moments.zone_named(settings.TIME_ZONE)):
                answer = self.get_response(request)
        if is_of_api(request):
            answer["Cache-Control"] = "no-store"
            patch_vary_headers(answer, VARIES_ON)
        return answer

    def process_view(
        self, request: HttpRequest, _view: object, _args: object, places: dict[str, object]
    ) -> None:
        if is_of_api(request):
            return
        if any("\0" in place for place in places.values() if isinstance(place, str)):
            raise Http404
        request.GET = _cleaned(request.GET)  # type: ignore[assignment]
        if request.method == "POST":
            request.POST = _cleaned(request.POST)  # type: ignore[assignment]


def _leave_out_escapes(request: HttpRequest) -> None:
    """Drop cookies with a backslash or an invisible character, which ours never have.

    An escape can spell a NUL ("\\000"), which PostgreSQL refuses, and Python takes quadratic time
    to read many of them.
    """
    if sent := request.META.get("HTTP_COOKIE"):
        kept = (one for one in sent.split(";") if one.isprintable() and "\\" not in one)
        request.META["HTTP_COOKIE"] = ";".join(kept)


def _refusal(request: HttpRequest) -> type[APIException] | None:
    """It is made, and so translated, in the language of the request."""
    # Django would find no body, as it goes by the length, though gunicorn reads one.
    if "Transfer-Encoding" in request.headers:
        return LengthRequired
    if settings.SECURE_SSL_REDIRECT and "X-API-Key" in request.headers:
        return None if request.is_secure() else PlainHttp
    return None


def _cleaned(sent: QueryDict) -> QueryDict:
    found = QueryDict(mutable=True, encoding=sent.encoding)
    for name, values in sent.lists():
        found.setlist(_text(name), _values(name, values))
    found._mutable = False
    return found


def _values(name: str, values: list[str]) -> list[str]:
    if name == COLUMN:
        return [value for value in values if value]
    return values if _AS_IT_IS.fullmatch(name) else [_text(value) for value in values]


def _text(value: str) -> str:
    # Django itself replaces bytes that are no UTF-8 in the same way.
    text = composed(value.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return "" if is_blank(text) else text
