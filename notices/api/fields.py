"""Reads the values that a frontend sends, strictly. A refusal says what to send instead."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from notices.api.refusals import quoted
from notices.ids import ID_PATTERN, LARGEST_ID, read_id
from notices.links import bare, is_public_link, with_scheme
from notices.tables.limits import URL_LIMIT
from notices.text import NOT_STORABLE, UNSEEN, composed, is_blank

_COLOUR = re.compile("#[0-9A-Fa-f]{6}")
_FIRST_YEAR, _LAST_YEAR = 2000, 2999
# No study has so many channels: a server has 500, and threads.
MOST_IDS = 1000
# No letter is composed of more code points. A text longer than the limit times this is too long
# however it is composed.
MOST_PIECES = 4

JsonSchema = dict[str, Any]


class StrictField(serializers.Field[Any, Any, Any, Any]):
    """A value of the type that `json_schema` describes, or a refusal in words."""

    default_error_messages = {
        "required": _("This is missing; send it."),
        "null": _("This must not be null; send a value or leave it out."),
    }

    @property
    def json_schema(self) -> JsonSchema:
        raise NotImplementedError


class IdField(StrictField):
    default_error_messages = {
        "no_id": _("{value} is not an id; send a whole number from 1 to 9223372036854775807."),
    }
    json_schema = {
        "oneOf": [
            {"type": "string", "pattern": f"^{ID_PATTERN}$"},
            {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        ],
    }

    def to_internal_value(self, data: object) -> int:
        value = read_id(data)
        if value is None:
            self.fail("no_id", value=quoted(data))
        return value


class WholeField(StrictField):
    default_error_messages = {
        "no_number": _("{value} cannot be used; send a whole number from {least} to {most}."),
    }

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    @property
    def json_schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def to_internal_value(self, data: object) -> int:
        number = read_id(data)
        if number is None or not self.least <= number <= self.most:
            self.fail("no_number", value=quoted(data), least=self.least, most=self.most)
        return number


class TextField(StrictField):
    """Text stripped as Discord does it. Where null is allowed, it means "none"."""

    default_error_messages = {
        "no_text": _("{value} is not text; send a string."),
        "blank": _("{value} is blank; write something."),
        "not_storable": _("{value} holds a NUL or half a character; take it out."),
        "too_long": _("{value} has {length} characters; shorten it to at most {limit}."),
    }

    def __init__(self, *, limit: int, optional: bool = False, **options: Any) -> None:
        super().__init__(required=not optional, allow_null=optional, **options)
        self.limit = limit

    @property
    def json_schema(self) -> JsonSchema:
        schema = {"type": "string", "maxLength": self.limit, "pattern": r"^[^\u0000]*$"}
        if self.required:
            schema |= {"minLength": 1, "pattern": f"^[^\\u0000]*[^{UNSEEN}][^\\u0000]*$"}
        return schema

    def validate_empty_values(self, data: object) -> tuple[bool, Any]:
        is_empty, value = super().validate_empty_values(data)
        return is_empty, "" if value is None else value

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("no_text", value=quoted(data))
        text = self.cleaned(data) if len(data) <= MOST_PIECES * self.limit else data
        if not text and self.required:
            self.fail("blank", value=quoted(data))
        if NOT_STORABLE.search(text):
            self.fail("not_storable", value=quoted(text))
        if len(text) > self.limit:
            self.fail("too_long", value=quoted(text), length=len(text), limit=self.limit)
        return text

    def cleaned(self, text: str) -> str:
        text = composed(text).strip()
        return "" if is_blank(text) and not NOT_STORABLE.search(text) else text


class LinkField(TextField):
    """An address that Discord accepts; one that it refuses would fail the whole notice."""

    default_error_messages = {
        "no_link": _(
            "{value} is not an address on the web; "
            "write one such as https://example.com/page, without a user name."
        ),
        "no_scheme": _("{value} lacks https://; write {whole}."),
    }

    def __init__(self, *, optional: bool = True) -> None:
        super().__init__(limit=URL_LIMIT, optional=optional)

    @property
    def json_schema(self) -> JsonSchema:
        web = {"type": "string", "format": "uri", "maxLength": self.limit, "pattern": "^https?://"}
        return {"oneOf": [web, {"type": "string", "const": ""}]}

    def cleaned(self, text: str) -> str:
        """Return the address uncomposed, as servers know a file by the bytes of its name."""
        return bare(text)

    def to_internal_value(self, data: object) -> str:
        text = super().to_internal_value(data)
        if text and not is_public_link(text):
            if whole := with_scheme(text):
                self.fail("no_scheme", value=quoted(text), whole=quoted(whole))
            self.fail("no_link", value=quoted(text))
        return text


class OneOfField(StrictField):
    """One of a model's choices, with their labels."""

    default_error_messages = {
        "unknown": _("{value} is not known here; send one of {allowed}."),
    }

    def __init__(self, choices: Sequence[tuple[str, object]], **options: Any) -> None:
        super().__init__(**options)
        self.choices = dict(choices)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("unknown", value=quoted(data), allowed=", ".join(self.choices))
        return data


