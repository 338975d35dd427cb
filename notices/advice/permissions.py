"""The permissions that the bot needs in a channel, and words for each that it lacks."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notices.models import Channel

# Bits of Discord's permissions.
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
EMBED_LINKS = 1 << 14
ATTACH_FILES = 1 << 15
READ_MESSAGE_HISTORY = 1 << 16
MENTION_EVERYONE = 1 << 17
CONNECT = 1 << 20
MANAGE_THREADS = 1 << 34
SEND_MESSAGES_IN_THREADS = 1 << 38

THREADS = frozenset(
    {
        Channel.Type.ANNOUNCEMENT_THREAD,
        Channel.Type.PUBLIC_THREAD,
        Channel.Type.PRIVATE_THREAD,
    }
)
# Discord lets nobody write in these who may not connect to them.
WITH_VOICE = frozenset({Channel.Type.VOICE, Channel.Type.STAGE})
# The names are those of Discord's settings of a channel.
NAMES: dict[int, Promise] = {
    VIEW_CHANNEL: _("View Channel"),
    SEND_MESSAGES: _("Send Messages"),
    SEND_MESSAGES_IN_THREADS: _("Send Messages in Threads"),
    EMBED_LINKS: _("Embed Links"),
    ATTACH_FILES: _("Attach Files"),
    READ_MESSAGE_HISTORY: _("Read Message History"),
    MENTION_EVERYONE: _("Mention @everyone, @here and All Roles"),
    CONNECT: _("Connect"),
    MANAGE_THREADS: _("Manage Threads and Posts"),
}
_LACKED: dict[int, Promise] = {
    VIEW_CHANNEL: _(
        "The bot may not see %(channel)s: Channel settings → Permissions → %(permission)s"
    ),
    SEND_MESSAGES: _(
        "The bot may not write in %(channel)s: Channel settings → Permissions → %(permission)s"
    ),
    SEND_MESSAGES_IN_THREADS: _(
        "The bot may not write in the thread %(channel)s: "
        "settings of its channel → Permissions → %(permission)s"
    ),
    EMBED_LINKS: _(
        "The bot may not embed links in %(channel)s: "
        "Channel settings → Permissions → %(permission)s"
    ),
    ATTACH_FILES: _(
        "The bot may not attach files in %(channel)s: "
        "Channel settings → Permissions → %(permission)s"
    ),
    READ_MESSAGE_HISTORY: _(
        "The bot may not read back in %(channel)s, so it could not find a message whose answer "
        "was lost: Channel settings → Permissions → %(permission)s"
    ),
    CONNECT: _(
        "The bot may not connect to %(channel)s, and so not write there: "
        "Channel settings → Permissions → %(permission)s"
    ),
    MANAGE_THREADS: _(
        "The thread %(channel)s is locked: unlock it, or let the bot write in it: "
        "settings of its channel → Permissions → %(permission)s"
    ),
    MENTION_EVERYONE: _(
        "The bot may not ping in %(channel)s: Channel settings → Permissions → %(permission)s"
    ),
}


def missing(channel: Channel, *, files: bool = False) -> list[int]:
    """Return the permissions that the bot lacks to show a notice, and to find its message later.

    None is missing while the bot has not seen the channel. `files` stands for a notice with
    files. View Channel and Send Messages take others away with them, so the cause alone is named.
    """
    held = channel.permissions
    if held is None:
        return []
    if not held & VIEW_CHANNEL:
        return [VIEW_CHANNEL]
    if channel.type in WITH_VOICE and not held & CONNECT:
        return [CONNECT]
    if channel.is_locked and not held & MANAGE_THREADS:
        return [MANAGE_THREADS]
    send = SEND_MESSAGES_IN_THREADS if channel.type in THREADS else SEND_MESSAGES
    needed = [EMBED_LINKS] if held & send else [send]
    if files and held & send:
        needed.append(ATTACH_FILES)
    needed.append(READ_MESSAGE_HISTORY)
    return [bit for bit in needed if not held & bit]


def missing_to_send(channel: Channel, *, files: bool = False) -> list[int]:
    """Return the missing ones without which Discord refuses the notice at once."""
    lacking = missing(channel, files=files)
    return [bit for bit in lacking if bit != READ_MESSAGE_HISTORY]


def may_mention_all(channel: Channel) -> bool:
    """Return whether the bot may ping @everyone, @here and any role.

    It is assumed to be allowed while the bot has not seen the channel.
    """
    return channel.permissions is None or bool(channel.permissions & MENTION_EVERYONE)


def lacked(bit: int, channel: Channel) -> str:
    """Say that the bot lacks the permission there, and where to set it."""
    return str(_LACKED[bit]) % {"channel": channel.short_name, "permission": NAMES[bit]}
