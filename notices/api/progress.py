"""What becomes of a notice, as it happens: server-sent events of `/api/v1/notices/{id}/events/`.

A stream holds a thread of its web process and looks at its caller's rights and at one row by its
key, twice a second: cheap, but not for any number. So each process holds a few (EVENT_STREAMS), of
which a caller has a part (EVENT_STREAMS_PER_CALLER), and says when there are enough.
"""

import time
from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from notices.api.authentication import Caller, caller_of
from notices.api.etags import etag
from notices.api.refusals import TooMany, Unavailable
from notices.api.representations import NoticeShown, readable_notices, whole
from notices.models import Notice, NoticeQuerySet

POLL_SECONDS = 0.5
# A client that is gone is noticed by the second write to it, and holds a place until then.
HEARTBEAT_SECONDS = 2.0
RETRY_MILLISECONDS = 3000
MEDIA_TYPE = "text/event-stream"
_ENDED = (
    Notice.Status.DRAFT,
    Notice.Status.SENT,
    Notice.Status.PARTLY_SENT,
    Notice.Status.FAILED,
    Notice.Status.WITHDRAWN,
)


class EventStream(JSONRenderer):
    """For negotiation: a browser's EventSource accepts nothing else. Refusals are JSON still."""

    media_type = MEDIA_TYPE


class Places:
    """How many streams this process holds open, and for whom."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._callers: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._callers.total()

    def take(self, caller: str) -> None:
        with self._lock:
            if self._callers[caller] >= settings.EVENT_STREAMS_PER_CALLER:
                told = _("You have %(count)s streams open; close one, or GET the notice instead.")
                raise TooMany(told % {"count": self._callers[caller]})
            if self.taken >= settings.EVENT_STREAMS:
                told = _(
                    "All %(count)s streams are taken; come back later, or GET the notice instead."
                )
                raise Unavailable(told % {"count": settings.EVENT_STREAMS})
            self._callers[caller] += 1

    def give_back(self, caller: str) -> None:
        with self._lock:
            self._callers[caller] -= 1
            self._callers += Counter()  # without those that hold none


places = Places()


def follow(request: Request, pk: str) -> HttpResponse | StreamingHttpResponse | None:
    """The stream of a notice that the caller may read; null where there is none."""
    caller = caller_of(request)
    notice = whole(readable_notices(caller).filter(pk=pk)).first()
    if notice is None:
        return None
    seen = request.headers.get("Last-Event-ID", "")
    if seen and seen == _tag(notice) and _is_over(notice):
        return HttpResponse(status=204)  # by which an EventSource knows not to come back
    if request.method == "HEAD":
        return HttpResponse(content_type=MEDIA_TYPE)
    places.take(caller.name)
    stream = Stream(caller, notice.pk, seen)
    # A proxy that gathers what it passes on would hold everything back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type=MEDIA_TYPE, headers=headers)


class Stream:
    """Its place is given back when it is closed, which the server does whatever happens."""

    def __init__(self, caller: Caller, notice_id: int, seen: str) -> None:
        self._caller, self._notice_id, self._seen = caller, notice_id, seen
        self._language = translation.get_language()
        self._is_open = True

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            places.give_back(self._caller.name)

    def __iter__(self) -> Iterator[str]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        ends_at = time.monotonic() + settings.EVENT_STREAM_SECONDS
        beat_at = time.monotonic() + HEARTBEAT_SECONDS
        mark = None
        while True:
            notices = self._readable()
            last, mark = mark, _mark(notices)
            if mark is None:
                return  # no longer this caller's to read
            if mark != last:
                progress = self._progress(notices)
                if progress is None:
                    return
                told, is_over = progress
                if told:
                    yield told
                if is_over:
                    yield "event: end\ndata: {}\n\n"
                    return
            now = time.monotonic()
            if now >= ends_at:
                return
            if now >= beat_at:
                yield ": still here\n\n"
                beat_at = now + HEARTBEAT_SECONDS
            time.sleep(POLL_SECONDS)

    def _readable(self) -> NoticeQuerySet:
        """The notice, if the caller may read it at this moment: a stream outlives rights."""
        caller = self._caller.renewed()
        notices = readable_notices(caller) if caller else Notice.objects.none()
        return notices.filter(pk=self._notice_id)

    def _progress(self, notices: NoticeQuerySet) -> tuple[str, bool] | None:
        """The event, if there is any news, and whether it is the last; null once it is lost."""
        with translation.override(self._language):
            notice = whole(notices).first()
            if notice is None:
                return None
            shown = NoticeShown(notice).data
            tag = etag(notice, shown).strip('"')
        told = ""
        if tag != self._seen:
            self._seen = tag
            data = JSONRenderer().render(shown).decode()
            told = f"event: progress\nid: {tag}\ndata: {data}\n\n"
        return told, _is_over(notice)


def _tag(notice: Notice) -> str:
    return etag(notice, NoticeShown(notice).data).strip('"')


def _mark(notices: NoticeQuerySet) -> tuple[Any, ...] | None:
    """What changes whenever anything that is shown does; one statement, by two keys."""
    columns = ("pk", "revision", "fanned_out_revision", "changed_at", "status", "publish_at")
    row = notices.values(*columns).annotate(delivered_at=Max("deliveries__changed_at")).first()
    if row is None:
        return None
    publish_at = row["publish_at"]
    has_struck = publish_at is not None and publish_at <= timezone.now()
    return (*row.values(), has_struck)


def _is_over(notice: Notice) -> bool:
    """Nothing changes any more unless a person does something."""
    if notice.status not in _ENDED:
        return False
    if notice.status == Notice.Status.DRAFT or notice.archived_at is not None:
        return True
    is_known = notice.revision == notice.fanned_out_revision
    return is_known and all(one.due_at is None for one in notice.deliveries.all())
