"""Checks what a frontend writes, and saves it whole or not at all."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied

from notices import actions, moved, quotas
from notices.advice.channel import never_show
from notices.api.attaching import UploadIdsField, attach, refusing_what_is_gone
from notices.api.authentication import Caller
from notices.api.fields import (
    ColourField,
    IdField,
    IdsField,
    LinkField,
    MomentField,
    OneOfField,
    TextField,
    TimeZoneField,
)
from notices.api.refusals import MOST_NAMED, listed, quoted
from notices.models import ApiKey, Channel, Notice, Right, Role, Study
from notices.outside import clock
from notices.people import rights
from notices.sql import CompiledQuery, Parameter
from notices.tables.limits import STUDY_NAME_LIMIT
from notices.tables.notice_fields import AUTHOR_LIMIT, CONTENT_LIMIT, TITLE_LIMIT

# JavaScript's numbers lose ten of an id's 63 bits.
FARTHEST_ROUNDED = 2**10


def find_study(caller: Caller, study_id: int) -> Study:
    """Return the study; refuse another's in the words for one that does not exist."""
    # first() would sort, although there is one study at most.
    study = next(iter(caller.studies.filter(pk=study_id).order_by()), None)
    if study is None:
        raise serializers.ValidationError(
            {
                "study_id": _("study_id %(id)s is not known; take one from /api/v1/studies/.")
                % {"id": study_id}
            }
        )
    return study


def _channel_of(studies: QuerySet[Study]) -> QuerySet[Study, Any]:
    connected = studies.filter(pk=Parameter("study_id"), channels=Parameter("channel_id"))
    return connected.order_by().values_list("channels__type", "channels__refused_code")


_FOR_EVERY_STUDY = CompiledQuery(lambda: _channel_of(Study.objects.all()))
_FOR_ITS_STUDIES = CompiledQuery(
    lambda: _channel_of(Study.objects.filter(api_keys=Parameter("key_id")))
)


def _shows_in(key: ApiKey, study_id: int, channel_id: int) -> bool:
    """Return whether a study of the key has the channel, and nothing speaks against it.

    This is one query that makes no model: most POSTs need no more.
    """
    if key.all_studies:
        found = _FOR_EVERY_STUDY.fetch(study_id=study_id, channel_id=channel_id)
    else:
        found = _FOR_ITS_STUDIES.fetch(study_id=study_id, channel_id=channel_id, key_id=key.pk)
    return any(kind in Channel.TYPES_WITH_MESSAGES and code is None for kind, code in found)


def _connected_channels(study: Study, ids: list[int], field: str) -> list[Channel]:
    return _channels_among(study.channels.all(), study, ids, field)


def _channels_among(
    allowed: QuerySet[Channel], study: Study, ids: list[int], field: str
) -> list[Channel]:
    channels = {channel.pk: channel for channel in allowed.filter(pk__in=ids).order_by()}
    missing = [pk for pk in ids if pk not in channels]
    if missing:
        refuse_rounded(allowed, missing, field)
        raise serializers.ValidationError({field: _why_missing(study, missing)})
    if whys := never_show(channels.values()):
        raise serializers.ValidationError({field: _each(whys)})
    return list(channels.values())


def _each(whys: Mapping[int, str]) -> str:
    return " ".join(f"{pk}: {why}" for pk, why in islice(whys.items(), MOST_NAMED))


def refuse_rounded(allowed: QuerySet[Channel], unknown: Sequence[int], field: str) -> None:
    for sent in unknown[:MOST_NAMED]:
        if channel_id := _rounded_from(allowed, sent):
            told = _(
                "%(sent)s is channel %(id)s as JavaScript rounds it; "
                'send channel ids as strings: "%(id)s".'
            )
            raise serializers.ValidationError({field: told % {"sent": sent, "id": channel_id}})


def _why_missing(study: Study, missing: list[int]) -> str:
    if whys := _on_its_servers(study, missing[:MOST_NAMED]):
        return _each(whys)
    told = _(
        "%(ids)s is not connected to study %(study)s; "
        "connect it in the admin or by manage.py addstudy."
    )
    return told % {"ids": listed(missing), "study": study.pk}


