"""Each check of a storm finds the one thing that is wrong in an aftermath."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from tests.e2e.storm.books import Book, Wish
from tests.e2e.storm.checks import Aftermath, Json, differences
from tests.e2e.storm.plan import make_plan

CHANNEL, OTHER = "11", "12"
TITLE, CONTENT = "7번 공지, 2판", "화요일 20시"


def all_is_well() -> Aftermath:
    """One notice, posted, edited, sent."""
    delivery = {"channel_id": CHANNEL, "state": "sent", "message_id": "501", "error": None}
    notice = {
        "id": 1, "title": TITLE, "content": CONTENT, "channel_ids": [CHANNEL],
        "withdrawn_at": None, "status": "sent", "deliveries": [delivery],
    }  # fmt: skip
    embed = {"title": TITLE, "description": CONTENT}
    return Aftermath(
        books={7: Book(7, {Wish(TITLE, CONTENT, frozenset({CHANNEL}))}, id=1)},
        notices=[notice],
        shown={CHANNEL: [{"id": "501", "embeds": [embed]}], OTHER: []},
        chronicle=[made("501", at=101)],
        deliveries={
            3: {"notice": 1, "channel": 11, "claim": None, "due_at": None, "unknown_since": None}
        },
        attempts=[attempt("create", "shown")],
    )


def made(message_id: str, *, at: float, channel: str = CHANNEL) -> Json:
    return {
        "event": "MESSAGE_CREATE", "time": at, "channel_id": channel, "message_id": message_id,
        "nonce": "N",
    }  # fmt: skip


def deleted(message_id: str, *, at: float) -> Json:
    return {
        "event": "MESSAGE_DELETE", "time": at, "channel_id": CHANNEL, "message_id": message_id,
        "nonce": None,
    }  # fmt: skip


def attempt(action: str, outcome: str) -> Json:
    return {
        "delivery": 3, "nonce": "N", "action": action, "outcome": outcome,
        "begun_at": "1970-01-01T00:02:00Z", "ended_at": "1970-01-01T00:02:01Z",
    }  # fmt: skip


def test_a_sound_aftermath_has_no_differences() -> None:
    assert differences(all_is_well()) == []


def lose_the_notice(after: Aftermath) -> None:
    after.notices.clear()


def store_it_twice(after: Aftermath) -> None:
    after.notices.append(deepcopy(after.notices[0]))


def forget_an_edit(after: Aftermath) -> None:
    after.notices[0]["content"] = "월요일 20시"


def hide_the_message(after: Aftermath) -> None:
    after.shown[CHANNEL].clear()


def show_it_twice(after: Aftermath) -> None:
    after.shown[CHANNEL].append(after.shown[CHANNEL][0] | {"id": "502"})


def show_an_old_text(after: Aftermath) -> None:
    after.shown[CHANNEL][0]["embeds"][0]["description"] = "월요일 20시"


def show_it_elsewhere(after: Aftermath) -> None:
    after.shown[OTHER] = after.shown[CHANNEL]


def show_a_withdrawn_one(after: Aftermath) -> None:
    after.books[7].possible = {Wish(TITLE, CONTENT, frozenset({CHANNEL}), is_withdrawn=True)}
    after.notices[0] |= {"withdrawn_at": "2026-01-01T00:00:00Z", "status": "withdrawn"}
    after.notices[0]["deliveries"][0]["state"] = "withdrawn"


def name_another_message(after: Aftermath) -> None:
    after.notices[0]["deliveries"][0]["message_id"] = "502"


def call_it_failed(after: Aftermath) -> None:
    after.notices[0]["status"] = "failed"


def leave_a_claim(after: Aftermath) -> None:
    after.deliveries[3]["claim"] = 12345


def leave_an_attempt_open(after: Aftermath) -> None:
    after.attempts[0] |= {"ended_at": None, "outcome": None}


def flicker(after: Aftermath) -> None:
    after.chronicle[:0] = [made("500", at=100), deleted("500", at=100.5)]


def show_two_for_a_moment(after: Aftermath) -> None:
    after.books[7].times_taken_out = 1
    after.chronicle += [made("502", at=102), deleted("502", at=103)]


def send_what_nobody_recorded(after: Aftermath) -> None:
    after.attempts.clear()


def overlook_the_message(after: Aftermath) -> None:
    after.attempts.append(attempt("look_up", "absent"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lose_the_notice, "was accepted and is not there"),
        (store_it_twice, "is there 2 times"),
        (forget_an_edit, "possible"),
        (hide_the_message, "lacks notice"),
        (show_it_twice, "2 times"),
        (show_an_old_text, "another text"),
        (show_it_elsewhere, "not wanted"),
        (show_a_withdrawn_one, "not wanted"),
        (name_another_message, "the API names 502"),
        (call_it_failed, "said to be failed"),
        (leave_a_claim, "still under way"),
        (leave_an_attempt_open, "never ended"),
        (flicker, "2 messages were made"),
        (show_two_for_a_moment, "twice at once"),
        (send_what_nobody_recorded, "no attempt has its nonce"),
        (overlook_the_message, "missed"),
    ],
)
def test_each_fault_is_found(spoil: Callable[[Aftermath], None], words: str) -> None:
    after = all_is_well()
    spoil(after)
    assert any(words in difference for difference in differences(after))


def test_a_lost_answer_leaves_both_wishes_possible() -> None:
    after = all_is_well()
    old = Wish("7번 공지, 1판", CONTENT, frozenset({CHANNEL}))
    for wish in (old, *after.books[7].possible):
        after.books[7].possible = {wish}
        after.books[7].lost(lambda wish: Wish(TITLE, wish.content, wish.channels))
        assert differences(after) == []


def test_a_message_deleted_by_a_moderator_may_be_missing_or_made_anew() -> None:
    after = all_is_well()
    after.books[7].moderated.add(CHANNEL)
    after.chronicle[:0] = [made("500", at=100), deleted("500", at=100.5)]
    assert differences(after) == []
    after.shown[CHANNEL].clear()
    assert differences(after) == []


def test_a_seed_decides_the_whole_plan() -> None:
    plans = [make_plan(seed, seconds=10, notices=30, has_standby=True) for seed in (7, 7, 8)]
    assert plans[0] == plans[1] != plans[2]
