"""Compresses the desk's pages, and nothing else."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class DeskGZipMiddleware(GZipMiddleware):
    """Pads at random, as Django's own does, to hide the length that BREACH would measure.

    The API's answers stay uncompressed: an event stream would be held back until its end.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        match = request.resolver_match
        is_of_the_desk = match is not None and "admin" in match.app_names
        is_text = response.get("Content-Type", "").startswith("text/")
        if not is_of_the_desk or not is_text or response.streaming:
            return response
        return super().process_response(request, response)
