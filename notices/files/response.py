"""An upload as an HTTP response: browsers show a picture, and download anything else."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from notices.models import Upload


def bytes_of(upload: Upload, *, may_show: bool = True) -> HttpResponse:
    """Build the response; its headers keep the browser from running it with our origin's rights."""
    shows = may_show and upload.is_picture
    data = Upload.objects.values_list("data", flat=True).get(pk=upload.pk)
    kind = upload.content_type if shows else "application/octet-stream"
    disposition = content_disposition_header(as_attachment=not shows, filename=upload.name)
    headers = {
        "Content-Disposition": disposition or "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        # An upload never changes, and whoever has seen it once may have saved it anyway.
        "Cache-Control": "private, max-age=86400, immutable",
    }
    return HttpResponse(bytes(data), content_type=kind, headers=headers)
