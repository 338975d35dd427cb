"""The problems of a channel that keep notices from being shown there, with their remedies."""

from collections.abc import Iterable
from datetime import datetime

from django.utils.translation import gettext as _

from notices.advice import permissions, reasons
from notices.models import Channel, ErrorCode, Role
from notices.moments import in_words
from notices.outside import clock


def troubles(channel: Channel, *, files: bool = False) -> list[str]:
    """Say why a notice could not be shown in the channel, or not be corrected later.

    `files` stands for a notice with files, which needs another permission.
    """
    place = {"channel": channel.short_name}
    if channel.gone_at is not None:
        return [
            _(
                "%(channel)s is gone, or the bot was removed from its server: pick another "
                "channel, or ask a site admin to invite the bot again."
            )
            % place
        ]
    if channel.type not in Channel.TYPES_WITH_MESSAGES:
        return [" ".join(reasons.takes_no_messages(channel))]
    if (until := timeout_end(channel)) is not None:
        return [_timed_out(channel, until)]
    if lacking := permissions.missing(channel, files=files):
        return [permissions.lacked(bit, channel) for bit in lacking]
    if channel.seen_at is None and channel.refused_code is not None:
        return [" ".join(reasons.no_such_channel(channel, channel.refused_code))]
    if channel.refused_code is not None:
        why = reasons.explain(channel.refused_code)
        told = _("%(channel)s refused the bot last time: %(reason)s %(remedy)s")
        return [told % {**place, **why._asdict()}]
    if channel.seen_at is None:
        return [
            _(
                "The bot has not seen %(channel)s yet: it is not on its server, or the id is "
                "wrong. Ask a site admin to check both."
            )
            % place
        ]
    return []


def timeout_end(channel: Channel) -> datetime | None:
    """Return the end of the bot's timeout by a moderator, or None without one."""
    until = channel.timed_out_until
    return until if until is not None and until > clock.now() else None


def _timed_out(channel: Channel, until: datetime) -> str:
    return _(
        "A moderator gave the bot a timeout until %(moment)s. Notices to %(channel)s wait for its "
        "end by themselves; a moderator can take it back before."
    ) % {"moment": in_words(until), "channel": channel.short_name}


def never_show(channels: Iterable[Channel]) -> dict[int, str]:
    """Say, by channel id, why a channel can never show a notice: it takes no messages."""
    channels = list(channels)
    # An id that the bot has not seen as a channel may be a role's or a server's.
    unseen = [channel.pk for channel in channels if channel.seen_at is None]
    roles = Role.objects.in_bulk(unseen)
    whys = {channel.pk: _never_shows(channel, roles.get(channel.pk)) for channel in channels}
    return {pk: " ".join(why) for pk, why in whys.items() if why is not None}


def _never_shows(channel: Channel, role: Role | None) -> reasons.Reason | None:
    if channel.type not in Channel.TYPES_WITH_MESSAGES:
        return reasons.takes_no_messages(channel)
    if role is None:
        return None
    # As in Discord, @everyone is the role with its server's id.
    is_server = role.pk == role.guild_id
    return reasons.explain(ErrorCode.A_SERVER if is_server else ErrorCode.A_ROLE)


def can_send(channel: Channel) -> bool | None:
    """Return whether a notice could be shown, or None if the bot has not seen the channel."""
    if channel.permissions is None:
        return None
    takes_messages = channel.type in Channel.TYPES_WITH_MESSAGES
    return channel.gone_at is None and takes_messages and not permissions.missing_to_send(channel)


def troubles_with_files(channel: Channel) -> list[str]:
    """Return the problems that only a notice with files has there."""
    others = troubles(channel)
    return [trouble for trouble in troubles(channel, files=True) if trouble not in others]
