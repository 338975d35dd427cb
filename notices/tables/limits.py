"""Limits and validators of texts; those of a notice are in `notice_fields`."""

from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from notices.text import is_blank

URL_LIMIT = 2048
DETAIL_LIMIT = 500
STUDY_NAME_LIMIT = 100
FILE_NAME_LIMIT = 255

http_url = URLValidator(schemes=["http", "https"])


def default_time_zone() -> str:
    return settings.TIME_ZONE


def validate_time_zone(value: str) -> None:
    if value not in available_timezones():
        raise ValidationError(
            _("%(value)s is not a time zone; write one such as Asia/Seoul."),
            params={"value": value},
        )


def validate_not_blank(value: str) -> None:
    # Discord strips an embed's texts, and refuses one that is empty then.
    if is_blank(value):
        raise ValidationError(_("This must not be blank."), code="blank")
