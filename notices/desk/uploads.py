"""The addresses to which the form uploads each picked file, and from which it is shown."""

from urllib.parse import unquote

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from notices.desk.upload_fields import shown_in_form
from notices.files import uploads
from notices.files.response import bytes_of
from notices.ids import read_id
from notices.models import Right, Study, Upload
from notices.people import rights
from notices.tables.change import AnyUser
from notices.tables.upload import UploadQuerySet

# The name comes in a header, since the body is the bare file, of which a bounded part is read.
NAME_HEADER = "X-File-Name"
MOST_ASKED = 50


def usable_by(user: AnyUser) -> UploadQuerySet:
    """Return the uploads that she may attach and look at."""
    return Upload.objects.all().of(Study.objects.allowing(Right.SEE, user), user=user)


@require_http_methods(["GET", "POST"])
def collection(request: HttpRequest) -> HttpResponse:
    """POST: keep one file. GET: describe the uploads whose ids are given as `id`.

    A script asks, so that a logged-out user gets an error in JSON instead of the login form.
    """
    if not admin.site.has_permission(request):
        told = _("You are not logged in any more. Log in in another tab, then add the file again.")
        return JsonResponse({"error": told}, status=401)
    if request.method == "GET":
        ids = [read_id(one) or 0 for one in request.GET.getlist("id")[:MOST_ASKED]]
        found = usable_by(request.user).filter(pk__in=ids)
        return JsonResponse({"uploads": [shown_in_form(upload) for upload in found]})
    if not rights.may_somewhere(request.user, Right.DRAFT):
        told = _("Your role in your studies may write no notices.")
        return JsonResponse({"error": told}, status=403)
    try:
        as_picture = request.GET.get("as") == "picture"
        upload = uploads.keep(_sent(request), by=request.user, as_picture=as_picture)
    except ValidationError as error:
        return JsonResponse({"error": " ".join(error.messages)}, status=400)
    return JsonResponse(shown_in_form(upload), status=201)


@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    upload = usable_by(request.user).filter(pk=pk).first()
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
