"""Reads what a request may carry: one JSON object, of a size that a notice can have."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from notices.api.refusals import TooLarge, quoted

LIMIT_BYTES = 64 * 1024
# A body needs an object of lists.
LIMIT_DEPTH = 8


class BoundedJSONParser(BaseParser):
    """Reads JSON as UTF-8 (RFC 8259), whatever charset the header names."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, object]:
        body = stream.read(LIMIT_BYTES + 1)
        if len(body) > LIMIT_BYTES:
            raise TooLarge(_too_large(parser_context))
        try:
            data = json.loads(
                body.decode("utf-8-sig"),
                parse_constant=_refuse_constant,
                object_pairs_hook=_without_doubles,
            )
        except RecursionError as error:
            raise _too_deep() from error
        except ValueError as error:
            raise ParseError(
                _("The body is not JSON in UTF-8 (%(error)s); correct it.") % {"error": error}
            ) from error
        if not isinstance(data, dict):
            raise ParseError(
                _("The body is %(value)s; send one object, with a field for each part.")
                % {"value": quoted(data)}
            )
        if _is_deeper(data, LIMIT_DEPTH):
            raise _too_deep()
        return data


def _too_large(parser_context: Mapping[str, Any] | None) -> str:
    request = (parser_context or {})["request"]
    return _("The body has %(size)s bytes; send at most %(limit)d.") % {
        "size": request.META.get("CONTENT_LENGTH") or f"> {LIMIT_BYTES}",
        "limit": LIMIT_BYTES,
    }


def _too_deep() -> ParseError:
    return ParseError(_("The body is nested too deeply; send one flat object."))


def _is_deeper(value: object, depth: int) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return False
    return depth == 0 or any(_is_deeper(part, depth - 1) for part in value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(_("%(name)s is no JSON number") % {"name": name})


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for name, value in pairs:
        if name in fields:
            raise ValueError(_("%(name)s is there twice") % {"name": quoted(name)})
        fields[name] = value
    return fields
