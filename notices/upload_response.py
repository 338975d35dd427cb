"""The bytes of an upload as an answer: shown only where they are a picture, and never run."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from notices.models import Upload


def bytes_of(upload: Upload, *, may_show: bool = True) -> HttpResponse:
    """What somebody uploaded comes from our own address: a browser is to trust none of it."""
    shows = may_show and upload.is_picture
    data = Upload.objects.values_list("data", flat=True).get(pk=upload.pk)
    kind = upload.content_type if shows else "application/octet-stream"
    disposition = content_disposition_header(as_attachment=not shows, filename=upload.name)
    headers = {
        "Content-Disposition": disposition or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        # It never changes, and who may see it may do so tomorrow.
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return HttpResponse(bytes(data), content_type=kind, headers=headers)
