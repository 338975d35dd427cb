"""What a channel lacks before a notice can be shown there, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notices import reasons
from notices.models import Channel, Notice

THREADS = {
    Channel.Type.ANNOUNCEMENT_THREAD,
    Channel.Type.PUBLIC_THREAD,
    Channel.Type.PRIVATE_THREAD,
}
VIEW_CHANNEL = 10
SEND_MESSAGES = 11
EMBED_LINKS = 14
READ_MESSAGE_HISTORY = 16
MENTION_EVERYONE = 17
SEND_MESSAGES_IN_THREADS = 38
# As Discord itself names them in a channel's settings.
PERMISSION_NAMES = {
    VIEW_CHANNEL: gettext_lazy("View Channel"),
    SEND_MESSAGES: gettext_lazy("Send Messages"),
    EMBED_LINKS: gettext_lazy("Embed Links"),
    READ_MESSAGE_HISTORY: gettext_lazy("Read Message History"),
    MENTION_EVERYONE: gettext_lazy("Mention @everyone, @here and All Roles"),
    SEND_MESSAGES_IN_THREADS: gettext_lazy("Send Messages in Threads"),
}


def missing_permissions(channel: Channel, ping: str = Notice.Ping.NONE) -> list[str]:
    """The names of the permissions that the bot lacks; none while it has not looked."""
    if channel.permissions is None:
        return []
    send = SEND_MESSAGES_IN_THREADS if channel.type in THREADS else SEND_MESSAGES
    needed = [VIEW_CHANNEL, send, EMBED_LINKS, READ_MESSAGE_HISTORY]
    if ping in (Notice.Ping.HERE, Notice.Ping.EVERYONE):
        needed.append(MENTION_EVERYONE)
    return [str(PERMISSION_NAMES[bit]) for bit in needed if not channel.permissions >> bit & 1]


def trouble(channel: Channel, ping: str = Notice.Ping.NONE) -> str:
    """Why a notice would not be shown in the channel, or not wholly; empty when all is well."""
    if channel.gone_at is not None:
        return _("the channel is gone, or the bot was removed from the server")
    if missing := missing_permissions(channel, ping):
        return _("missing permission: %(names)s") % {"names": ", ".join(missing)}
    if channel.refused_code is not None:
        return str(reasons.explain(channel.refused_code).reason)
    if channel.seen_at is None:
        return _("not seen by the bot yet")
    return ""
