"""Hides content from a bot without the message-content intent."""

from fakediscord.wire import Json

HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def is_hidden(message: Json, bot_id: str) -> bool:
    """Return whether the content is hidden: not in its own messages, or those that mention it."""
    if message["author"]["id"] == bot_id:
        return False
    return all(user["id"] != bot_id for user in message["mentions"])


def without_content(message: Json) -> Json:
    return {**message, **HIDDEN}
