"""Where the form sends each picked file at once, and where the desk shows it from."""

from typing import Any
from urllib.parse import unquote

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from notices import uploads
from notices.desk.upload_fields import shown_in_form
from notices.ids import read_id
from notices.models import Study, Upload, UploadQuerySet
from notices.upload_response import bytes_of

# A browser sends the file as it is, so that no more of it is read than a file may have.
NAME_HEADER = "X-File-Name"
MOST_ASKED = 50


def hers(user: Any) -> UploadQuerySet:
    """What she may attach, and look at."""
    return Upload.objects.all().of(Study.objects.led_by(user), user=user)


@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest) -> HttpResponse:
    """POST: one file. GET: what is known of those that are named by `id`.

    Asked by a script: who was logged out meanwhile is told so, not sent to a login form.
    """
    if not admin.site.has_permission(request):
        told = _("You are not logged in any more. Log in in another tab, then add the file again.")
        return JsonResponse({"error": told}, status=401)
    if request.method == "GET":
        ids = [read_id(one) or 0 for one in request.GET.getlist("id")[:MOST_ASKED]]
        found = hers(request.user).filter(pk__in=ids)
        return JsonResponse({"uploads": [shown_in_form(upload) for upload in found]})
    try:
        as_picture = request.GET.get("as") == "picture"
        upload = uploads.keep(_sent(request), by=request.user, as_picture=as_picture)
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=400)
    return JsonResponse(shown_in_form(upload), status=201)


@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    upload = hers(request.user).filter(pk=pk).first()
    if upload is None:
        raise Http404
    return bytes_of(upload)


def _sent(request: HttpRequest) -> uploads.Sent:
    name = unquote(request.headers.get(NAME_HEADER, ""))
    promised = int(request.META.get("CONTENT_LENGTH") or 0)
    uploads.check_size(uploads.clean_name(name), promised)
    data = request.read(promised)
    if len(data) < promised:
        told = _("%(name)s did not arrive whole: add it again.")
        raise ValidationError(told % {"name": uploads.clean_name(name)})
    return uploads.Sent(name, data)
