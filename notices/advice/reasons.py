"""The reason why a channel does not show a notice, and its remedy, in words for a leader."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from notices.advice import permissions
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

_CHANGE_FILES = _("Take another file and save; the notice is then sent by itself.")
_COPY_ID = _(
    "In Discord: settings, Advanced, Developer Mode; then Copy Channel ID in the channel's own "
    "menu. Connect that one."
)
_OTHER_CHANNEL = _("Choose a text channel for the notice.")
_SEND_LATER = _("Wait a while, then send it again.")
_UNBAN = _(
    "Ask an admin of the server to lift the ban and invite the bot again; then send it again."
)
_A_POST = _("Open a post there, connect the post by its own id, and choose it for the notice.")
_ASK_AUTOMOD = _(
    "Change the words and save; the notice is then sent by itself. Or ask an admin of the server "
    "to exempt the bot's role from the AutoMod rule, then send it again."
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
    ErrorCode.TIMED_OUT: (
        _("A moderator of the server gave the bot a timeout."),
        _(
            "There is nothing to do: it is sent by itself when the timeout ends, or when a "
            "moderator takes it back."
        ),
    ),
    ErrorCode.A_SERVER: (_("This is the id of a server, and not of a channel."), _COPY_ID),
    ErrorCode.A_ROLE: (_("This is the id of a role, and not of a channel."), _COPY_ID),
    ErrorCode.NOT_FROM_DISCORD: (
        _("Something on the way to Discord answered in its place."),
        _WAIT,
    ),
    ErrorCode.SERVER_AWAY: (
        _("Discord says that this server is out of reach at the moment."),
        _WAIT,
    ),
    ErrorCode.UNSENDABLE: (
        _("Something in the notice cannot be sent: its files, or characters in its text."),
        _("Open the notice, correct it and save; it is then sent by itself."),
    ),
    ErrorCode.MESSAGE_EMPTIED: (
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
    20009: (
        _("Discord's filter took the text or a picture of the notice for explicit."),
        _("Change the words or the picture and save; the notice is then sent by itself."),
    ),
    20016: (_("The channel is in slow mode."), _WAIT),
    20022: (_("Announcements may be edited only a few times an hour."), _WAIT),
    20028: (_("Too much is written in this channel."), _WAIT),
    20029: (_("Too much is written on this server."), _WAIT),
    30046: (_("Discord lets an old message be edited only a few times an hour."), _WAIT),
    40001: (
        _("Discord does not accept the bot's token."),
        _("Ask a site admin to put a valid BOT_TOKEN in place; it is then sent by itself."),
    ),
    30015: (
        _("Discord takes no more than ten files with a message."),
        _("Leave some out and save; the notice is then sent by itself."),
    ),
    40004: (_("Discord has switched sending off for the moment."), _SEND_LATER),
    40006: (_("Discord has switched this off for the moment."), _SEND_LATER),
    40007: (_("The bot is banned from this server."), _UNBAN),
    40058: (_("This is a forum: it takes no messages but posts."), _A_POST),
    40067: (_("This is a forum: it takes no messages but posts."), _A_POST),
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
    50003: (_("These are direct messages, and no channel of a server."), _OTHER_CHANNEL),
    50005: (
        _("The message is another's: the bot cannot change it."),
        _("Withdraw the notice and write a new one."),
    ),
    50006: (
        _("Discord found the message empty."),
        _("Write a title and a text with visible characters and save; it is then sent by itself."),
    ),
    50008: (
        _("No messages can be sent to a channel of this type."),
        _OTHER_CHANNEL,
    ),
    50009: (
        _("The server's verification level keeps the bot from writing here."),
        _("Ask an admin of the server to give the bot a role there, then send the notice again."),
    ),
    50013: (
        _("The bot lacks a permission in this channel."),
        _(
            "Ask an admin of the server to give the bot “Send Messages”, “Embed Links” and, for "
            "files, “Attach Files” there, then send the notice again."
        ),
    ),
    50021: (_("Discord lets nobody change this message."), _("Withdraw the notice.")),
    50024: (_("This cannot be done in a channel of this type."), _OTHER_CHANNEL),
    50045: (
        _("A file is larger than Discord takes on this server."),
        _("Make it smaller, or leave it out, and save; the notice is then sent by itself."),
    ),
    50046: (_("Discord cannot read a file of the notice."), _CHANGE_FILES),
    50110: (_("Discord cannot read a file of the notice."), _CHANGE_FILES),
    50123: (_("Discord does not take a file of this kind."), _CHANGE_FILES),
    50124: (_("A file of the notice plays longer than Discord takes."), _CHANGE_FILES),
    50146: (_("Discord has not kept a file of the notice."), _SEND_AGAIN),
    50035: (_("Discord refused the notice's text, link or picture."), _SHORTEN),
    50083: (
        _("The thread is archived, and the bot may not open it."),
        _(
            "Ask a moderator of the server to open the thread, and to unlock it, then send the "
            "notice again."
        ),
    ),
    160005: (
        _("The thread is locked."),
        _("Ask a moderator of the server to unlock the thread, then send the notice again."),
    ),
    200000: (_("The server's AutoMod stopped the words of the notice."), _ASK_AUTOMOD),
    200001: (_("The server's AutoMod stopped the title of the notice."), _ASK_AUTOMOD),
    220001: (_("This is a forum: it takes no messages but posts."), _A_POST),
    220003: (_("This is a forum: it takes no messages but posts."), _A_POST),
    240000: (
        _("Discord took a link in the notice for harmful."),
        _("Take the link out, or write another, and save; the notice is then sent by itself."),
    ),
    400001: (
        _("Discord does not take files on this server at the moment."),
        _("Leave the files out and save; the notice is then sent by itself."),
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
    40062: (_("Discord asked the bot to slow down."), _WAIT),
}
_REASONS[401] = _REASONS[40001]
_REASONS[413] = _REASONS[40005]


_WITH_POSTS = frozenset({Channel.Type.FORUM, Channel.Type.MEDIA})
# With these codes a permission is missing that Discord does not name. Without Embed Links it drops
# the embed, and may then find the message empty.
_LACKING = frozenset({ErrorCode.MESSAGE_EMPTIED, 50001, 50006, 50013, 50083, 160005, 403})


# A channel that takes no messages is the reason for these codes.
_OF_ITS_TYPE = frozenset({400, 403, 50001, 50008, 50013, 50024, 50035})


def takes_no_messages(channel: Channel) -> Reason:
    """Explain that channels of this type have no messages."""
    names = {"channel": channel.short_name, "type": channel.get_type_display()}
    remedy = _A_POST if channel.type in _WITH_POSTS else _OTHER_CHANNEL
    return Reason(gettext("%(channel)s takes no messages: it is a %(type)s.") % names, str(remedy))


def no_such_channel(channel: Channel, code: int) -> Reason:
    """Explain why the bot has never seen a channel that somebody entered by its id."""
    if code in (ErrorCode.A_SERVER, ErrorCode.A_ROLE):
        return explain(code)
    if code in (403, 50001):
        unseen = gettext("The bot cannot see the channel %(id)d.") % {"id": channel.pk}
        return Reason(unseen, explain(50001).remedy)
    unknown = gettext("Discord knows no channel with the id %(id)d.") % {"id": channel.pk}
    return Reason(unknown, str(_COPY_ID))


def explain(code: int, channel: Channel | None = None, *, for_good: bool = False) -> Reason:
    """Explain a code of ours, of Discord or of HTTP, in the active language.

    With `channel` it names the permission that is missing there now. `for_good` says that nothing
    is tried again by itself.
    """
    reason = _explain(code, channel)
    if for_good and reason.remedy == str(_WAIT):
        return reason._replace(remedy=str(_SEND_AGAIN))
    return reason


def _explain(code: int, channel: Channel | None) -> Reason:
    is_other = channel is not None and channel.type not in Channel.TYPES_WITH_MESSAGES
    if channel is not None and is_other and code in _OF_ITS_TYPE:
        return takes_no_messages(channel)
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
    # A missing Attach Files is the cause only if no other permission is missing.
    lacking = permissions.missing_to_send(channel) or permissions.missing_to_send(
        channel, files=True
    )
    return ". ".join(permissions.lacked(bit, channel) for bit in lacking)