def _rounded_from(allowed: QuerySet[Channel], sent: int) -> int | None:
    """Return the id that JavaScript rounded to `sent`, as its numbers have 53 bits."""
    near = allowed.filter(pk__range=(sent - FARTHEST_ROUNDED, sent + FARTHEST_ROUNDED))
    ids = near.values_list("pk", flat=True)
    return next((pk for pk in ids if sent in _rounded(pk)), None)


def _rounded(pk: int) -> tuple[int, int]:
    """Return the id as JavaScript prints it (its shortest digits), and as other languages do."""
    return int(Decimal(repr(float(pk)))), int(float(pk))


def _on_its_servers(study: Study, ids: list[int]) -> dict[int, str]:
    """Return why no notice can be shown there, for ids on the study's own servers."""
    servers = study.channels.filter(guild_id__isnull=False).values("guild_id")
    channels = Channel.objects.filter(pk__in=ids, guild_id__in=servers)
    roles = Role.objects.filter(pk__in=ids, guild_id__in=servers)
    return never_show([*channels, *(Channel(pk=role.pk) for role in roles)])


def _all_channels(study: Study) -> list[Channel]:
    channels = list(study.channels.all())
    if not channels:
        raise serializers.ValidationError(
            {
                "channel_ids": _(
                    "Study %(study)s has no channels; connect one in the admin "
                    "or by manage.py addstudy."
                )
                % {"study": study.pk}
            }
        )
    whys = never_show(channels)
    if len(whys) == len(channels):
        raise serializers.ValidationError({"channel_ids": _each(whys)})
    return channels


def _check_expiry(publish_at: datetime | None, expires_at: datetime | None, now: datetime) -> None:
    begins = max(publish_at or now, now)
    if expires_at is not None and expires_at <= begins:
        raise serializers.ValidationError(
            {
                "expires_at": _(
                    "%(value)s is not after the moment of publishing, %(begins)s; "
                    "send a later one, or null."
                )
                % {"value": expires_at.isoformat(), "begins": begins.isoformat()}
            }
        )


def _check_ping(study: Study, ping: str | None) -> None:
    if ping == Notice.Ping.ROLE and study.ping_role_id is None:
        raise serializers.ValidationError(
            {
                "ping": _(
                    '"role" cannot be pinged: study %(study)s has none; '
                    "set one in the admin, or send another ping."
                )
                % {"study": study.pk}
            }
        )


def refuse_without(caller: Caller, right: Right, study: Study) -> None:
    """Refuse a login whose role in the study does not allow it. A key may do what it may do."""
    if caller.user is not None and not rights.may(caller.user, right, study.pk):
        raise PermissionDenied(rights.why_not(caller.user, right, study))


def refuse_key_to_ping(caller: Caller, ping: str) -> None:
    if ping != Notice.Ping.NONE and not caller.may_ping:
        raise PermissionDenied(
            _(
                'ping "%(ping)s": this key may not ping; send "none", '
                "or ask a site admin for a key that may ping."
            )
            % {"ping": ping}
        )


