"""Which state of a notice an answer shows, so that nobody overwrites what she has not seen.

An ETag is `"VERSION-HASH"`: the version is of what people wrote, the hash of all that is shown.
If-None-Match asks for the whole; If-Match for the version alone, since a change is not to be
refused because a message went out meanwhile.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from notices.api.refusals import Stale
from notices.models import Notice

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def etag(notice: Notice, shown: Any) -> str:
    """Of the notice as it is shown: in this language, with what became of it by now."""
    digest = hashlib.sha256(JSONRenderer().render(shown)).hexdigest()
    return f'"{_version(notice)}-{digest[:16]}"'


def check_match(request: Request, notice: Notice) -> None:
    """Refuse a change of what was changed since the caller read it. Hold the notice's lock."""
    if "If-Match" not in request.headers:
        return
    # A proxy that compresses makes tags weak: W/"…"
    known = [tag.removeprefix("W/").strip('"') for tag in parse_etags(request.headers["If-Match"])]
    version = _version(notice)
    if "*" in known or version in {tag.rpartition("-")[0] for tag in known}:
        return
    told = _(
        "Notice %(id)s was changed at %(moment)s, after you read it; "
        "read it again and repeat the change with its new ETag."
    )
    moment = notice.changed_at.astimezone(UTC).isoformat()
    raise Stale(told % {"id": notice.pk, "moment": moment})


def _version(notice: Notice) -> str:
    """Counts up with what is shown; the moment, with channels and times too."""
    return f"{notice.revision}-{(notice.changed_at - _EPOCH) // _MICROSECOND:x}"
