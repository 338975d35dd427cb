"""Describes each operation in OpenAPI 3.1: what it is for, takes and answers."""

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers

from notices.api.filters import NoticeFilter, PageForm
from notices.api.forms import FirstFrontendForm, NewNoticeForm, NoticeChangeForm, StudyForm
from notices.api.preview import Preview
from notices.api.representations import AttemptShown, ChannelShown, NoticeShown, StudyShown


class Queued(serializers.Serializer[Any]):
    status = serializers.ChoiceField(["queued"])
    channel = serializers.JSONField(help_text="The channel's id as it was sent.")
    notice = serializers.IntegerField(help_text="The notice's id.")


class Page(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ProgressEvent(serializers.Serializer[Any]):
    """One event of a stream."""

    event = serializers.ChoiceField(["progress", "end"])
    id = serializers.CharField(required=False, help_text="The notice's ETag.")
    data = serializers.CharField(help_text="The notice in JSON; an empty object at the end.")  # type: ignore[assignment]


@extend_schema_serializer(many=False)
class NoticePage(Page):
    results = NoticeShown(many=True)


@extend_schema_serializer(many=False)
class AttemptPage(Page):
    results = AttemptShown(many=True)


@extend_schema_serializer(many=False)
class StudyPage(Page):
    results = StudyShown(many=True)


@extend_schema_serializer(many=False)
class ChannelPage(Page):
    results = ChannelShown(many=True)


_WORDS = {
    "title": "8주차 모임",
    "content": "화요일 20시, 음성 채널에서 봐요. **교재 9장**을 읽어 오세요.",
    "author": "민지",
}
_POSTED = OpenApiExample(
    "For tomorrow, in every channel of the study",
    {"study_id": 7, **_WORDS, "ping": "here", "publish_at": "2026-03-02T20:00:00+09:00"},
    request_only=True,
)
_CHANGED = OpenApiExample("Another title", {"title": "8주차 모임 (장소 변경)"}, request_only=True)
_FIRST_POSTED = OpenApiExample(
    "At once, in one channel",
    {"channel_id": "1100000000000000011", "study_id": 7, **_WORDS},
    request_only=True,
)
_ETAG = OpenApiParameter(
    "ETag",
    str,
    OpenApiParameter.HEADER,
    response=[200, 201],
    description="Which state of the notice this is.",
)

_LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    str,
    OpenApiParameter.HEADER,
    description="The id of the last event that was read, as a browser sends it by itself.",
)


def _shows_notice(summary: str, **options: Any) -> Any:
    return extend_schema(
        summary=summary, parameters=[_ETAG], **{"responses": NoticeShown, **options}
    )


FIRST_FRONTEND = extend_schema_view(
    post=extend_schema(
        operation_id="notice_post",
        tags=["notices"],
        summary="Publish a notice in one channel, at once",
        description="The first frontend's contract. Fields beyond it are ignored.",
        request=FirstFrontendForm,
        responses={202: Queued},
        examples=[_FIRST_POSTED],
    )
)
NOTICES = extend_schema_view(
    list=extend_schema(
        summary="The notices, page by page", parameters=[NoticeFilter], responses=NoticePage
    ),
    create=_shows_notice(
        "Write a notice",
        description="Without `publish_at` it is published at once; with null it is a draft. "
        "Without `channel_ids` it goes into every channel of the study.",
        request=NewNoticeForm,
        responses={201: NoticeShown},
        examples=[_POSTED],
    ),
    preview=extend_schema(
        summary="See what a notice would be, and what would go wrong",
        request=NewNoticeForm,
        responses={200: Preview},
        examples=[_POSTED],
    ),
    retrieve=_shows_notice("One notice, and what became of it"),
    partial_update=_shows_notice(
        "Change a notice",
        description="What is shown already is edited in Discord.",
        request=NoticeChangeForm,
        examples=[_CHANGED],
    ),
    withdraw=_shows_notice(
        "Take a notice back", description="Its messages are deleted.", request=None
    ),
    send_again=_shows_notice(
        "Try again where it failed", description="And where it is unknown.", request=None
    ),
    attempts=extend_schema(
        summary="Every request to Discord, newest first",
        parameters=[PageForm],
        responses=AttemptPage,
    ),
    events=extend_schema(
        summary="What becomes of a notice, as it happens",
        description="Server-sent events: `progress`, with the notice, whenever it has changed, and "
        "`end` when nothing will change by itself any more. 204 where a `Last-Event-ID` shows that "
        "all is known. 503 where all streams of this server are taken.",
        parameters=[_LAST_EVENT_ID],
        responses={(200, "text/event-stream"): ProgressEvent, 204: None},
    ),
)
STUDIES = extend_schema_view(
    list=extend_schema(
        summary="The studies, page by page", parameters=[PageForm], responses=StudyPage
    ),
    retrieve=extend_schema(summary="One study", responses=StudyShown),
    create=extend_schema(
        summary="Set up a study (site admins)", request=StudyForm, responses={201: StudyShown}
    ),
    partial_update=extend_schema(
        summary="Change a study (site admins)", request=StudyForm, responses=StudyShown
    ),
)
CHANNELS = extend_schema_view(
    list=extend_schema(
        summary="The channels, page by page", parameters=[PageForm], responses=ChannelPage
    ),
    retrieve=extend_schema(summary="One channel", responses=ChannelShown),
)
HIDDEN = extend_schema(exclude=True)
