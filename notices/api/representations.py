"""Represents what a frontend reads. Ids are strings: JavaScript's numbers round Discord's ids."""

from collections.abc import Collection
from copy import copy
from datetime import UTC
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model, Prefetch, QuerySet
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from notices import moved
from notices.advice.channel import can_send, troubles
from notices.advice.reasons import explain
from notices.api.authentication import Caller
from notices.files.attached import Attached, readable
from notices.models import Attempt, Channel, Delivery, Notice, NoticeQuerySet, Study, Upload
from notices.tables import notice_fields

Row = TypeVar("Row", bound=Model)


def whole(notices: NoticeQuerySet) -> NoticeQuerySet:
    """Prefetch all that is shown, in a constant number of queries."""
    return notices.prefetch_related(
        Prefetch("channels", Channel.objects.only("pk")),
        Prefetch("deliveries", Delivery.objects.select_related("channel")),
    )


def readable_notices(caller: Caller) -> NoticeQuerySet:
    """Return the notices of the caller's studies."""
    notices = Notice.objects.all()
    return notices if caller.has_every_study else notices.filter(study__in=caller.studies)


def may_read_notice(caller: Caller, notice_id: int, study_ids: Collection[int]) -> bool:
    """Return whether the caller may be told what the notice said while it was in these studies.

    A notice that was deleted belongs to no other study.
    """
    now_in = Notice.objects.filter(pk=notice_id).values_list("study_id", flat=True)
    return may_read_studies(caller, {*study_ids, *now_in})


def may_read_studies(caller: Caller, ids: Collection[int]) -> bool:
    return caller.has_every_study or caller.studies.filter(pk__in=ids).count() == len(ids)


def show(caller: Caller, *notices: Notice) -> list[dict[str, Any]]:
    """Represent the notices without channels that they brought from studies not the caller's."""
    foreign: dict[int, set[int]] = {}
    if not caller.has_every_study:
        foreign = moved.foreign_channels(notices, caller.studies)
    shown: list[dict[str, Any]] = list(NoticeShown(notices, many=True).data)
    for one in shown:
        hidden = set(map(str, foreign.get(one["id"], ())))
        one["channel_ids"] = [pk for pk in one["channel_ids"] if pk not in hidden]
        one["deliveries"] = [it for it in one["deliveries"] if it["channel_id"] not in hidden]
    return shown


def visible_channels(caller: Caller) -> QuerySet[Channel]:
    """Return the channels of the caller's studies; a site admin sees unused ones too."""
    channels = Channel.objects.all()
    if not caller.is_site_admin:
        channels = channels.filter(studies__in=caller.studies).distinct()
    return channels


