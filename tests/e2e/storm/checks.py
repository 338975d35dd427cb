"""Checks after a storm: they compare what was wanted, said, stored and shown."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.e2e.storm.books import Book, Wish, number_of

Json = dict[str, Any]
Place = tuple[int, str]
"""A notice and a channel."""

EXPIRED = 1


@dataclass(slots=True)
class Aftermath:
    """All that can be known once everything is settled and stopped."""

    books: dict[int, Book]
    notices: list[Json]
    """As the API tells them."""
    shown: dict[str, list[Json]]
    """The bot's messages by channel, oldest first."""
    chronicle: list[Json]
    deliveries: dict[int, Json]
    attempts: list[Json]

    def as_json(self) -> str:
        """For whoever looks into what happened."""
        facts = {
            "possible": {
                number: list(map(str, book.possible)) for number, book in self.books.items()
            },
            "notices": self.notices,
            "shown": self.shown,
            "chronicle": self.chronicle,
            "deliveries": self.deliveries,
            "attempts": self.attempts,
        }
        return json.dumps(facts, ensure_ascii=False, indent=1)

    def book_of(self, notice: Json) -> Book | None:
        number = number_of(notice["title"])
        return self.books.get(number) if number is not None else None


def differences(after: Aftermath) -> list[str]:
    """Return what is wrong, in words; nothing if all is well."""
    checks = (
        unkept_wishes,
        wrong_channels,
        untrue_statuses,
        open_ends,
        doubles,
        wrong_look_ups,
    )
    return [difference for check in checks for difference in check(after)]


# --- what was wanted -----------------------------------------------------------------------


def unkept_wishes(after: Aftermath) -> Iterator[str]:
    """Find notices that were accepted and are missing, and those that nobody posted."""
    told: defaultdict[int, list[Json]] = defaultdict(list)
    for notice in after.notices:
        book = after.book_of(notice)
        if book is None:
            yield f"notice {notice['id']} ({notice['title']!r}) was never posted"
        else:
            told[book.number].append(notice)
    for number, book in after.books.items():
        yield from _unkept(book, told[number])


def _unkept(book: Book, told: list[Json]) -> Iterator[str]:
    if len(told) > 1:
        yield f"notice no. {book.number} is there {len(told)} times"
    elif not told and None not in book.possible:
        yield f"notice no. {book.number} (id {book.id}) was accepted and is not there"
    elif told and (wish := _wish(told[0])) not in book.possible:
        wanted = " or ".join(map(str, book.possible))
        yield f"notice {told[0]['id']} is {wish}; possible: {wanted}"


def _wish(notice: Json) -> Wish:
    return Wish(
        notice["title"],
        notice["content"],
        frozenset(notice["channel_ids"]),
        notice["withdrawn_at"] is not None,
    )


# --- what is shown -------------------------------------------------------------------------


def wrong_channels(after: Aftermath) -> Iterator[str]:
    """Each channel shows exactly what is wanted in it, once, as it was last written."""
    notices = {notice["title"]: notice for notice in after.notices}
    for channel, messages in after.shown.items():
        counts: defaultdict[int, int] = defaultdict(int)
        for message in messages:
            number = number_of(_embed(message).get("title", ""))
            if number is None:
                yield f"channel {channel}: message {message['id']} is nobody's"
                continue
            counts[number] += 1
            notice = notices.get(_embed(message)["title"])
            yield from _wrong_message(channel, message, notice)
        for number, count in counts.items():
            if count > 1:
                yield f"channel {channel} shows notice no. {number} {count} times"
    yield from _missing(after)


def _wrong_message(channel: str, message: Json, notice: Json | None) -> Iterator[str]:
    embed = _embed(message)
    said = f"channel {channel}: message {message['id']} ({embed['title']!r})"
    if notice is None:
        yield f"{said} has a title that no notice has now"
    elif notice["withdrawn_at"] or channel not in notice["channel_ids"]:
        yield f"{said} of notice {notice['id']} is shown and not wanted"
    elif embed["description"] != notice["content"]:
        yield f"{said} of notice {notice['id']} has another text than the notice"
    else:
        (delivery,) = [one for one in notice["deliveries"] if one["channel_id"] == channel]
        if delivery["message_id"] != message["id"]:
            yield f"{said} of notice {notice['id']}: the API names {delivery['message_id']}"


def _missing(after: Aftermath) -> Iterator[str]:
    for notice in after.notices:
        if notice["withdrawn_at"]:
            continue
        for channel in notice["channel_ids"]:
            titles = [_embed(message).get("title") for message in after.shown[channel]]
            if notice["title"] not in titles and not _may_be_missing(after, notice, channel):
                yield f"channel {channel} lacks notice {notice['id']} ({notice['title']!r})"


