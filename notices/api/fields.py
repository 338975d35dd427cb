"""The values a frontend sends, read strictly: a refusal says what to send instead."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from notices.api.refusals import quoted
from notices.models import URL_LIMIT, Notice, http_url

_ID = re.compile(r"[0-9]{1,19}")
_LARGEST_ID = 2**63 - 1
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
_FIRST_YEAR, _LAST_YEAR = 2000, 2999


def read_id(value: Any) -> int | None:
    """An id, sent as a whole number or as its ASCII digits; null where it cannot be one."""
    if isinstance(value, str) and _ID.fullmatch(value):
        value = int(value)
    # type(), for True is an int.
    return value if type(value) is int and 1 <= value <= _LARGEST_ID else None


class StrictField(serializers.Field[Any, Any, Any, Any]):
    default_error_messages = {
        "required": _("This is missing; send it."),
        "null": _("This must not be null; send a value or leave it out."),
    }


class IdField(StrictField):
    default_error_messages = {
        "no_id": _("{value} is not an id; send a whole number from 1 to 9223372036854775807."),
    }

    def to_internal_value(self, data: Any) -> int:
        value = read_id(data)
        if value is None:
            self.fail("no_id", value=quoted(data))
        return value


class TextField(StrictField):
    """Text as Discord will show it, which strips it; null is a way to say "none" where allowed."""

    default_error_messages = {
        "no_text": _("{value} is not text; send a string."),
        "blank": _("{value} is blank; write something."),
        "not_storable": _("{value} holds a NUL or half a character; take it out."),
        "too_long": _("{value} has {length} characters; shorten it to at most {limit}."),
    }

    def __init__(self, *, limit: int, optional: bool = False) -> None:
        super().__init__(required=not optional, allow_null=optional)
        self.limit = limit

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        is_empty, value = super().validate_empty_values(data)
        return is_empty, "" if value is None else value

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("no_text", value=quoted(data))
        text = data.strip()
        if not text and self.required:
            self.fail("blank", value=quoted(data))
        if _NOT_STORABLE.search(text):
            self.fail("not_storable", value=quoted(text))
        if len(text) > self.limit:
            self.fail("too_long", value=quoted(text), length=len(text), limit=self.limit)
        return text


class LinkField(TextField):
    """An address Discord accepts: one it refuses would cost the whole notice."""

    default_error_messages = {
        "no_link": _(
            "{value} is not an address on the web; "
            "write one such as https://example.com/page, without a user name."
        ),
    }

    def __init__(self) -> None:
        super().__init__(limit=URL_LIMIT, optional=True)

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if text and not _is_public_link(text):
            self.fail("no_link", value=quoted(text))
        return text


def _is_public_link(text: str) -> bool:
    try:
        http_url(text)
        parts = urlsplit(text)
    except (ValidationError, ValueError):
        return False
    # Discord refuses a host without a dot, such as localhost.
    return "@" not in parts.netloc and ("." in parts.netloc or ":" in (parts.hostname or ""))


class PingField(StrictField):
    default_error_messages = {
        "unknown": _("{value} is not known here; send one of {allowed}."),
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or data not in Notice.Ping.values:
            self.fail("unknown", value=quoted(data), allowed=", ".join(Notice.Ping.values))
        return data


class MomentField(StrictField):
    default_error_messages = {
        "no_moment": _(
            "{value} is not a moment; write it as ISO 8601 with an offset, "
            "such as 2026-03-02T20:00:00+09:00."
        ),
    }

    def to_internal_value(self, data: Any) -> datetime:
        moment = _read_moment(data) if isinstance(data, str) else None
        if moment is None:
            self.fail("no_moment", value=quoted(data))
        return moment


def _read_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    # The years keep every conversion between time zones within what a date can be.
    if moment is None or moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment.astimezone(UTC)


class IdsField(StrictField):
    """A list of ids, each once; an empty one would be a notice for nobody."""

    default_error_messages = {
        "no_list": _("{value} is not a list; send a list of ids."),
        "empty": _("The list is empty; name at least one id, or leave it out."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.child = IdField()

    def to_internal_value(self, data: Any) -> list[int]:
        if not isinstance(data, list):
            self.fail("no_list", value=quoted(data))
        if not data:
            self.fail("empty")
        return list(dict.fromkeys(self.child.run_validation(value) for value in data))
