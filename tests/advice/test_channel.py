"""The troubles of a channel are named, with the place where each can be set right."""

from typing import Any

import pytest
from django.utils import timezone, translation

from notices.advice import permissions, reasons
from notices.advice.channel import can_send, troubles
from notices.models import Channel
from tests.roles import EVERYTHING

SEEN = timezone.now()
VIEW, SEND, EMBED, HISTORY = (
    permissions.VIEW_CHANNEL,
    permissions.SEND_MESSAGES,
    permissions.EMBED_LINKS,
    permissions.READ_MESSAGE_HISTORY,
)


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


def channel(held: int | None = EVERYTHING, **facts: Any) -> Channel:
    return Channel(**{"id": 11, "name": "notices", "seen_at": SEEN, "permissions": held} | facts)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (EVERYTHING & ~VIEW, ["Channel settings → Permissions → View Channel"]),
        (EVERYTHING & ~SEND, ["Channel settings → Permissions → Send Messages"]),
        (EVERYTHING & ~EMBED, ["Channel settings → Permissions → Embed Links"]),
        (EVERYTHING & ~HISTORY, ["Channel settings → Permissions → Read Message History"]),
        (
            EVERYTHING & ~(EMBED | HISTORY),
            ["Permissions → Embed Links", "Permissions → Read Message History"],
        ),
        # Without View Channel Discord denies the others too, so setting them would change nothing.
        (0, ["Permissions → View Channel"]),
        (EVERYTHING & ~(SEND | EMBED), ["Permissions → Send Messages"]),
    ],
)
def test_each_permission_that_has_to_be_set_is_named(held: int, said: list[str]) -> None:
    found = troubles(channel(held))
    assert len(found) == len(said)
    for trouble, place in zip(found, said, strict=True):
        assert "#notices" in trouble
        assert trouble.endswith(place)


def test_a_thread_needs_the_right_to_write_in_threads() -> None:
    lacking = EVERYTHING & ~permissions.SEND_MESSAGES_IN_THREADS
    assert troubles(channel(lacking)) == []
    [trouble] = troubles(channel(lacking, type=Channel.Type.PUBLIC_THREAD))
    assert trouble.endswith("Send Messages in Threads")
    assert troubles(channel(EVERYTHING & ~SEND, type=Channel.Type.PUBLIC_THREAD)) == []


def test_the_other_troubles_of_a_channel_are_told_with_their_remedy() -> None:
    assert troubles(channel()) == []
    assert "is gone" in troubles(channel(0, gone_at=SEEN))[0]
    assert "not seen #notices yet" in troubles(channel(None, seen_at=None))[0]
    [refused] = troubles(channel(refused_at=SEEN, refused_code=10003))
    assert "#notices" in refused
    why = reasons.explain(10003)
    assert why.reason in refused
    assert why.remedy in refused


def test_a_channel_without_a_name_goes_by_its_id() -> None:
    assert "11" in troubles(channel(EVERYTHING & ~EMBED, name=""))[0]


@pytest.mark.parametrize(
    ("facts", "can"),
    [
        ({"held": None}, None),
        ({"held": EVERYTHING}, True),
        ({"held": EVERYTHING & ~HISTORY}, True),
        ({"held": EVERYTHING & ~EMBED}, False),
        ({"held": EVERYTHING, "gone_at": SEEN}, False),
    ],
)
def test_a_frontend_is_told_whether_a_notice_would_be_shown(
    facts: dict[str, Any], can: bool | None
) -> None:
    assert can_send(channel(**facts)) is can


@pytest.mark.parametrize("code", [50001, 50006, 50013, 403])
def test_a_refusal_names_the_permission_that_is_missing(code: int) -> None:
    why = reasons.explain(code, channel(EVERYTHING & ~EMBED))
    assert "Embed Links" in why.reason
    assert reasons.explain(code, channel()) == reasons.explain(code)
    assert reasons.explain(code, channel(EVERYTHING & ~HISTORY)) == reasons.explain(code)
    assert reasons.explain(10003, channel(0)) == reasons.explain(10003)