class Form(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return shallow copies, as each form needs its own; the framework makes deep ones."""
        return {name: copy(field) for name, field in self._declared_fields.items()}


@extend_schema_serializer(component_name="FirstFrontendNotice")
class FirstFrontendForm(Form):
    """The first frontend's contract: one channel, shown at once. Unknown fields are ignored."""

    channel_id = IdField()
    title = TextField(limit=TITLE_LIMIT)
    study_id = IdField()
    content = TextField(limit=CONTENT_LIMIT)
    author = TextField(limit=AUTHOR_LIMIT, optional=True)
    url = LinkField()

    def create(self, validated_data: dict[str, Any]) -> Notice:
        caller, channel_id = self.context["caller"], validated_data.pop("channel_id")
        notice = Notice(publish_at=clock.now(), **caller.authorship, **validated_data)
        if not (caller.key and _shows_in(caller.key, notice.study_id, channel_id)):
            # These refuse the POST in words, unless the channel can be tried once more.
            study = find_study(caller, notice.study_id)
            refuse_without(caller, Right.PUBLISH, study)
            _connected_channels(study, [channel_id], "channel_id")
        with transaction.atomic():
            quotas.check_queued(notice.study_id)
            actions.write(notice, [channel_id])
        return notice


class StrictForm(Form):
    """Unknown fields are refused by name, so that the sender learns of a typing error."""

    def to_internal_value(self, data: Mapping[str, object]) -> Any:
        unknown = islice((name for name in data if name not in self.fields), MOST_NAMED)
        refused = {
            name: _("%(name)s is not a field here; the fields are %(fields)s.")
            % {"name": quoted(name), "fields": ", ".join(self.fields)}
            for name in unknown
        }
        if refused:
            raise serializers.ValidationError(refused)
        return super().to_internal_value(data)


class _NoticeForm(StrictForm):
    title = TextField(limit=TITLE_LIMIT)
    content = TextField(limit=CONTENT_LIMIT)
    author = TextField(limit=AUTHOR_LIMIT, optional=True)
    url = LinkField()
    image = LinkField()
    picture = IdField(required=False, allow_null=True, help_text="An upload, instead of `image`.")
    attachments = UploadIdsField(required=False, help_text="Uploads, in their order.")
    ping = OneOfField(Notice.Ping.choices, required=False)
    channel_ids = IdsField(required=False)
    publish_at = MomentField(required=False, allow_null=True)
    expires_at = MomentField(required=False, allow_null=True)


@extend_schema_serializer(component_name="NewNotice")
class NewNoticeForm(_NoticeForm):
    """A notice to write, for all channels of its study or for some."""

    study_id = IdField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        now = clock.now()
        attrs.setdefault("publish_at", now)
        _check_expiry(attrs["publish_at"], attrs.get("expires_at"), now)
        study = attrs["study"] = find_study(self.context["caller"], attrs.pop("study_id"))
        _check_ping(study, attrs.get("ping"))
        self._check_rights(study, attrs.get("ping", Notice.Ping.NONE), attrs["publish_at"])
        attach(self.context["caller"], attrs)
        ids = attrs.pop("channel_ids", None)
        attrs["channels"] = (
            _all_channels(study) if ids is None else _connected_channels(study, ids, "channel_ids")
        )
        return attrs

    def _check_rights(self, study: Study, ping: str, publish_at: datetime | None) -> None:
        caller = self.context["caller"]
        refuse_key_to_ping(caller, ping)
        refuse_without(caller, rights.to_save(publish_at), study)
        if publish_at is not None and ping != Notice.Ping.NONE:
            refuse_without(caller, Right.PING, study)

    def create(self, validated_data: dict[str, Any]) -> Notice:
        channels = validated_data.pop("channels")
        notice = Notice(**self.context["caller"].authorship, **validated_data)
        with transaction.atomic(), refusing_what_is_gone():
            if notice.first_status() != Notice.Status.QUEUED:
                quotas.check_waiting(notice.study, self.context["caller"].key)
            if notice.publish_at is not None:
                quotas.check_queued(notice.study_id)
            actions.write(notice, [channel.pk for channel in channels])
            if notice.attachments:
                quotas.check_attached(notice.study)
        return notice


@extend_schema_serializer(component_name="NoticeChange")
class NoticeChangeForm(_NoticeForm):
    """A field that is left out stays as it is. The study cannot change."""

    # The caller's transaction has locked it.
    instance: Notice

    def to_internal_value(self, data: Mapping[str, object]) -> Any:
        if "study_id" in data:
            raise serializers.ValidationError(
                {
                    "study_id": _(
                        "%(value)s: a notice stays with its study; "
                        "leave study_id out, or withdraw the notice and post another."
                    )
                    % {"value": quoted(data["study_id"])}
                }
            )
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        notice, now = self.instance, clock.now()
        publish_at = attrs.get("publish_at", notice.publish_at)
        expires_at = attrs.get("expires_at", notice.expires_at)
        if (publish_at, expires_at) != (notice.publish_at, notice.expires_at):
            _check_not_published(notice, publish_at, now)
            _check_expiry(publish_at, expires_at, now)
        _check_ping(notice.study, attrs.get("ping"))
        attach(self.context["caller"], attrs, before=notice.attachments, image=notice.image)
        ids = attrs.pop("channel_ids", None)
        if ids is not None:
            attrs["channels"] = self._channels(ids)
        elif publish_at is not None and publish_at != notice.publish_at:
            # The study may have lost some of these channels since they were picked.
            attrs["channels"] = self._channels(self._picked())
        self._check_rights(attrs, publish_at)
        return attrs

    def _check_rights(self, attrs: dict[str, Any], publish_at: datetime | None) -> None:
        notice, caller = self.instance, self.context["caller"]
        refuse_without(caller, rights.to_save(notice.publish_at, publish_at), notice.study)
        ping = attrs.get("ping", notice.ping)
        if rights.pings(notice, ping, attrs.get("channels", ()), publish_at):
            refuse_without(caller, Right.PING, notice.study)
        elif ping == notice.ping:
            return
        refuse_key_to_ping(caller, ping)

    def _picked(self) -> list[int]:
        picked = self.instance.channels.exclude(pk__in=self._foreign())
        ids = list(picked.values_list("pk", flat=True))
        if not ids:
            told = _("The notice has no channel to be published in; name at least one.")
            raise serializers.ValidationError({"channel_ids": told})
        return ids

    def _channels(self, ids: list[int]) -> list[Channel]:
        notice = self.instance
        allowed = notice.allowed_channels().exclude(pk__in=self._foreign())
        return _channels_among(allowed, notice.study, ids, "channel_ids")

    def _foreign(self) -> set[int]:
        caller: Caller = self.context["caller"]
        return moved.foreign_channels([self.instance], caller.studies)[self.instance.pk]

    def update(self, instance: Notice, validated_data: dict[str, Any]) -> Notice:
        channels = validated_data.pop("channels", None)
        if validated_data.get("publish_at") and validated_data["publish_at"] != instance.publish_at:
            quotas.check_queued(instance.study_id)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        if channels is not None:
            instance.channels.set(channels)
        # Saving no fields still tells the fan-out that the channels changed.
        if channels is not None or validated_data:
            instance.save(update_fields=[*validated_data, "changed_at"])
        if "attachments" in validated_data:
            with refusing_what_is_gone():
                actions.hold_uploads(instance)
            if instance.attachments:
                quotas.check_attached(instance.study)
        return instance


def _check_not_published(notice: Notice, publish_at: datetime | None, now: datetime) -> None:
    published = notice.publish_at is not None and notice.publish_at <= now
    if published and publish_at != notice.publish_at:
        raise serializers.ValidationError(
            {
                "publish_at": _(
                    "%(value)s comes too late: the notice was published at %(published)s; "
                    "leave publish_at out, or withdraw the notice."
                )
                % {
                    "value": quoted(publish_at and publish_at.isoformat()),
                    "published": notice.publish_at and notice.publish_at.isoformat(),
                }
            }
        )


@extend_schema_serializer(component_name="StudyToSetUp")
class StudyForm(StrictForm):
    """A site admin's study. A channel that is not known yet is added."""

    name = TextField(limit=STUDY_NAME_LIMIT)
    language = OneOfField(Study.Language.choices, required=False)
    time_zone = TimeZoneField(required=False)
    colour = ColourField(required=False)
    ping_role_id = IdField(required=False, allow_null=True)
    channel_ids = IdsField(required=False)

    def validate_channel_ids(self, ids: list[int]) -> list[int]:
        known = Channel.objects.in_bulk(ids)
        unknown = [pk for pk in ids if pk not in known]
        refuse_rounded(Channel.objects.all(), unknown, "channel_ids")
        if whys := never_show(known.get(pk, Channel(pk=pk)) for pk in ids):
            raise serializers.ValidationError([f"{pk}: {why}" for pk, why in whys.items()])
        return ids

    def save(self, **_kwargs: object) -> Study:
        study = self.instance or Study()
        ids = self.validated_data.pop("channel_ids", None)
        for name, value in self.validated_data.items():
            setattr(study, name, value)
        with transaction.atomic():
            study.save()
            if ids is not None:
                channels = [Channel(id=channel_id) for channel_id in ids]
                Channel.objects.bulk_create(channels, ignore_conflicts=True)
                study.channels.set(ids)
        return study
