"""Answers the questions of studybot's API as the framework's documentation does it."""

from typing import Any

from django.urls import path
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.models import Posted
from notices.models import Delivery, Notice


class PostedForm(serializers.Serializer[Any]):
    channel_id = serializers.IntegerField(min_value=1)
    title = serializers.CharField(max_length=256)
    study_id = serializers.IntegerField(min_value=1)
    content = serializers.CharField(max_length=4096)
    author = serializers.CharField(max_length=256, allow_blank=True, required=False)
    url = serializers.URLField(max_length=2048, allow_blank=True, required=False)


class Post(APIView):
    """Checks the body, then inserts one row."""

    def post(self, request: Request) -> Response:
        form = PostedForm(data=request.data)
        form.is_valid(raise_exception=True)
        row = Posted.objects.create(**form.validated_data)
        answer = {"status": "queued", "channel": str(row.channel_id), "notice": row.pk}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class DeliveryShown(serializers.ModelSerializer[Delivery]):
    class Meta:
        model = Delivery
        fields = (
            "channel_id", "state", "message_id", "wanted", "shown", "error_code", "changed_at",
        )  # fmt: skip


class NoticeShown(serializers.ModelSerializer[Notice]):
    deliveries = DeliveryShown(many=True)

    class Meta:
        model = Notice
        fields = (
            "id", "study_id", "title", "content", "author", "url", "image", "ping", "channels",
            "publish_at", "expires_at", "withdrawn_at", "archived_at", "created_at", "changed_at",
            "revision", "status", "deliveries",
        )  # fmt: skip


class Pages(CursorPagination):
    page_size = 50
    ordering = "-id"


class OneNotice(RetrieveAPIView[Notice]):
    queryset = Notice.objects.prefetch_related("channels", "deliveries")
    serializer_class = NoticeShown


class NoticeList(ListAPIView[Notice]):
    queryset = OneNotice.queryset
    serializer_class = NoticeShown
    pagination_class = Pages


urlpatterns = [
    path("notice/", Post.as_view()),
    path("api/v1/notices/", NoticeList.as_view()),
    path("api/v1/notices/<int:pk>/", OneNotice.as_view()),
]
