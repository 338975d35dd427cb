"""What of a message is kept from a bot without the message-content intent."""

from fakediscord.wire import Json

HIDDEN: Json = {"content": "", "embeds": [], "attachments": [], "components": []}


def is_hidden(message: Json, bot_id: str) -> bool:
    """Not its own messages, and not those that mention it."""
    if message["author"]["id"] == bot_id:
        return False
    return all(user["id"] != bot_id for user in message["mentions"])


def without_content(message: Json) -> Json:
    return {**message, **HIDDEN}
