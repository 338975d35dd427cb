"""What a frontend reads: ids as strings, since JavaScript's numbers are too short for Discord's."""

from datetime import UTC, datetime
from typing import Any

from notices.models import ApiKey, Channel, Delivery, Notice, NoticeQuerySet, Study
from notices.reasons import explain

# Bits of Discord's permissions.
_VIEW_CHANNEL = 1 << 10
_SEND_MESSAGES = 1 << 11
_EMBED_LINKS = 1 << 14
_SEND_IN_THREADS = 1 << 38
_THREADS = (
    Channel.Type.ANNOUNCEMENT_THREAD,
    Channel.Type.PUBLIC_THREAD,
    Channel.Type.PRIVATE_THREAD,
)


def whole_notices() -> NoticeQuerySet:
    """With all that is shown of them, in a constant number of queries."""
    return Notice.objects.prefetch_related("channels", "deliveries__channel")


def readable_notices(key: ApiKey) -> NoticeQuerySet:
    """Those that the key is good for."""
    notices = whole_notices()
    return notices if key.all_studies else notices.filter(study__in=key.allowed_studies())


def notice_json(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.pk,
        "study_id": notice.study_id,
        "title": notice.title,
        "content": notice.content,
        "author": notice.author,
        "url": notice.url,
        "image": notice.image,
        "ping": notice.ping,
        "channel_ids": [str(channel.pk) for channel in notice.channels.all()],
        "publish_at": _moment(notice.publish_at),
        "expires_at": _moment(notice.expires_at),
        "withdrawn_at": _moment(notice.withdrawn_at),
        "created_at": _moment(notice.created_at),
        "changed_at": _moment(notice.changed_at),
        "revision": notice.revision,
        "status": notice.current_status,
        "deliveries": [_delivery_json(delivery) for delivery in notice.deliveries.all()],
    }


def study_json(study: Study) -> dict[str, Any]:
    return {
        "id": study.pk,
        "name": study.name,
        "language": study.language,
        "time_zone": study.time_zone,
        "colour": f"#{study.colour:06X}",
        "channels": [_channel_json(channel) for channel in study.channels.all()],
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    return {
        "channel_id": str(delivery.channel_id),
        "channel_name": delivery.channel.name,
        "state": delivery.state,
        "message_id": _id(delivery.message_id),
        "message_url": delivery.message_url,
        "wanted": delivery.wanted,
        "shown": delivery.shown,
        "error": _error_json(delivery.error_code),
        "changed_at": _moment(delivery.changed_at),
    }


def _channel_json(channel: Channel) -> dict[str, Any]:
    return {
        "id": str(channel.pk),
        "name": channel.name,
        "type": channel.type,
        "guild_id": _id(channel.guild_id),
        "guild_name": channel.guild_name,
        "can_send": _can_send(channel),
    }


def _error_json(code: int | None) -> dict[str, Any] | None:
    return None if code is None else {"code": code, **explain(code)._asdict()}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _id(value: int | None) -> str | None:
    return None if value is None else str(value)


def _can_send(channel: Channel) -> bool | None:
    """Null while the bot has never seen the channel."""
    if channel.permissions is None:
        return None
    send = _SEND_IN_THREADS if channel.type in _THREADS else _SEND_MESSAGES
    needed = _VIEW_CHANNEL | send | _EMBED_LINKS
    return channel.gone_at is None and channel.permissions & needed == needed
