"""Marks which state of a notice an answer shows, so that nobody overwrites unseen changes.

An ETag is `"VERSION-HASH"`: the version is of what people wrote, the hash of all that is shown.
If-None-Match compares the whole tag. If-Match compares the version alone, so that a change is not
refused because a message went out meanwhile.
"""

import hashlib
from datetime import UTC, datetime, timedelta

from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from notices.api.refusals import PreconditionFailed
from notices.models import Notice

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def etag(notice: Notice, shown: object) -> str:
    """Return the tag of the notice as shown: in this language, with what became of it."""
    digest = hashlib.sha256(JSONRenderer().render(shown)).hexdigest()
    return f'"{_version(notice)}-{digest[:16]}"'


def check_match(request: Request, notice: Notice) -> None:
    """Refuse to change what was changed since the caller read it. The caller holds the lock."""
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
    raise PreconditionFailed(told % {"id": notice.pk, "moment": moment})


def _version(notice: Notice) -> str:
    """Return the revision, and a moment that changes with channels and times too."""
    return f"{notice.revision}-{(notice.changed_at - _EPOCH) // _MICROSECOND:x}"
