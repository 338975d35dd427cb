"""The one place that every request comes through: what it says is made fit to be worked with.

Texts of the desk are composed, what cannot be seen counts as nothing, and what no database can
look for is no longer there. The API's texts and ids come in JSON: its fields do the same
(`api/fields`), and say which of them was refused.
"""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils import translation
from django.utils.cache import patch_vary_headers
from rest_framework.exceptions import APIException

from notices.api.refusals import LengthRequired, PlainHttp
from notices.refusing import is_of_api, refused
from notices.text import composed, is_blank

# Each answer is one caller's, in her language.
VARIES_ON = ("Accept", "Accept-Language", "Cookie", "X-API-Key")
# Named without a value it names no column, for which Django looks nevertheless.
COLUMN = "_to_field"
# An address is another one when it is written otherwise, and a password no longer fits.
_AS_IT_IS = re.compile("url|image|.*password.*|csrfmiddlewaretoken")

GetResponse = Callable[[HttpRequest], HttpResponse]


class Incoming:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A cookie can spell out a NUL ("\000"), for which PostgreSQL cannot look.
        request.COOKIES = {
            name: value for name, value in request.COOKIES.items() if value.isprintable()
        }
        if refusal := _refusal(request):
            with translation.override(translation.get_language_from_request(request)):
                answer = refused(request, refusal)
        else:
            answer = self.get_response(request)
        if is_of_api(request):
            answer["Cache-Control"] = "no-store"
            patch_vary_headers(answer, VARIES_ON)
        return answer

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, places: dict[str, Any]
    ) -> None:
        if is_of_api(request):
            return
        if any("\0" in place for place in places.values() if isinstance(place, str)):
            raise Http404
        request.GET = _cleaned(request.GET)  # type: ignore[assignment]
        if request.method == "POST":
            request.POST = _cleaned(request.POST)  # type: ignore[assignment]


def _refusal(request: HttpRequest) -> APIException | None:
    # gunicorn would read on, and Django, which goes by the length, finds no body at all.
    if "Transfer-Encoding" in request.headers:
        return LengthRequired()
    if settings.SECURE_SSL_REDIRECT and "X-API-Key" in request.headers:
        return None if request.is_secure() else PlainHttp()
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
    # As Django itself does with bytes that are no UTF-8.
    text = composed(value.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return "" if is_blank(text) else text
