"""Discord's error codes: what each one is about, which decides whether it is final.

A code is final only if it is about what the request asked for. A code that is not in this table
counts as a passing trouble. Source: Discord's documentation, "Opcodes and Status Codes", section
"JSON Error Codes", and "Rate Limits".
"""

from collections.abc import Mapping
from enum import Enum, auto

UNKNOWN_CHANNEL = 10003
UNKNOWN_GUILD = 10004
UNKNOWN_MESSAGE = 10008
MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013
# A message in an archived thread can be changed once the thread is open.
ARCHIVED_THREAD = 50083
# Smaller numbers are HTTP's statuses, and 0 is Discord's unspecific "general error".
FIRST_CODE = 10_000


class About(Enum):
    """The subject of a code."""

    MESSAGE = auto()
    """The message to change: it is gone, or it is not ours."""
    CONTENT = auto()
    """The text, link, picture or files that were sent."""
    CHANNEL = auto()
    """The channel: it is gone, or closed to the bot."""
    TOKEN = auto()
    """The bot's token, which Discord does not accept."""
    LIMIT = auto()
    """A limit: the same request works later."""
    ELSE = auto()
    """Anything else, such as a trouble of Discord's own."""


class Rests(Enum):
    """The extent of a pause that Discord names."""

    MESSAGE = auto()
    CHANNEL = auto()
    GUILD = auto()
    EVERYTHING = auto()


_ABOUT: Mapping[int, About] = {
    UNKNOWN_MESSAGE: About.MESSAGE,
    50005: About.MESSAGE,  # authored by another user
    50021: About.MESSAGE,  # a system message
    20009: About.CONTENT,  # explicit content
    30015: About.CONTENT,  # too many attachments
    40005: About.CONTENT,  # request entity too large
    50006: About.CONTENT,  # empty message
    50035: About.CONTENT,  # invalid form body
    50045: About.CONTENT,  # file too large
    50046: About.CONTENT,  # invalid file
    50109: About.CONTENT,  # invalid JSON
    50110: About.CONTENT,  # invalid file
    50123: About.CONTENT,  # invalid file type
    200000: About.CONTENT,  # blocked by AutoMod
    200001: About.CONTENT,  # title blocked by AutoMod
    240000: About.CONTENT,  # harmful links
    400001: About.CONTENT,  # no file uploads in this guild
    UNKNOWN_CHANNEL: About.CHANNEL,
    UNKNOWN_GUILD: About.CHANNEL,
    40007: About.CHANNEL,  # banned from this guild
    40058: About.CHANNEL,  # a forum channel
    40067: About.CHANNEL,  # a forum that wants a tag
    MISSING_ACCESS: About.CHANNEL,
    50003: About.CHANNEL,  # a DM channel
    50008: About.CHANNEL,  # no text channel
    50009: About.CHANNEL,  # the verification level is too high
    MISSING_PERMISSIONS: About.CHANNEL,
    50024: About.CHANNEL,  # not in this type of channel
    ARCHIVED_THREAD: About.CHANNEL,
    50095: About.CHANNEL,  # a server that is not available here
    160005: About.CHANNEL,  # a locked thread
    40001: About.TOKEN,
    50014: About.TOKEN,  # invalid authentication token
    20016: About.LIMIT,  # slow mode
    20022: About.LIMIT,  # edits of announcements
    20028: About.LIMIT,  # writes in the channel
    20029: About.LIMIT,  # writes in the guild
    30046: About.LIMIT,  # edits of a message over an hour old
    40062: About.LIMIT,  # service resource
}
# The codes by which Discord asks to wait; 429 is the status of an answer without a code.
LIMITS = frozenset({429, *(code for code, about in _ABOUT.items() if about is About.LIMIT)})
_RESTS: Mapping[int, Rests] = {
    20022: Rests.MESSAGE, 30046: Rests.MESSAGE, 20029: Rests.GUILD,
}  # fmt: skip
# Used if a limit names no pause; Discord does not document how long they last.
PAUSE_SECONDS = 30.0
_LONG_PAUSE_SECONDS: Mapping[int, float] = {20022: 600.0, 30046: 600.0}
_ACTIONS: Mapping[About, frozenset[str]] = {
    About.MESSAGE: frozenset({"create", "edit", "delete"}),
    About.CONTENT: frozenset({"create", "edit"}),
    About.CHANNEL: frozenset({"create", "edit", "delete", "look_up"}),
}


def about(code: int) -> About:
    return _ABOUT.get(code, About.ELSE)


def is_final(code: int, action: str) -> bool:
    """Return whether the code is about what this action (an `Attempt.Action`) asks for."""
    return action in _ACTIONS.get(about(code), ())


def rests(code: int) -> Rests:
    """Return what a limit with this code holds for."""
    return _RESTS.get(code, Rests.CHANNEL)


def pause_seconds(code: int) -> float:
    """Return how long to wait for a limit that names no pause."""
    return _LONG_PAUSE_SECONDS.get(code, PAUSE_SECONDS)
