"""Writes threads as Discord does, and checks what may be done in archived or locked ones."""

from fakediscord import permissions
from fakediscord.errors import ApiError
from fakediscord.snowflake import Snowflakes
from fakediscord.timestamps import now_text
from fakediscord.wire import Json

ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = THREADS = (10, 11, 12)
ANNOUNCEMENT = 5
ARCHIVED_CODE, LOCKED_CODE = 50083, 160005


def is_thread(channel: Json) -> bool:
    return channel["type"] in THREADS


def is_archived(thread: Json) -> bool:
    return bool(thread["thread_metadata"]["archived"])


def is_locked(thread: Json) -> bool:
    return bool(thread["thread_metadata"]["locked"])


def thread_json(snowflakes: Snowflakes, parent: Json, described: Json, owner_id: str) -> Json:
    usual = ANNOUNCEMENT_THREAD if parent["type"] == ANNOUNCEMENT else PUBLIC_THREAD
    return {
        "id": described.get("id") or snowflakes.make(),
        "type": described.get("type", usual),
        "guild_id": parent["guild_id"],
        "parent_id": parent["id"],
        "owner_id": described.get("owner_id", owner_id),
        "name": described["name"],
        "last_message_id": None,
        "message_count": 0,
        "member_count": 1,
        "total_message_sent": 0,
        "rate_limit_per_user": 0,
        "flags": 0,
        "thread_metadata": {
            "archived": described.get("archived", False),
            "locked": described.get("locked", False),
            "auto_archive_duration": 1440,
            "archive_timestamp": now_text(),
            "create_timestamp": now_text(),
            "invitable": True,
        },
    }


def changed_thread(thread: Json, order: Json) -> Json:
    """Return the thread after `archived`, `locked` and `name` of the order."""
    metadata = dict(thread["thread_metadata"])
    if order.get("archived", metadata["archived"]) != metadata["archived"]:
        metadata["archive_timestamp"] = now_text()
    metadata |= {name: bool(order[name]) for name in ("archived", "locked") if name in order}
    return {**thread, "name": order.get("name", thread["name"]), "thread_metadata": metadata}


def refuse_to_write(thread: Json, held: int) -> None:
    """Refuse to write into a locked thread. Writing into an archived one opens it."""
    if is_locked(thread) and not held & permissions.MANAGE_THREADS:
        raise ApiError(ARCHIVED_CODE if is_archived(thread) else LOCKED_CODE)


def refuse_to_touch(channel: Json) -> None:
    """Refuse to change what stands in an archived thread."""
    if is_thread(channel) and is_archived(channel):
        raise ApiError(ARCHIVED_CODE)


def refuse_to_change(thread: Json, held: int, order: Json) -> None:
    """Refuse a change. Who may write may open an unlocked thread; the rest is for moderators."""
    if held & permissions.MANAGE_THREADS:
        return
    opens = order.keys() == {"archived"} and not order["archived"] and not is_locked(thread)
    if not opens or not held & permissions.SEND_MESSAGES_IN_THREADS:
        raise ApiError(50013)