def _may_be_missing(after: Aftermath, notice: Json, channel: str) -> bool:
    book = after.book_of(notice)
    return book is not None and (channel in book.moderated or _expired(book, notice, channel))


def _expired(book: Book, notice: Json, channel: str) -> bool:
    errors = [one["error"] for one in notice["deliveries"] if one["channel_id"] == channel]
    return book.may_expire and any(error and error["code"] == EXPIRED for error in errors)


def _embed(message: Json) -> Json:
    embeds = message["embeds"]
    return embeds[0] if embeds else {}


# --- what is said --------------------------------------------------------------------------


def untrue_statuses(after: Aftermath) -> Iterator[str]:
    for notice in after.notices:
        book = after.book_of(notice)
        states = {one["channel_id"]: one["state"] for one in notice["deliveries"]}
        wanted = {} if notice["withdrawn_at"] else dict.fromkeys(notice["channel_ids"], "sent")
        expected = dict.fromkeys(states, "withdrawn") | wanted
        for channel, state in expected.items():
            if book is not None and state == "sent" and _expired(book, notice, channel):
                expected[channel] = "failed"
        if states != expected:
            yield f"notice {notice['id']}: its deliveries are {states}, expected {expected}"
        if notice["status"] != (status := _status(notice, expected)):
            yield f"notice {notice['id']} is said to be {notice['status']}, expected {status}"


def _status(notice: Json, states: dict[str, str]) -> str:
    if notice["withdrawn_at"]:
        return "withdrawn"
    live = {state for state in states.values() if state != "withdrawn"}
    return {frozenset({"sent"}): "sent", frozenset({"failed"}): "failed"}.get(
        frozenset(live), "partly_sent"
    )


def open_ends(after: Aftermath) -> Iterator[str]:
    """Nothing is under way in the database."""
    for pk, delivery in after.deliveries.items():
        left = {name: delivery[name] for name in ("claim", "due_at", "unknown_since")}
        if any(value is not None for value in left.values()):
            yield f"delivery {pk} (notice {delivery['notice']}) is still under way: {left}"
    for attempt in after.attempts:
        if attempt["ended_at"] is None:
            yield f"delivery {attempt['delivery']}: its {attempt['action']} never ended: {attempt}"


# --- what happened -------------------------------------------------------------------------


def doubles(after: Aftermath) -> Iterator[str]:
    """No two messages at once, and no second one but where a person is the reason."""
    place_of = _places(after)
    alive: dict[str, Place] = {}
    made: defaultdict[Place, int] = defaultdict(int)
    for event in after.chronicle:
        if event["event"] == "MESSAGE_DELETE":
            alive.pop(event["message_id"], None)
            continue
        place = place_of.get(event["nonce"])
        if place is None:
            yield f"message {event['message_id']}: no attempt has its nonce {event['nonce']!r}"
            continue
        if place in alive.values():
            yield f"notice {place[0]} was shown twice at once in channel {place[1]}"
        alive[event["message_id"]] = place
        made[place] += 1
    books = {notice["id"]: after.book_of(notice) for notice in after.notices}
    for (notice_id, channel), count in made.items():
        book = books.get(notice_id)
        reasons = 0 if book is None else book.times_taken_out + (channel in book.moderated)
        if count > 1 + reasons:
            yield (
                f"notice {notice_id}: {count} messages were made in channel {channel}, "
                f"with reasons for {1 + reasons}"
            )


def wrong_look_ups(after: Aftermath) -> Iterator[str]:
    """No look into the history missed a message that was there all the time."""
    made = {one["nonce"]: one for one in after.chronicle if one["event"] == "MESSAGE_CREATE"}
    deleted = {
        one["message_id"]: one["time"]
        for one in after.chronicle
        if one["event"] == "MESSAGE_DELETE"
    }
    for attempt in after.attempts:
        message = made.get(attempt["nonce"])
        if message is None or (attempt["action"], attempt["outcome"]) != ("look_up", "absent"):
            continue
        was_there_before = message["time"] < _seconds(attempt["begun_at"])
        gone_at = deleted.get(message["message_id"], float("inf"))
        if was_there_before and _seconds(attempt["ended_at"]) < gone_at:
            yield f"delivery {attempt['delivery']}: a look-up missed message {message}"


def _places(after: Aftermath) -> dict[str, Place]:
    place_of_delivery = {
        pk: (delivery["notice"], str(delivery["channel"]))
        for pk, delivery in after.deliveries.items()
    }
    return {one["nonce"]: place_of_delivery[one["delivery"]] for one in after.attempts}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
