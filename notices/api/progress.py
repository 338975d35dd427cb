"""Streams what becomes of a notice: server-sent events of `/api/v1/notices/{id}/events/`.

A stream holds a thread of its web process, and reads its caller's rights and one row twice a
second. Each process holds only a few (EVENT_STREAMS), of which a caller has a part
(EVENT_STREAMS_PER_CALLER).
"""

import time
from collections import Counter
from collections.abc import Iterator
from threading import Lock

from django.conf import settings
from django.db.models import Max
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from notices.api.authentication import Caller, caller_of
from notices.api.etags import etag
from notices.api.refusals import TooManyStreams, Unavailable
from notices.api.representations import readable_notices, show, whole
from notices.models import Notice, NoticeQuerySet
from notices.outside import clock

POLL_SECONDS = 0.5
# The second write notices that a client is gone; until then it holds a place.
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
    """Lets EventSource negotiate: it accepts nothing else. Refusals stay JSON."""

    media_type = MEDIA_TYPE


class Places:
    """Counts the streams that this process holds open, by caller."""

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
                raise TooManyStreams(told % {"count": self._callers[caller]})
            if self.taken >= settings.EVENT_STREAMS:
                told = _(
                    "All %(count)s streams are taken; come back later, or GET the notice instead."
                )
                raise Unavailable(told % {"count": settings.EVENT_STREAMS})
            self._callers[caller] += 1

    def give_back(self, caller: str) -> None:
        with self._lock:
            self._callers[caller] -= 1
            self._callers += Counter()  # drops the callers with none


places = Places()


def follow(request: Request, pk: str) -> HttpResponse | StreamingHttpResponse | None:
    """Return the stream of a notice, or None if the caller may read no such notice."""
    caller = caller_of(request)
    notice = whole(readable_notices(caller).filter(pk=pk)).first()
    if notice is None:
        return None
    seen = request.headers.get("Last-Event-ID", "")
    if seen and seen == _tag(caller, notice) and _is_over(notice):
        return HttpResponse(status=204)  # it tells an EventSource not to come back
    if request.method == "HEAD":
        return HttpResponse(content_type=MEDIA_TYPE)
    places.take(caller.name)
    stream = Stream(caller, notice.pk, seen)
    # A proxy that buffers would hold everything back.
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type=MEDIA_TYPE, headers=headers)


class Stream:
    """Streams one notice. The server always closes it, which gives its place back."""

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
        ends_at = clock.monotonic() + settings.EVENT_STREAM_SECONDS
        beat_at = clock.monotonic() + HEARTBEAT_SECONDS
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
            now = clock.monotonic()
            if now >= ends_at:
                return
            if now >= beat_at:
                yield ": still here\n\n"
                beat_at = now + HEARTBEAT_SECONDS
            time.sleep(POLL_SECONDS)

    def _readable(self) -> NoticeQuerySet:
        """Return the notice if the caller may read it now, since a stream outlives rights."""
        caller = self._caller.renewed()
        if caller is None:
            return Notice.objects.none()
        self._caller = caller
        return readable_notices(caller).filter(pk=self._notice_id)

    def _progress(self, notices: NoticeQuerySet) -> tuple[str, bool] | None:
        """Return the news, if any, and whether it is the last; None once the notice is lost."""
        with translation.override(self._language):
            notice = whole(notices).first()
            if notice is None:
                return None
            (shown,) = show(self._caller, notice)
            tag = etag(notice, shown).strip('"')
        told = ""
        if tag != self._seen:
            self._seen = tag
            data = JSONRenderer().render(shown).decode()
            told = f"event: progress\nid: {tag}\ndata: {data}\n\n"
        return told, _is_over(notice)


def _tag(caller: Caller, notice: Notice) -> str:
    (shown,) = show(caller, notice)
    return etag(notice, shown).strip('"')


def _mark(notices: NoticeQuerySet) -> tuple[object, ...] | None:
    """Return what changes with anything that is shown. It is one statement, by two keys."""
    columns = ("pk", "revision", "fanned_out_revision", "changed_at", "status", "publish_at")
    row = notices.values(*columns).annotate(delivered_at=Max("deliveries__changed_at")).first()
    if row is None:
        return None
    publish_at = row["publish_at"]
    has_struck = publish_at is not None and publish_at <= clock.now()
    return (*row.values(), has_struck)


def _is_over(notice: Notice) -> bool:
    """Return whether nothing changes any more unless a person does something."""
    if notice.status not in _ENDED:
        return False
    if notice.status == Notice.Status.DRAFT or notice.archived_at is not None:
        return True
    is_known = notice.revision == notice.fanned_out_revision
    return is_known and all(one.due_at is None for one in notice.deliveries.all())
