"""Why a channel does not show a notice, in a leader's words, and what can be done about it."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notices import permissions
from notices.models import Channel, ErrorCode


class Reason(NamedTuple):
    reason: str
    remedy: str


_SEND_AGAIN = _("Send it again.")
_SHORTEN = _("Shorten or correct the notice and save it; it is then sent by itself.")
_WAIT = _("There is nothing to do: it is tried again by itself.")
_INVITE = _(
    "Ask a site admin to invite the bot to the server again, or to connect another channel; "
    "then send it again."
)

_REASONS: dict[int, tuple[Promise, Promise]] = {
    0: (_("Discord could not be reached."), _WAIT),
    ErrorCode.EXPIRED: (
        _("It could not be shown before the moment after which it was not to be sent."),
        _("Set a later “not after”, or none, and send it again."),
    ),
    ErrorCode.NO_ANSWER: (
        _("Discord did not answer, so nobody knows whether the message is shown."),
        _("Look into the channel. Where the message is missing, send it again."),
    ),
    ErrorCode.NOT_READABLE: (
        _("Nobody knows whether the message is shown: the bot may not read the channel's history."),
        _(
            "Look into the channel. Where the message is missing, send it again. Let a site admin "
            "give the bot “Read Message History” there, and it looks for itself next time."
        ),
    ),
    ErrorCode.LEFT: (
        _("You found the message in the channel and left it as it is."),
        _(
            "The bot does not know that message. Before a later change or withdrawal it looks for "
            "it in the channel."
        ),
    ),
    ErrorCode.FILE_GONE: (
        _("A file of the notice is no longer kept here."),
        _("Remove it from the notice, add it again and save; the notice is then sent by itself."),
    ),
    ErrorCode.EMBED_REMOVED: (
        _("Somebody removed the embed from the message in Discord: nothing of it is to be seen."),
        _("Send it again, or change the notice, to have it shown again; or withdraw the notice."),
    ),
    ErrorCode.CHANNEL_TAKEN: (
        _("The study no longer has this channel."),
        _(
            "Leave the channel out; or ask a site admin to connect it to the study again, then "
            "send the notice again."
        ),
    ),
    ErrorCode.MESSAGE_DELETED: (
        _("Somebody deleted the message in Discord."),
        _("Send it again to post it once more, or withdraw the notice."),
    ),
    ErrorCode.CHANNEL_DELETED: (
        _("The channel does not exist in Discord any more."),
        _("Choose another channel for the notice, and ask a site admin to connect a new one."),
    ),
    10004: (_("The bot is not on this Discord server."), _INVITE),
    20022: (
        _("Announcements may be edited only a few times an hour."),
        _("Wait an hour, then send it again."),
    ),
    30046: (
        _("Discord lets an old message be edited only a few times an hour."),
        _("Wait an hour, then send it again."),
    ),
    40001: (
        _("Discord does not accept the bot's token."),
        _("Ask a site admin to put a valid BOT_TOKEN in place, then send it again."),
    ),
    40005: (
        _("Discord found the files too large."),
        _(
            "Make them smaller, or leave some out, and save; the notice is then sent by itself. "
            "Let a site admin know: UPLOAD_LIMIT_MB may be more than Discord takes here."
        ),
    ),
    50001: (
        _("The bot cannot see this channel."),
        _(
            "Ask an admin of the server to give the bot “View Channel” there, "
            "then send the notice again."
        ),
    ),
    50006: (
        _("Discord found the message empty."),
        _("Write a title and a text with visible characters and save; it is then sent by itself."),
    ),
    50008: (
        _("No messages can be sent to a channel of this type."),
        _("Choose a text channel for the notice."),
    ),
    50013: (
        _("The bot lacks a permission in this channel."),
        _(
            "Ask an admin of the server to give the bot “Send Messages”, “Embed Links” and, for "
            "files, “Attach Files” there, then send the notice again."
        ),
    ),
    50035: (_("Discord refused the notice's text, link or picture."), _SHORTEN),
    50083: (
        _("The thread is archived."),
        _("Ask a moderator of the server to open the thread, then send the notice again."),
    ),
    160005: (
        _("The thread is locked."),
        _("Ask a moderator of the server to unlock the thread, then send the notice again."),
    ),
    400: (_("Discord refused the notice as it is written."), _SHORTEN),
    403: (
        _("Discord does not let the bot do this in this channel."),
        _(
            "Ask an admin of the server to give the bot “View Channel”, “Send Messages” and "
            "“Embed Links” there, then send the notice again."
        ),
    ),
    404: (
        _("Discord does not know the channel or the message."),
        _("Check that the channel still exists, then send the notice again."),
    ),
    429: (_("Discord asked the bot to slow down."), _WAIT),
}
_REASONS[401] = _REASONS[40001]
_REASONS[413] = _REASONS[40005]


# With these Discord says that a permission is missing, but not which: without Embed Links it drops
# the embed, and may find that nothing is left.
_LACKING = frozenset({50001, 50006, 50013, 403})


def explain(code: int, channel: Channel | None = None, *, for_good: bool = False) -> Reason:
    """For a code of ours, of Discord's or of HTTP; in the language that is active now.

    Given the channel, the permission that is missing there by now is named. `for_good`: it is not
    tried again by itself.
    """
    reason = _explain(code, channel)
    if for_good and reason.remedy == str(_WAIT):
        return reason._replace(remedy=str(_SEND_AGAIN))
    return reason


def _explain(code: int, channel: Channel | None) -> Reason:
    if channel is not None and code in _LACKING and (named := _named(channel)):
        return Reason(named, gettext("Allow it there, then send the notice again."))
    if code in _REASONS:
        return Reason(*map(str, _REASONS[code]))
    if 500 <= code < 600:
        trouble = gettext("Discord itself has trouble (%(code)d).") % {"code": code}
        return Reason(trouble, str(_WAIT))
    unknown = gettext("Discord refused it with code %(code)d.") % {"code": code}
    return Reason(
        unknown, gettext("Send it again; if that fails too, give a site admin this number.")
    )


def _named(channel: Channel) -> str:
    # What files alone need is the cause only where nothing else is missing.
    lacking = _needed_to_send(channel) or _needed_to_send(channel, files=True)
    return ". ".join(permissions.lacked(bit, channel) for bit in lacking)


def _needed_to_send(channel: Channel, *, files: bool = False) -> list[int]:
    lacking = permissions.missing(channel, files=files)
    return [bit for bit in lacking if bit != permissions.READ_MESSAGE_HISTORY]