class Shown(serializers.ModelSerializer[Row]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return copies of cached fields, because the framework asks the model each time."""
        return {name: copy(field) for name, field in _fields(type(self)).items()}


@cache
def _fields(kind: type[Shown[Any]]) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    return super(Shown, kind()).get_fields()


class DiscordId(serializers.CharField):
    """A number of 64 bits, as text."""


class UtcDateTimeField(serializers.DateTimeField):
    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, **options)


@extend_schema_serializer(component_name="Reason")
class ReasonShown(serializers.Serializer[Any]):
    """A code of Discord's, of HTTP or (below 100) of ours: why, and what to do about it."""

    code = serializers.IntegerField()
    reason = serializers.CharField()
    remedy = serializers.CharField()


def _reason(
    code: int | None, channel: Channel | None = None, *, for_good: bool = False
) -> dict[str, object] | None:
    if code is None:
        return None
    return {"code": code, **explain(code, channel, for_good=for_good)._asdict()}


@extend_schema_serializer(component_name="Channel")
class ChannelShown(Shown[Channel]):
    """A Discord channel as the bot last saw it."""

    id = DiscordId()
    guild_id = DiscordId(allow_null=True)
    can_send = serializers.SerializerMethodField(
        help_text="Null while the bot has never seen the channel."
    )
    problems = serializers.SerializerMethodField(
        help_text="Why a notice would not be shown here, or not be kept true."
    )

    class Meta:
        model = Channel
        fields = ("id", "name", "type", "guild_id", "guild_name", "can_send", "problems")
        read_only_fields = fields

    def get_can_send(self, channel: Channel) -> bool | None:
        return can_send(channel)

    def get_problems(self, channel: Channel) -> list[str]:
        return troubles(channel)


@extend_schema_serializer(component_name="Study")
class StudyShown(Shown[Study]):
    """A study group with the channels that show its notices."""

    colour = serializers.SerializerMethodField(help_text="The bar beside the message, as #RRGGBB.")
    ping_role_id = DiscordId(allow_null=True)
    channels = ChannelShown(many=True)

    class Meta:
        model = Study
        fields = ("id", "name", "language", "time_zone", "colour", "ping_role_id", "channels")
        read_only_fields = fields

    def get_colour(self, study: Study) -> str:
        return f"#{study.colour:06X}"


@extend_schema_serializer(component_name="Delivery")
class DeliveryShown(Shown[Delivery]):
    """The notice in one channel. `wanted` and `shown` are revisions; null is nothing."""

    channel_id = DiscordId()
    channel_name = serializers.CharField(source="channel.name")
    message_id = DiscordId(allow_null=True)
    message_url = serializers.CharField(allow_null=True)
    error = serializers.SerializerMethodField()
    changed_at = UtcDateTimeField()

    class Meta:
        model = Delivery
        fields = (
            "channel_id",
            "channel_name",
            "state",
            "message_id",
            "message_url",
            "wanted",
            "shown",
            "error",
            "changed_at",
        )
        read_only_fields = fields

    @extend_schema_field(ReasonShown(allow_null=True))
    def get_error(self, delivery: Delivery) -> dict[str, object] | None:
        for_good = delivery.state == Delivery.State.FAILED
        return _reason(delivery.error_code, delivery.channel, for_good=for_good)


def _address(upload_id: int) -> str:
    return f"/api/v1/uploads/{upload_id}/"


@extend_schema_serializer(component_name="Upload")
class UploadShown(serializers.ModelSerializer[Upload]):
    """A file that can be attached."""

    url = serializers.SerializerMethodField(help_text="Where its bytes are.")

    class Meta:
        model = Upload
        fields = ("id", "name", "content_type", "size", "sha256", "is_picture", "url")
        read_only_fields = fields

    def get_url(self, upload: Upload) -> str:
        return _address(upload.pk)


@extend_schema_serializer(component_name="Attachment")
class AttachmentShown(serializers.Serializer[Any]):
    """A file of a notice. The picture stands in the embed."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    content_type = serializers.CharField(source="type")
    size = serializers.IntegerField()
    is_picture = serializers.BooleanField(source="picture")
    url = serializers.SerializerMethodField(
        help_text="Where its bytes are, until the notice is archived."
    )

    def get_url(self, attached: Attached) -> str:
        return _address(attached["id"])


@extend_schema_serializer(component_name="Notice")
class NoticeShown(Shown[Notice]):
    """A notice and what became of it. Channels it has not come to yet have no delivery."""

    study_id = serializers.IntegerField()
    channel_ids = serializers.SerializerMethodField()
    publish_at = UtcDateTimeField(allow_null=True)
    expires_at = UtcDateTimeField(allow_null=True)
    withdrawn_at = UtcDateTimeField(allow_null=True)
    archived_at = UtcDateTimeField(allow_null=True)
    created_at = UtcDateTimeField()
    changed_at = UtcDateTimeField()
    status = serializers.ChoiceField(Notice.Status.choices, source="current_status")
    attachments = serializers.SerializerMethodField()
    deliveries = DeliveryShown(many=True)

    class Meta:
        model = Notice
        fields = (
            "id",
            *notice_fields.SHOWN,
            "channel_ids",
            *notice_fields.FANNED_OUT,
            "archived_at",
            "created_at",
            "changed_at",
            "revision",
            "status",
            "deliveries",
        )
        read_only_fields = fields

    def get_channel_ids(self, notice: Notice) -> list[str]:
        return [str(channel.pk) for channel in notice.channels.all()]

    @extend_schema_field(AttachmentShown(many=True))
    def get_attachments(self, notice: Notice) -> Any:
        return AttachmentShown(readable(notice.attachments), many=True).data


@extend_schema_serializer(component_name="Attempt")
class AttemptShown(Shown[Attempt]):
    """One request to Discord. `ended_at` and `outcome` are null while it is under way."""

    channel_id = DiscordId(source="delivery.channel_id")
    begun_at = UtcDateTimeField()
    ended_at = UtcDateTimeField(allow_null=True)
    error = serializers.SerializerMethodField()

    class Meta:
        model = Attempt
        fields = (
            "id",
            "channel_id",
            "action",
            "revision",
            "begun_at",
            "ended_at",
            "outcome",
            "error",
        )
        read_only_fields = fields

    @extend_schema_field(ReasonShown(allow_null=True))
    def get_error(self, attempt: Attempt) -> dict[str, object] | None:
        return _reason(attempt.code)
