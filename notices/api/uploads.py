"""Takes files for notices: `/api/v1/uploads/`."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import ValidationError as Invalid
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from notices.api.attaching import usable_uploads
from notices.api.authentication import caller_of
from notices.api.fields import TextField
from notices.api.forms import StrictForm
from notices.api.refusals import TooLarge
from notices.api.representations import UploadShown
from notices.api.views import Resource
from notices.files import uploads
from notices.files.response import bytes_of
from notices.models import Right
from notices.quotas import ExceededError
from notices.tables.limits import FILE_NAME_LIMIT

FILE_TYPE = "application/octet-stream"
_FILE = {"type": "string", "format": "binary", "minLength": 1}


class UploadName(StrictForm):
    name = TextField(limit=FILE_NAME_LIMIT)


class FileParser(BaseParser):
    """Reads a file from the body, up to the limit.

    Django would read a form with files whole before anybody could refuse it.
    """

    media_type = FILE_TYPE

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, bytes]:
        return {"file": stream.read(uploads.limit_bytes() + 1)}


@extend_schema_view(
    create=extend_schema(
        summary="Upload a file",
        description="The body is the file itself. Name its id as a notice's `picture`, or among "
        "its `attachments`, within a day. A repeated request makes another upload.",
        parameters=[UploadName],
        request={FILE_TYPE: _FILE},
        responses={201: UploadShown},
    ),
    retrieve=extend_schema(
        summary="The bytes of a file", responses={(200, FILE_TYPE): OpenApiTypes.BINARY}
    ),
)
class Uploads(Resource):
    """Shows a caller its own uploads, and those in notices of its studies."""

    address = "/api/v1/uploads/"
    parser_classes = (FileParser,)

    def create(self, request: Request) -> Response:
        if not caller_of(request).has_right(Right.DRAFT):
            raise PermissionDenied(_("Your role in your studies may write no notices."))
        body: Any = request.data
        asked = UploadName(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        sent = uploads.Sent(asked.validated_data["name"], body.get("file", b""))
        try:
            upload = uploads.keep(sent, by=caller_of(request).actor)
        except ExceededError:
            raise
        except Invalid as error:
            told = error.messages[0]
            if getattr(error, "code", "") == "too_large":
                raise TooLarge(told) from error
            raise ValidationError({"file": told}) from error
        headers = {"Location": f"{self.address}{upload.pk}/"}
        return Response(UploadShown(upload).data, status=status.HTTP_201_CREATED, headers=headers)

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        upload = usable_uploads(caller_of(request)).filter(pk=pk).first()
        if upload is None:
            raise self.unknown(pk)
        return bytes_of(upload, may_show=False)