class FlagField(StrictField):
    default_error_messages = {
        "no_flag": _("{value} is not true or false; send one of these."),
    }
    json_schema = {"type": "boolean"}

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("no_flag", value=quoted(data))
        return data


class TimeZoneField(StrictField):
    default_error_messages = {
        "no_zone": _("{value} is not a time zone; write one such as Asia/Seoul."),
    }
    json_schema = {"type": "string", "minLength": 1, "examples": ["Asia/Seoul"]}

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or data not in available_timezones():
            self.fail("no_zone", value=quoted(data))
        return data


class ColourField(StrictField):
    """A colour as #RRGGBB, which becomes a number."""

    default_error_messages = {
        "no_colour": _("{value} is not a colour; write one such as #5865f2."),
    }
    json_schema = {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$"}

    def to_internal_value(self, data: object) -> int:
        if not isinstance(data, str) or not _COLOUR.fullmatch(data):
            self.fail("no_colour", value=quoted(data))
        return int(data[1:], 16)


class MomentField(StrictField):
    default_error_messages = {
        "no_moment": _(
            "{value} is not a moment; write it as ISO 8601 with an offset, "
            "such as 2026-03-02T20:00:00+09:00."
        ),
    }

    json_schema = {"type": "string", "format": "date-time"}

    def to_internal_value(self, data: object) -> datetime:
        moment = read_moment(self.written(data)) if isinstance(data, str) else None
        if moment is None:
            self.fail("no_moment", value=quoted(data))
        return moment

    def written(self, text: str) -> str:
        return text


class QueryMomentField(MomentField):
    """A moment in a query, where a bare + arrives as a blank and can only begin an offset."""

    def written(self, text: str) -> str:
        return re.sub(r"(:[0-9.]+) (?=[0-9]{2}:?[0-9]{2}$)", r"\1+", text)


def read_moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    # Within these years, no conversion between time zones overflows.
    if moment is None or moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return None
    return moment.astimezone(UTC)


class IdsField(StrictField):
    """A list of ids, each once. An empty one is refused: it would be a notice for nobody."""

    default_error_messages = {
        "no_list": _("{value} is not a list; send a list of ids."),
        "empty": _("The list is empty; name at least one id, or leave it out."),
        "too_many": _("The list has {length} ids; name at most {limit}."),
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.child = IdField()

    @property
    def json_schema(self) -> JsonSchema:
        return {
            "type": "array",
            "items": self.child.json_schema,
            "minItems": 1,
            "maxItems": MOST_IDS,
        }

    def to_internal_value(self, data: object) -> list[int]:
        if not isinstance(data, list):
            self.fail("no_list", value=quoted(data))
        if not data:
            self.fail("empty")
        if len(data) > MOST_IDS:
            self.fail("too_many", length=len(data), limit=MOST_IDS)
        return list(dict.fromkeys(self.child.run_validation(value) for value in data))
