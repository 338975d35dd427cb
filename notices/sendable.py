"""What is wrong in a channel before a notice is shown there, in words with their remedies."""

from django.utils.translation import gettext as _

from notices import permissions, reasons
from notices.models import Channel


def troubles(channel: Channel, *, files: bool = False) -> list[str]:
    """Why a notice would not be shown in the channel, or not be kept true; none: all is well.

    `files`: one with files, which needs more.
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
    if lacking := permissions.missing(channel, files=files):
        return [permissions.lacked(bit, channel) for bit in lacking]
    if channel.refused_code is not None:
        why = reasons.explain(channel.refused_code)
        return [_("Refused last time: %(reason)s %(remedy)s") % why._asdict()]
    if channel.seen_at is None:
        return [
            _(
                "The bot has not seen %(channel)s yet: it is not on its server, or the id is "
                "wrong. Ask a site admin to check both."
            )
            % place
        ]
    return []


def can_send(channel: Channel) -> bool | None:
    """Whether a notice would be shown there; null while the bot has never seen the channel."""
    if channel.permissions is None:
        return None
    lacking = set(permissions.missing(channel)) - {permissions.READ_MESSAGE_HISTORY}
    return channel.gone_at is None and not lacking


def troubles_with_files(channel: Channel) -> list[str]:
    """What files alone would meet there, beside what any notice would."""
    others = troubles(channel)
    return [trouble for trouble in troubles(channel, files=True) if trouble not in others]
